// close-month: the invoices of a month that is over. Shows them first, asks, and writes each in a transaction of its own.
import { Argument, type Command, Option } from 'commander'
import { DAY_MS } from '../../worker/ledger/periods.ts'
import type { InvoiceDocument } from '../invoices/document.ts'
import type { InvoiceSettings } from '../invoices/settings.ts'
import { id } from './arguments.ts'
import { NOW_MS } from './clock.ts'
import { type Context, Failure, type Output, UsageError } from './context.ts'
import { findCustomer } from './customers.ts'
import { type Candidate, candidates, closeCustomerMonth, draftMonth, refuseInFlight } from './invoice-month.ts'
import { invoiceSettings } from './invoice-settings.ts'
import { type Month, month } from './month.ts'
import { adminCommand } from './next-command.ts'
import type { AskingOptions, Shell } from './shell.ts'
import { dayName, plural, table } from './table.ts'

interface Options extends AskingOptions {
  customer?: number
}

export function closeMonthCommand(shell: Shell): Command {
  return shell
    .command(
      'close-month',
      'Writes the invoices of a month that is over: shows them, asks, and writes them for good.',
      'close-month 2026-10',
    )
    .addArgument(new Argument('<month>', 'YYYY-MM, in UTC').argParser(month))
    .addOption(new Option('--customer <customer_id>', 'only this one (default: all)').argParser(id))
    .option('--yes', 'do not ask')
    .action((asked: Month, options: Options) => closeMonth(shell, asked, options))
}

interface Plan {
  settings: InvoiceSettings
  drafts: InvoiceDocument[]
  /** Who has an invoice of the month already, and who gets none. */
  closed: Candidate[]
  nothing: Candidate[]
}

/** The database is opened twice: it is not held while a person thinks. */
async function closeMonth(shell: Shell, asked: Month, options: Options): Promise<void> {
  let plan: Plan | undefined
  await shell.run(options, async (context) => {
    plan = await planOf(context, asked, options.customer ?? null)
    if (plan.drafts.length === 0) return report(context, asked, [], plan)
    const text = `${asked.name} (UTC)\n${documentTable(plan.drafts)}\n${rest(plan)}`
    // With --json standard output is one value, and what is to be written is told to whoever is asked.
    if (!context.json) await context.io.out(text)
    else if (!options.yes) context.io.err(text)
    return null
  })
  if (plan === undefined || plan.drafts.length === 0) return
  const planned = plan
  await shell.confirm(options, `Write ${plural(planned.drafts.length, 'invoice')}? They cannot be changed afterwards.`)
  await shell.run(options, (context) => write(context, asked, planned))
}

/** Throws UsageError for a month that is not over, Failure where something is in flight or does not agree. */
async function planOf({ db, io }: Context, asked: Month, customerId: number | null): Promise<Plan> {
  const [clock] = await db.all(`SELECT ${NOW_MS} AS now`)
  if (Number(clock?.now) < (asked.last + 1) * DAY_MS) {
    throw new UsageError(`month: ${asked.name} is not over (UTC): it can be closed from ${dayName(asked.last + 1)} on.`)
  }
  const settings = await invoiceSettings(io)
  if (customerId !== null) await findCustomer(db, customerId)
  const found = await candidates(db, customerId, asked)
  refuseInFlight(found, asked)
  const open = found.filter(({ invoice }) => invoice === null)
  const drafts: InvoiceDocument[] = []
  for (const { id } of open.filter(({ owes }) => owes)) {
    drafts.push((await draftMonth(db, id, asked, settings)).draft.document)
  }
  return {
    settings,
    drafts,
    closed: found.filter(({ invoice }) => invoice !== null),
    nothing: open.filter(({ owes }) => !owes),
  }
}

/** Throws Failure; what was written before stays, and a second run goes on from there. */
async function write(context: Context, asked: Month, plan: Plan): Promise<Output> {
  const { db, who } = context
  const written: InvoiceDocument[] = []
  for (const { customer } of plan.drafts) {
    try {
      written.push((await closeCustomerMonth(db, who, customer.id, asked, plan.settings)).document)
    } catch (error) {
      if (written.length === 0 || !(error instanceof Failure)) throw error
      throw new Failure(`${error.message} ${plural(written.length, 'invoice')} had been written before that: run it again for the rest.`)
    }
  }
  return report(context, asked, written, plan)
}

function report(context: Context, asked: Month, written: readonly InvoiceDocument[], plan: Plan): Output {
  return {
    json: {
      month: asked.name,
      invoices: written.map(({ number, customer, currency, sums: { net, tax, total } }) => {
        return { number, customer_id: customer.id, customer_name: customer.name, net, tax, total, currency }
      }),
      already_closed: plan.closed.map(({ id, invoice }) => ({ customer_id: id, number: invoice })),
      nothing_to_charge: plan.nothing.map(({ id }) => id),
    },
    text:
      written.length === 0
        ? `${rest(plan)}Nothing to write for ${asked.name}.`
        : `Written:\n${documentTable(written)}\nNext: ${adminCommand(context, `invoice ${written[0]?.number} --format html --output ${written[0]?.number}.html`)}`,
  }
}

function documentTable(documents: readonly InvoiceDocument[]): string {
  return table(documents, [
    { title: 'number', value: ({ number }) => number || 'to come' },
    { title: 'customer', value: ({ customer }) => `${customer.name} (${customer.id})` },
    { title: 'net', value: ({ sums }) => sums.net, right: true },
    { title: 'tax', value: ({ sums }) => sums.tax, right: true },
    { title: 'total', value: ({ sums, currency }) => `${sums.total} ${currency}`, right: true },
  ])
}

/** Whose address is missing; who gets no invoice, and why. */
function rest({ closed, nothing, drafts }: Plan): string {
  const line = (why: string, whose: readonly string[]) => (whose.length === 0 ? '' : `${why}: ${whose.join(', ')}.\n`)
  const nowhere = drafts.filter(({ customer }) => customer.address.length === 0)
  return (
    line(
      'Without a postal address (update-customer --address, before it is written)',
      nowhere.map(({ customer }) => `${customer.name} (${customer.id})`),
    ) +
    line(
      'Closed already',
      closed.map(({ id, name, invoice }) => `${name} (${id}) by ${invoice}`),
    ) +
    line(
      'Nothing to charge, so no invoice',
      nothing.map(({ id, name }) => `${name} (${id})`),
    )
  )
}

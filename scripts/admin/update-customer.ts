// update-customer: changes what is given and nothing else; a changed budget or period brings its spend along in the same transaction.
import { Argument, type Command, InvalidArgumentError, Option } from 'commander'
import { eq } from 'drizzle-orm'
import { customers } from '../../worker/schema.ts'
import { email, id, label } from './arguments.ts'
import { audited, rowState } from './audit.ts'
import { type Context, type Output, UsageError } from './context.ts'
import { CUSTOMER_COLUMNS, customerJson, findCustomer, withUniqueEmail } from './customers.ts'
import { budgetOption, type LimitOptions, limitOptions, limitsText, periodOption } from './limits.ts'
import { balanceOf, balanceText, rebuilt } from './money.ts'
import type { AskingOptions, Shell } from './shell.ts'
import { dollars } from './table.ts'

interface Options extends AskingOptions, LimitOptions<'none'> {
  name?: string
  email?: string
  unlimited?: true
  status?: 'active' | 'suspended'
  prepaid?: true
  postpaid?: true
  address?: string[]
  taxId?: string
}

export function updateCustomerCommand(shell: Shell): Command {
  const command = shell
    .command(
      'update-customer',
      'Changes a customer: what is given, and nothing else.',
      'update-customer 1 --budget 50 --period week --rpm none',
    )
    .addArgument(new Argument('<customer_id>', 'as in list-customers').argParser(id))
    .addOption(new Option('--name <name>', 'for people').argParser(label))
    .addOption(new Option('--email <email>', 'unique').argParser(email))
    .addOption(budgetOption('the most the customer may spend in a period'))
    .addOption(new Option('--unlimited', 'no budget').conflicts('budget'))
    .addOption(periodOption('when the budget renews, in UTC; what was spent is counted anew'))
  for (const option of limitOptions({ change: true })) command.addOption(option)
  return command
    .addOption(
      new Option('--address <line>', 'for invoices: a line of it, may be given several times; none: no address').argParser(
        (line, before?: string[]) => [...(before ?? []), label(line)],
      ),
    )
    .addOption(new Option('--tax-id <id>', 'for invoices; none: there is none').argParser(taxId))
    .addOption(new Option('--status <status>', 'suspended: every key is refused').choices(['active', 'suspended']))
    .addOption(new Option('--prepaid', 'no more may be spent than was paid in'))
    .addOption(new Option('--postpaid', 'what is spent is paid later').conflicts('prepaid'))
    .option('--yes', 'suspend, or make prepaid, without asking')
    .action((customerId: number, options: Options) => {
      const change = changeOf(options)
      const update = (context: Context) => updateCustomer(context, customerId, change)
      const question = questionOf(change, customerId)
      return question === null ? shell.run(options, update) : shell.runAfterYes(options, question, update)
    })
}

/** Throws InvalidArgumentError. */
function taxId(text: string): string {
  const id = label(text)
  if (id.length <= 100) return id
  throw new InvalidArgumentError('It has to be at most 100 characters.')
}

type Change = Partial<typeof customers.$inferInsert>

/** What is asked before requests may be refused; null: nothing. */
function questionOf({ status, prepaid }: Change, customerId: number): string | null {
  if (status === 'suspended') return `Suspend customer ${customerId}? All their keys are refused from now on.`
  return prepaid === 1
    ? `Make customer ${customerId} prepaid? What was paid in less all they ever used is what they may spend from now on.`
    : null
}

function changeOf(options: Options): Change {
  const { name, email: address, status, budget, period, rpm, tpm, concurrency } = options
  const limit = (value: number | 'none' | undefined) => (value === 'none' ? null : value)
  const all = {
    name,
    email: address,
    status,
    budgetNano: options.unlimited ? null : budget,
    budgetPeriod: period,
    prepaid: options.prepaid ? 1 : options.postpaid ? 0 : undefined,
    rpm: limit(rpm),
    tpm: limit(tpm),
    concurrency: limit(concurrency),
    address: addressOf(options.address),
    taxId: options.taxId === 'none' ? '' : options.taxId,
  }
  const change: Change = Object.fromEntries(Object.entries(all).filter(([, value]) => value !== undefined))
  if (Object.keys(change).length === 0) throw new UsageError('nothing to change: give at least one option, as --help lists them.')
  return change
}

/** Throws UsageError. */
function addressOf(lines: string[] | undefined): string | undefined {
  if (lines === undefined) return undefined
  const address = lines.length === 1 && lines[0] === 'none' ? '' : lines.join('\n')
  if (address.length > 1000) throw new UsageError('--address is too long: give at most 1,000 characters in all.')
  return address
}

async function updateCustomer({ db, who }: Context, customerId: number, change: Change): Promise<Output> {
  await findCustomer(db, customerId)
  const update = db.orm.update(customers).set(change).where(eq(customers.id, customerId)).toSQL()
  const recounts = change.budgetNano !== undefined || change.budgetPeriod !== undefined || change.prepaid !== undefined
  const recount = recounts ? rebuilt('customer', customerId) : []
  const state = rowState('customers', CUSTOMER_COLUMNS, customerId)
  const note = { who, command: 'update-customer', target: `customer ${customerId}`, before: state, after: state }
  await withUniqueEmail(db, change.email, () => audited(db, note, [update, ...recount]))
  const customer = await findCustomer(db, customerId)
  const { name, email: address, status, budgetNano, budgetPeriod } = customer
  return {
    json: customerJson(customer),
    text: `Customer ${customerId}, ${name} <${address}>, ${status}; budget ${dollars(budgetNano)} (${budgetPeriod}); limits ${limitsText(customer)}.${customer.prepaid ? `\n${balanceText(await balanceOf(db, customerId))}` : ''}`,
  }
}

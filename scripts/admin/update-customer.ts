// update-customer: changes what is given and nothing else; a changed budget or period brings its spend along in the same transaction.
import { Argument, type Command, InvalidArgumentError, Option } from 'commander'
import { eq } from 'drizzle-orm'
import { rebuildSpendSql } from '../../worker/ledger/periods.ts'
import { customers } from '../../worker/schema.ts'
import { email, id, label } from './arguments.ts'
import { type Context, type Output, UsageError } from './context.ts'
import { customerJson, findCustomer, withUniqueEmail } from './customers.ts'
import { budgetOption, type LimitOptions, limitOptions, limitsText, periodOption } from './limits.ts'
import type { AskingOptions, Shell } from './shell.ts'
import { dollars } from './table.ts'

interface Options extends AskingOptions, LimitOptions<'none'> {
  name?: string
  email?: string
  unlimited?: true
  status?: 'active' | 'suspended'
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
    .option('--yes', 'suspend without asking')
    .action((customerId: number, options: Options) => {
      const change = changeOf(options)
      const update = (context: Context) => updateCustomer(context, customerId, change)
      if (change.status !== 'suspended') return shell.run(options, update)
      return shell.runAfterYes(options, `Suspend customer ${customerId}? All their keys are refused from now on.`, update)
    })
}

/** Throws InvalidArgumentError. */
function taxId(text: string): string {
  const id = label(text)
  if (id.length <= 100) return id
  throw new InvalidArgumentError('It has to be at most 100 characters.')
}

type Change = Partial<typeof customers.$inferInsert>

function changeOf(options: Options): Change {
  const { name, email: address, status, budget, period, rpm, tpm, concurrency } = options
  const limit = (value: number | 'none' | undefined) => (value === 'none' ? null : value)
  const all = {
    name,
    email: address,
    status,
    budgetNano: options.unlimited ? null : budget,
    budgetPeriod: period,
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

async function updateCustomer({ db }: Context, customerId: number, change: Change): Promise<Output> {
  await findCustomer(db, customerId)
  const update = db.orm.update(customers).set(change).where(eq(customers.id, customerId)).toSQL()
  const recounts = change.budgetNano !== undefined || change.budgetPeriod !== undefined
  const recount = recounts ? rebuildSpendSql('customer').map((sql) => ({ sql, params: [customerId] })) : []
  await withUniqueEmail(db, change.email, () => db.batch([update, ...recount]))
  const customer = await findCustomer(db, customerId)
  const { name, email: address, status, budgetNano, budgetPeriod } = customer
  return {
    json: customerJson(customer),
    text: `Customer ${customerId}, ${name} <${address}>, ${status}; budget ${dollars(budgetNano)} (${budgetPeriod}); limits ${limitsText(customer)}.`,
  }
}

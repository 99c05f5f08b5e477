// create-customer: someone who may spend, with a budget or, said on purpose, without.
import { Argument, type Command, Option } from 'commander'
import { customers } from '../../worker/schema.ts'
import { email, label } from './arguments.ts'
import { audited, rowMade } from './audit.ts'
import { nowMs } from './clock.ts'
import { type Context, Failure, type Output, UsageError } from './context.ts'
import { CUSTOMER_COLUMNS, customerJson, findCustomer, withUniqueEmail } from './customers.ts'
import { budgetOption, type LimitOptions, limitOptions, periodOption } from './limits.ts'
import { adminCommand } from './next-command.ts'
import type { CommonOptions, Shell } from './shell.ts'
import { dollars } from './table.ts'

interface Options extends CommonOptions, LimitOptions {
  prepaid?: true
  unlimited?: true
}

export function createCustomerCommand(shell: Shell): Command {
  const command = shell
    .command(
      'create-customer',
      'Adds a customer. One of --budget, --unlimited and --prepaid is needed.',
      "create-customer 'Ada Lovelace' ada@example.com --budget 20",
    )
    .addArgument(new Argument('<name>', 'for people').argParser(label))
    .addArgument(new Argument('<email>', 'unique').argParser(email))
    .addOption(budgetOption('the most the customer may spend in a period'))
    .addOption(new Option('--unlimited', 'no budget').conflicts('budget'))
    .addOption(periodOption('when the budget renews, in UTC').default('month'))
  command.addOption(new Option('--prepaid', 'no more may be spent than was paid in; a budget binds beside that'))
  for (const option of limitOptions({ change: false })) command.addOption(option)
  return command.action((name: string, address: string, options: Options) => {
    if (options.budget === undefined && !options.unlimited && !options.prepaid) {
      throw new UsageError('--budget is missing: give an amount in USD, or say --unlimited, or --prepaid for what will be paid in.')
    }
    return shell.run(options, (context) => createCustomer(context, { ...options, name, email: address }))
  })
}

/** Without a budget it is an unlimited customer. Throws Failure for an email that is taken. */
async function createCustomer(
  { db, who, remote }: Context,
  asked: LimitOptions & { name: string; email: string; prepaid?: true },
): Promise<Output> {
  const { name, email: address, period = 'month', rpm = null, tpm = null, concurrency = null } = asked
  const limits = { budgetNano: asked.budget ?? null, budgetPeriod: period, rpm, tpm, concurrency, prepaid: asked.prepaid ? 1 : 0 }
  const insert = db.orm
    .insert(customers)
    .values({ name, email: address, ...limits, createdMs: nowMs })
    .returning({ id: customers.id })
    .toSQL()
  const note = { who, command: 'create-customer', made: rowMade('customer', 'customers', CUSTOMER_COLUMNS, ['email', address]) }
  const [written] = await withUniqueEmail(db, address, () => audited(db, note, [insert]))
  const id = written?.[0]?.id
  if (typeof id !== 'number') throw new Failure('the database did not say what it wrote: see list-customers.')
  const made = await findCustomer(db, id)
  const budget = made.budgetNano === null ? 'no budget' : `a budget of ${dollars(made.budgetNano)} (${made.budgetPeriod})`
  return {
    json: customerJson(made),
    text: `Customer ${made.id}, ${made.name} <${made.email}>, with ${budget}${made.prepaid ? ', prepaid: pay books what they pay in' : ''}.\nNext: ${adminCommand({ remote }, `generate-key ${made.id}`)}`,
  }
}

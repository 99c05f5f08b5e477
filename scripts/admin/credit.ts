// credit: less to pay, or with --charge more, without a request behind it. Counts for today's period.
import { Argument, type Command, Option } from 'commander'
import { v7 } from 'uuid'
import { amount, id, label } from './arguments.ts'
import { audited } from './audit.ts'
import type { Context, Output } from './context.ts'
import { findCustomer } from './customers.ts'
import { balanceJson, balanceOf, balanceText, moneyState, rebuilt } from './money.ts'
import { ADJUST } from './money-sql.ts'
import type { AskingOptions, Shell } from './shell.ts'
import { roomAfter } from './standings.ts'
import { dollars, usd } from './table.ts'

interface Options extends AskingOptions {
  reason: string
  charge?: true
}

export function creditCommand(shell: Shell): Command {
  return shell
    .command('credit', 'Takes an amount off what a customer owes, for good; --charge adds one.', "credit 1 5 --reason 'sorry for Monday'")
    .addArgument(new Argument('<customer_id>', 'as in list-customers').argParser(id))
    .addArgument(new Argument('<usd>', 'the amount').argParser(amount))
    .addOption(new Option('--reason <text>', 'what it is for: the customer may see it').argParser(label).makeOptionMandatory())
    .option('--charge', 'more to pay instead of less')
    .option('--yes', 'charge without asking')
    .action((customerId: number, nano: number, options: Options) => {
      const adjust = (context: Context) => credit(context, customerId, options.charge ? nano : -nano, options.reason)
      if (!options.charge) return shell.run(options, adjust)
      return shell.runAfterYes(options, `Charge customer ${customerId} ${dollars(nano)} beside their requests?`, adjust)
    })
}

/** @param nano what the customer owes more; below zero: less. */
async function credit({ db, who }: Context, customerId: number, nano: number, reason: string): Promise<Output> {
  const customer = await findCustomer(db, customerId)
  const adjustment = `${nano < 0 ? 'credit' : 'charge'}:${v7()}`
  await audited(
    db,
    { who, command: 'credit', target: `customer ${customerId}`, before: null, after: moneyState('adjustments', customerId, adjustment) },
    [{ sql: ADJUST, params: [customerId, adjustment, nano, reason] }, ...rebuilt('customer', customerId)],
  )
  const [balance, room] = [await balanceOf(db, customerId), await roomAfter(db, customerId, BigInt(nano), 'today')]
  return {
    json: { customer_id: customerId, adjustment_id: adjustment, amount_usd: usd(nano), reason, ...balanceJson(balance), budget: room.json },
    text: `${nano < 0 ? 'Credited' : 'Charged'} ${dollars(Math.abs(nano))} to customer ${customerId}, ${customer.name}: ${reason}\n${balanceText(balance)}${room.text}`,
  }
}

// check-budget: what a customer and each of their keys with a budget have spent, what running requests hold, and which of the two limits binds.
import { Argument, type Command } from 'commander'
import { id } from './arguments.ts'
import { type Context, Failure, type Output } from './context.ts'
import { type Balance, balanceJson, balanceOf, balanceText } from './money.ts'
import type { CommonOptions, Shell } from './shell.ts'
import { budgetJson, type Standing, standingsOf } from './standings.ts'
import { dollars, minute, table } from './table.ts'

export function checkBudgetCommand(shell: Shell): Command {
  return shell
    .command('check-budget', "Shows what is left of a customer's budget, and of their keys' own.", 'check-budget 1')
    .addArgument(new Argument('<customer_id>', 'as in list-customers').argParser(id))
    .action((customerId: number, options: CommonOptions) => shell.run(options, (context) => checkBudget(context, customerId)))
}

async function checkBudget({ db }: Context, customerId: number): Promise<Output> {
  const [customer, ...keys] = await standingsOf(db, customerId)
  if (customer === undefined) throw new Failure(`customer_id: there is no customer ${customerId}; list-customers shows them.`)
  const balance = await prepaidBalance(db, customerId)
  const withBinding = keys.map((key) => ({ ...key, binds: bindingOf(key, customer, balance) }))
  const rows = [{ ...customer, binds: null }, ...withBinding]
  const text = table(rows, [
    {
      title: 'budget of',
      value: ({ row }) =>
        row.key_id === null ? `customer ${row.customer_id}, ${row.name}` : `key ${row.key_id}, ${row.prefix}… ${row.name}`.trim(),
    },
    { title: 'budget', value: ({ budget }) => dollars(budget), right: true },
    { title: 'period', value: ({ period }) => period },
    { title: 'spent', value: ({ spent }) => dollars(spent), right: true },
    { title: 'held', value: ({ held }) => dollars(held), right: true },
    { title: 'left', value: ({ left }) => dollars(left), right: true },
    { title: 'renews (UTC)', value: ({ renewsMs }) => (renewsMs === null ? 'never' : minute(renewsMs)) },
  ])
  return {
    json: {
      customer_id: customerId,
      name: customer.row.name,
      status: customer.row.status,
      ...budgetJson(customer),
      prepaid: balance === null ? null : balanceJson(balance),
      keys: withBinding.map((key) => ({
        key_id: key.row.key_id,
        prefix: key.row.prefix,
        name: key.row.name,
        ...budgetJson(key),
        binds: key.binds,
      })),
    },
    text: [
      text,
      ...(balance === null ? [] : [balanceText(balance)]),
      ...withBinding.map(bindingText),
      ...othersText(customer, keys.length, balance),
    ].join('\n'),
  }
}

/** null: the customer is postpaid. */
async function prepaidBalance(db: Context['db'], customerId: number): Promise<Balance | null> {
  const balance = await balanceOf(db, customerId)
  return balance.prepaid ? balance : null
}

type Binding = 'key' | 'customer' | 'balance'

/** The customer's own limits: their budget, and the balance where that has less room. */
function customerBinds(customer: Standing, balance: Balance | null): { binds: Exclude<Binding, 'key'>; left: bigint | null } {
  if (balance !== null && (customer.left === null || balance.left < customer.left)) return { binds: 'balance', left: balance.left }
  return { binds: 'customer', left: customer.left }
}

function bindingOf(key: Standing, customer: Standing, balance: Balance | null): Binding {
  const { binds, left } = customerBinds(customer, balance)
  return left === null || (key.left !== null && key.left < left) ? 'key' : binds
}

const WHOSE = { customer: "the customer's budget", balance: 'the balance' }

function bindingText({ row, left, binds }: Standing & { binds: Binding }): string {
  return binds === 'key'
    ? `Key ${row.key_id}: its own budget binds, ${dollars(left)} is left.`
    : `Key ${row.key_id}: ${WHOSE[binds]} binds.`
}

function othersText(customer: Standing, keys: number, balance: Balance | null): string[] {
  const others = keys === 0 ? 'All keys' : 'All other keys'
  const { binds, left } = customerBinds(customer, balance)
  const said = left === null ? 'no budget limits them' : `${WHOSE[binds]} binds, ${dollars(left)} is left`
  return [`${others}: ${said}.`, ...(customer.row.status === 'active' ? [] : ['The customer is suspended: every request is refused.'])]
}

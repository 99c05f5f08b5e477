// list-customers: everyone, with what they have spent in their period and how many keys work.
import type { Command } from 'commander'
import { periodOfDaySql } from '../../worker/ledger/periods.ts'
import { customers } from '../../worker/schema.ts'
import { NOW_MS } from './clock.ts'
import type { Context, Output } from './context.ts'
import { customerJson } from './customers.ts'
import { limitsText } from './limits.ts'
import { adminCommand } from './next-command.ts'
import type { CommonOptions, Shell } from './shell.ts'
import { dollars, plural, table, usd } from './table.ts'

export function listCustomersCommand(shell: Shell): Command {
  return shell
    .command('list-customers', 'Lists the customers, their budgets and what they have spent.', 'list-customers')
    .action((options: CommonOptions) => shell.run(options, listCustomers))
}

/** Money as text: a sum may be past what a JavaScript number holds. */
const STANDING = `
SELECT c.id, CAST(coalesce(s.spent_nano, 0) AS TEXT) AS spent,
  (SELECT count(*) FROM api_keys k WHERE k.customer_id = c.id AND k.revoked_ms IS NULL AND (k.expires_ms IS NULL OR k.expires_ms > ${NOW_MS})) AS keys
FROM customers c LEFT JOIN spend s ON s.owner = 'c' || c.id AND s.period = ${periodOfDaySql('c.budget_period', `(${NOW_MS} / 86400000)`)}`

async function listCustomers({ db, remote }: Context): Promise<Output> {
  const all = await db.orm.select().from(customers).orderBy(customers.id)
  const standing = new Map((await db.all(STANDING)).map((row) => [row.id as number, row]))
  const rows = all.map((customer) => {
    const { spent = '0', keys = 0 } = standing.get(customer.id) ?? {}
    return { customer, spent: spent as string, keys: keys as number }
  })
  const text = table(rows, [
    { title: 'id', value: ({ customer }) => String(customer.id), right: true },
    { title: 'name', value: ({ customer }) => customer.name },
    { title: 'email', value: ({ customer }) => customer.email },
    { title: 'status', value: ({ customer }) => customer.status },
    { title: 'pays', value: ({ customer }) => (customer.prepaid === 1 ? 'prepaid' : 'postpaid') },
    { title: 'budget', value: ({ customer }) => dollars(customer.budgetNano), right: true },
    { title: 'period', value: ({ customer }) => customer.budgetPeriod },
    { title: 'spent', value: ({ spent }) => dollars(spent), right: true },
    { title: 'keys', value: ({ keys }) => String(keys), right: true },
    { title: 'limits', value: ({ customer }) => limitsText(customer) },
  ])
  return {
    json: rows.map(({ customer, spent, keys }) => ({ ...customerJson(customer), spent_usd: usd(spent), keys })),
    text:
      rows.length === 0
        ? `No customers yet: ${adminCommand({ remote }, 'create-customer --help')}`
        : `${text}\n${plural(rows.length, 'customer')}`,
  }
}

// list-keys: which keys there are, what they may do and whether they work; never a key itself.
import { Argument, type Command } from 'commander'
import { periodOfDaySql } from '../../worker/ledger/periods.ts'
import { id } from './arguments.ts'
import { NOW_MS } from './clock.ts'
import type { Context, Output } from './context.ts'
import { findCustomer } from './customers.ts'
import { type Key, keyJson, selectKeys } from './keys.ts'
import { limitsText } from './limits.ts'
import { adminCommand } from './next-command.ts'
import type { CommonOptions, Shell } from './shell.ts'
import { dollars, minute, plural, table, usd } from './table.ts'

export function listKeysCommand(shell: Shell): Command {
  return shell
    .command('list-keys', 'Lists API keys: all, or those of a customer.', 'list-keys 1')
    .addArgument(new Argument('[customer_id]', 'as in list-customers').argParser(id))
    .action((customerId: number | undefined, options: CommonOptions) => shell.run(options, (context) => listKeys(context, customerId)))
}

/** A key with a budget has its own account; for others it is what the ledger says of the current month. */
const SPENT = `
WITH k AS (SELECT *, ${periodOfDaySql('budget_period', `(${NOW_MS} / 86400000)`)} AS period FROM api_keys)
SELECT k.id, CAST(coalesce((SELECT s.spent_nano FROM spend s WHERE s.owner = 'k' || k.id AND s.period = k.period),
  (SELECT coalesce(sum(d.cost_nano), 0) FROM usage_daily d WHERE d.customer_id = k.customer_id AND d.key_id = k.id AND d.day >= k.period)
  + (SELECT coalesce(sum(a.amount_nano), 0) FROM adjustments a WHERE a.customer_id = k.customer_id AND a.key_id = k.id AND a.day >= k.period)) AS TEXT) AS spent
FROM k WHERE ?1 IS NULL OR k.customer_id = CAST(?1 AS INTEGER)`

interface Row {
  key: Key
  spent: string
}

async function listKeys({ db, remote }: Context, customerId: number | undefined): Promise<Output> {
  if (customerId !== undefined) await findCustomer(db, customerId)
  const keys = await selectKeys(db, customerId)
  const spent = new Map((await db.all(SPENT, [customerId ?? null])).map((row) => [row.id, String(row.spent)]))
  const rows: Row[] = keys.map((key) => ({ key, spent: spent.get(key.id) ?? '0' }))
  const text = table(rows, [
    { title: 'id', value: ({ key }) => String(key.id), right: true },
    { title: 'key', value: ({ key }) => `${key.prefix}…` },
    { title: 'name', value: ({ key }) => key.name || '-' },
    { title: 'customer', value: ({ key }) => `${key.customerName} (${key.customerId})` },
    { title: 'status', value: ({ key }) => key.status },
    ...(keys.some((key) => key.account === 1) ? [{ title: 'sees', value: ({ key }: Row) => (key.account === 1 ? 'account' : 'own') }] : []),
    { title: 'models', value: ({ key }) => key.modelNames?.join(',') ?? 'all' },
    { title: 'budget', value: ({ key }) => (key.budgetNano === null ? '-' : dollars(key.budgetNano)), right: true },
    { title: 'period', value: ({ key }) => key.budgetPeriod },
    { title: 'spent', value: (row) => dollars(row.spent), right: true },
    { title: 'limits', value: ({ key }) => limitsText(key) },
    { title: 'expires (UTC)', value: ({ key }) => minute(key.expiresMs) },
  ])
  return {
    json: rows.map((row) => ({ ...keyJson(row.key), spent_usd: usd(row.spent) })),
    text: rows.length === 0 ? `No keys yet: ${adminCommand({ remote }, 'generate-key --help')}` : `${text}\n${plural(rows.length, 'key')}`,
  }
}

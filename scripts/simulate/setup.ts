// Writes customers, keys and prices as the commands of the operator do: at once, in a transaction.
import { rebuildSpendSql } from '../../worker/ledger/periods.ts'
import type { Limits, MinuteLimits, Paying, PriceRow } from './steps.ts'
import type { Statement, Store } from './store.ts'

export interface SimulatedKey {
  id: number
  customerId: number
  hash: string
}

export async function insertPrice(store: Store, price: PriceRow, nowMs: number): Promise<void> {
  const row: PriceRow = { ...price, valid_from_ms: price.valid_from_ms === 0 ? 0 : nowMs + Number(price.valid_from_ms), created_ms: nowMs }
  const columns = Object.keys(row)
  await store.batch([{ sql: `INSERT INTO prices (${columns.join(', ')}) VALUES (${columns.map(() => '?')})`, params: Object.values(row) }])
}

export async function insertCustomer(
  store: Store,
  { budgetNano, period, rpm, tpm, concurrency, prepaid }: Limits & MinuteLimits & Paying,
): Promise<number> {
  const [result] = await store.batch([
    {
      sql: `INSERT INTO customers (name, email, budget_nano, budget_period, rpm, tpm, concurrency, prepaid, created_ms)
        SELECT 'ACME', 'c' || count(*) || '@example.com', ?, ?, ?, ?, ?, ?, 0 FROM customers RETURNING id`,
      params: [budgetNano, period, rpm, tpm, concurrency, prepaid ? 1 : 0],
    },
  ])
  return Number(result?.results[0]?.id)
}

export async function insertKey(store: Store, customerId: number, { budgetNano, period }: Limits): Promise<SimulatedKey> {
  const [result] = await store.batch([
    {
      sql: `INSERT INTO api_keys (hash, customer_id, prefix, budget_nano, budget_period, created_ms)
        SELECT printf('%064d', count(*)), CAST(? AS INTEGER), 'sk', ?, ?, 0 FROM api_keys RETURNING id, hash`,
      params: [customerId, budgetNano, period],
    },
  ])
  const row = result?.results[0]
  return { id: Number(row?.id), customerId, hash: String(row?.hash) }
}

/** As update-customer does. */
export async function setBudget(store: Store, owner: 'customer' | 'key', id: number, { budgetNano, period }: Limits): Promise<void> {
  const table = owner === 'customer' ? 'customers' : 'api_keys'
  const change: Statement = { sql: `UPDATE ${table} SET budget_nano = ?, budget_period = ? WHERE id = ?`, params: [budgetNano, period, id] }
  await store.batch([change, ...rebuildSpendSql(owner).map((sql) => ({ sql, params: [id] }))])
}

/** The same: their balance begins with all that they ever paid and used, or is gone. */
export async function setPrepaid(store: Store, id: number, prepaid: boolean): Promise<void> {
  const change: Statement = { sql: 'UPDATE customers SET prepaid = ? WHERE id = ?', params: [prepaid ? 1 : 0, id] }
  await store.batch([change, ...rebuildSpendSql('customer').map((sql) => ({ sql, params: [id] }))])
}

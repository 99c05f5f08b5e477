// Writes customers, keys and prices as the commands of the operator do: at once, in a transaction.
import { DAY_MS, periodStartDay, rebuildSpendSql } from '../../worker/ledger/periods.ts'
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

/** How long a month has to be over: the database's clock steps back by no more. */
const CLOCK_STEPS_MS = 10_000
/** ?1 customer, ?2 and ?3 the month's first day and the next one's. Cents are rounded down, what is left over is carried. */
const INVOICE = `INSERT INTO invoices (year, seq, kind, customer_id, month, usage_nano, adjustments_nano, carried_nano, net_cents, remainder_nano, tax_bp, tax_cents, total_cents, document, created_ms)
SELECT 2026, seq, 'invoice', customer_id, month, used, adjusted, carried, (total - rest) / 10000000, rest, 0, 0, (total - rest) / 10000000, '{}', 0 FROM (
  SELECT *, used + adjusted + carried AS total, ((used + adjusted + carried) % 10000000 + 10000000) % 10000000 AS rest FROM (
    SELECT CAST(?1 AS INTEGER) AS customer_id, CAST(?2 AS INTEGER) AS month, (SELECT count(*) + 1 FROM invoices) AS seq,
      (SELECT coalesce(sum(cost_nano), 0) FROM usage_daily WHERE customer_id = ?1 AND day >= ?2 AND day < ?3) AS used,
      (SELECT coalesce(sum(amount_nano), 0) FROM adjustments WHERE customer_id = ?1 AND day >= ?2 AND day < ?3) AS adjusted,
      coalesce((SELECT remainder_nano FROM invoices WHERE customer_id = ?1 ORDER BY id DESC LIMIT 1), 0) AS carried
    WHERE NOT EXISTS (SELECT 1 FROM holds WHERE customer_id = ?1 AND created_ms >= ?2 * 86400000 AND created_ms < ?3 * 86400000)))
WHERE true ON CONFLICT DO NOTHING`

/** As close-month does, as far as the ledger asks. */
export async function invoiceLastMonth(store: Store, customerId: number, nowMs: number): Promise<void> {
  const next = periodStartDay('month', nowMs - CLOCK_STEPS_MS)
  await store.batch([{ sql: INVOICE, params: [customerId, periodStartDay('month', next * DAY_MS - 1), next] }])
}

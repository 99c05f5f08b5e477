// Test support: what the ledger of a running gateway says.
import { expect } from 'vitest'
import { proveLedger } from '../worker/ledger/proofs.ts'

export interface UsageRow {
  id: string
  outcome: 'completed' | 'abandoned' | 'failed' | 'expired'
  dialect: string
  model: string
  upstream: string
  cost_nano: number
  hold_nano: number
  over_nano: number
  input_tokens: number
  cached_tokens: number
  cache_write_tokens: number
  cache_write_long_tokens: number
  output_tokens: number
  reasoning_tokens: number
  estimated: number
  first_ms: number | null
  output_limit: number
}

/** The usage rows of a customer, oldest first. */
export async function usageOf(db: D1Database, customerId: number): Promise<UsageRow[]> {
  const { results } = await db.prepare('SELECT * FROM usage WHERE customer_id = ? ORDER BY id').bind(customerId).all<UsageRow>()
  return results
}

/** The usage row of one request, once it is there: settlement comes after the answer. */
export async function usageRow(db: D1Database, id: string | null): Promise<UsageRow> {
  const find = () => db.prepare('SELECT * FROM usage WHERE id = ?').bind(id).first<UsageRow>()
  await expect.poll(find, { timeout: 90_000, interval: 20 }).not.toBeNull()
  return (await find()) as UsageRow
}

/** Waits until no request is in flight: settlement comes after the answer. */
export async function settled(db: D1Database): Promise<void> {
  await expect.poll(() => db.prepare('SELECT count(*) AS n FROM holds').first<number>('n'), { timeout: 90_000, interval: 20 }).toBe(0)
}

/** Nothing in flight, and every sum agrees. */
export async function expectProved(db: D1Database): Promise<void> {
  await settled(db)
  const proven = await proveLedger(async (sql) => (await db.prepare(sql).all()).results)
  expect(proven.filter(({ disagreeing }) => disagreeing.length > 0)).toEqual([])
}

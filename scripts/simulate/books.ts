// Reads the rows themselves, never the ledger's sums: what an owner was charged and holds in a period, and what room is left.
import { DAY_MS, periodRenewsMs, periodStartDay } from '../../worker/ledger/periods.ts'
import type { BudgetPeriod } from '../../worker/schema.ts'
import type { Store } from './store.ts'

export interface Owner {
  kind: 'customer' | 'key'
  id: number
  customerId: number
  budgetNano: number | null
  period: BudgetPeriod
}

/** The customer and the key, in that order. */
export async function ownersOf(store: Store, customerId: number, keyId: number): Promise<Owner[]> {
  const rows = await store.all(
    `SELECT 'customer' AS kind, id, id AS customer_id, budget_nano, budget_period FROM customers WHERE id = ?1
     UNION ALL SELECT 'key', id, customer_id, budget_nano, budget_period FROM api_keys WHERE id = ?2`,
    [customerId, keyId],
  )
  return rows.map((row) => ({
    kind: row.kind as Owner['kind'],
    id: Number(row.id),
    customerId: Number(row.customer_id),
    budgetNano: row.budget_nano as number | null,
    period: row.budget_period as BudgetPeriod,
  }))
}

export const isLimited = (owners: readonly Owner[]): boolean => owners.some(({ budgetNano }) => budgetNano !== null)

/**
 * What is left of an owner's budget in the period that holds `atMs`; below zero where it is passed, null where there is no budget.
 * `laterHolds`: holds of later periods weigh on it, too, as they do at an admission after the clock has stepped back.
 */
export async function roomOf(store: Store, owner: Owner, atMs: number, laterHolds: boolean): Promise<number | null> {
  if (owner.budgetNano === null) return null
  const startMs = periodStartDay(owner.period, atMs) * DAY_MS
  const endMs = periodRenewsMs(owner.period, atMs) ?? Number.MAX_SAFE_INTEGER
  const [row] = await store.all(
    `WITH span AS (SELECT CAST(?1 AS INTEGER) AS customer_id, CAST(?2 AS INTEGER) AS key_id, CAST(?3 AS INTEGER) AS start_ms, CAST(?4 AS INTEGER) AS end_ms)
     SELECT (SELECT coalesce(sum(cost_nano), 0) FROM usage u WHERE u.customer_id = s.customer_id AND (s.key_id IS NULL OR u.key_id = s.key_id)
         AND created_ms >= start_ms AND created_ms < end_ms) AS used,
       (SELECT coalesce(sum(amount_nano), 0) FROM adjustments a WHERE a.customer_id = s.customer_id AND (s.key_id IS NULL OR a.key_id = s.key_id)
         AND day * 86400000 >= start_ms AND day * 86400000 < end_ms) AS adjusted,
       (SELECT coalesce(sum(hold_nano), 0) FROM holds h WHERE h.customer_id = s.customer_id AND (s.key_id IS NULL OR h.key_id = s.key_id)
         AND created_ms >= start_ms AND (created_ms < end_ms OR ?5)) AS held
     FROM span s`,
    [owner.customerId, owner.kind === 'key' ? owner.id : null, startMs, endMs, laterHolds ? 1 : 0],
  )
  return owner.budgetNano - Number(row?.used) - Number(row?.adjusted) - Number(row?.held)
}

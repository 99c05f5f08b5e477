// Reads the rows themselves, never the ledger's sums: what an owner was charged and holds in a period, and what room is left.
import { DAY_MS, periodRenewsMs, periodStartDay } from '../../worker/ledger/periods.ts'
import type { BudgetPeriod } from '../../worker/schema.ts'
import type { Store } from './store.ts'

export interface Owner {
  /** `balance`: what a prepaid customer paid in, which is a budget that never renews. */
  kind: 'customer' | 'key' | 'balance'
  id: number
  customerId: number
  budgetNano: number | null
  period: BudgetPeriod
}

/** The customer, the key and, of a prepaid customer, the balance. */
export async function ownersOf(store: Store, customerId: number, keyId: number): Promise<Owner[]> {
  const rows = await store.all(
    `SELECT 'customer' AS kind, id, id AS customer_id, budget_nano, budget_period FROM customers WHERE id = ?1
     UNION ALL SELECT 'key', id, customer_id, budget_nano, budget_period FROM api_keys WHERE id = ?2
     UNION ALL SELECT 'balance', id, id, (SELECT coalesce(sum(amount_nano), 0) FROM payments p WHERE p.customer_id = c.id), 'total' FROM customers c WHERE id = ?1 AND prepaid`,
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

/** A customer's money by the rows themselves, and `spend`'s row of it. */
export interface Money {
  customerId: number
  prepaid: boolean
  payments: number
  paidNano: number
  /** What Stripe told of, of that. */
  stripeNano: number
  adjustments: number
  adjustedNano: number
  usedNano: number
  heldNano: number
  /** Null: there is no such row. */
  summedNano: number | null
}

export async function moneyOf(store: Store): Promise<Money[]> {
  const rows = await store.all(
    `SELECT c.id AS customerId, c.prepaid, p.*, a.*, u.*, h.*, (SELECT spent_nano FROM spend WHERE owner = 'p' || c.id) AS summedNano
     FROM customers c
     JOIN (SELECT x.id AS pid, count(y.id) AS payments, coalesce(sum(amount_nano), 0) AS paidNano, coalesce(sum(iif(source = 'stripe', amount_nano, 0)), 0) AS stripeNano
       FROM customers x LEFT JOIN payments y ON y.customer_id = x.id GROUP BY x.id) p ON p.pid = c.id
     JOIN (SELECT x.id AS aid, count(y.id) AS adjustments, coalesce(sum(amount_nano), 0) AS adjustedNano
       FROM customers x LEFT JOIN adjustments y ON y.customer_id = x.id GROUP BY x.id) a ON a.aid = c.id
     JOIN (SELECT x.id AS uid, coalesce(sum(cost_nano), 0) AS usedNano FROM customers x LEFT JOIN usage y ON y.customer_id = x.id GROUP BY x.id) u ON u.uid = c.id
     JOIN (SELECT x.id AS hid, coalesce(sum(hold_nano), 0) AS heldNano FROM customers x LEFT JOIN holds y ON y.customer_id = x.id GROUP BY x.id) h ON h.hid = c.id
     ORDER BY c.id`,
  )
  return rows.map((row) => ({ ...(row as unknown as Money), prepaid: row.prepaid === 1 }))
}

/** What a prepaid customer may still spend. */
export const leftOf = ({ paidNano, adjustedNano, usedNano, heldNano }: Money): number => paidNano - adjustedNano - usedNano - heldNano

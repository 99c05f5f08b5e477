// Each night: alerts that nobody looks for any more go, a bounded number at a time.
import { DAY_MS } from '../ledger/periods.ts'
import { balancePrefixSql } from './refused.ts'

const KEPT_DAYS = 90
const PER_STATEMENT = 500
/** What is left after so many is the next night's. */
const STATEMENTS_MAX = 10

/**
 * What was delivered or given up before `?1`. That an alert stands is what keeps it from being told again: one of a budget that never renews
 * (its period is 0), or of the last payment in of a customer, stays for as long as its target does; no other can be reached again after so long.
 */
export const PRUNE = `DELETE FROM alerts WHERE (target_id, id) IN (
  SELECT a.target_id, a.id FROM alerts a JOIN alert_targets t ON t.id = a.target_id
  WHERE a.created_ms < CAST(?1 AS INTEGER) AND (a.delivered_ms IS NOT NULL OR a.gave_up_ms IS NOT NULL)
    AND (t.removed_ms IS NOT NULL OR (a.id NOT GLOB 'budget:*:0:*'
      AND NOT (a.kind = 'balance' AND a.id GLOB ${balancePrefixSql("(a.payload ->> '$.data.customer_id')")} || '*')))
  ORDER BY a.created_ms LIMIT ${PER_STATEMENT})`

/** Returns how many went. Throws what D1 throws. */
export async function pruneAlerts(db: D1Database, nowMs: number): Promise<number> {
  let gone = 0
  for (let round = 0; round < STATEMENTS_MAX; round++) {
    const { meta } = await db
      .prepare(PRUNE)
      .bind(nowMs - KEPT_DAYS * DAY_MS)
      .run()
    gone += meta.changes
    if (meta.changes < PER_STATEMENT) break
  }
  return gone
}

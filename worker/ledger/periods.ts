// Budget periods: named by their first day (days since 1970-01-01, UTC), weeks from Monday; 0 is the whole life of the account.
import type { BudgetPeriod } from '../schema.ts'

export const DAY_MS = 86_400_000

/** SQL that names the period of `kind` (an expression giving total|day|week|month) which holds the day `day` (an expression, whole days). */
export function periodOfDaySql(kind: string, day: string): string {
  return `CASE ${kind} WHEN 'day' THEN ${day} WHEN 'week' THEN ${day} - (${day} + 3) % 7 WHEN 'month' THEN unixepoch((${day}) * 86400, 'unixepoch', 'start of month') / 86400 ELSE 0 END`
}

/** First day of the period of `kind` that holds `nowMs`; the same as `periodOfDaySql`, for reports. */
export function periodStartDay(kind: BudgetPeriod, nowMs: number): number {
  const day = Math.floor(nowMs / DAY_MS)
  switch (kind) {
    case 'total':
      return 0
    case 'day':
      return day
    case 'week':
      return day - ((day + 3) % 7)
    case 'month': {
      const now = new Date(nowMs)
      return Date.UTC(now.getUTCFullYear(), now.getUTCMonth(), 1) / DAY_MS
    }
  }
}

/** When the period that holds `nowMs` ends, in milliseconds since 1970; null for `total`, which never renews. */
export function periodRenewsMs(kind: BudgetPeriod, nowMs: number): number | null {
  const start = periodStartDay(kind, nowMs) * DAY_MS
  switch (kind) {
    case 'total':
      return null
    case 'day':
      return start + DAY_MS
    case 'week':
      return start + 7 * DAY_MS
    case 'month': {
      const first = new Date(start)
      return Date.UTC(first.getUTCFullYear(), first.getUTCMonth() + 1, 1)
    }
  }
}

/**
 * The statements that write an owner's `spend` anew from the daily sums and adjustments, for a change of budget or period.
 * They belong into the batch of that change, after it. `?1` is the id of the customer or key.
 */
export function rebuildSpendSql(owner: 'customer' | 'key'): [string, string] {
  const customer = owner === 'customer'
  const name = customer ? "'c' || o.id" : "'k' || o.id"
  const mine = (table: string) =>
    customer ? `${table}.customer_id = o.id` : `${table}.customer_id = o.customer_id AND ${table}.key_id = o.id`
  const table = customer ? 'customers' : 'api_keys'
  return [
    `DELETE FROM spend WHERE owner = '${customer ? 'c' : 'k'}' || CAST(?1 AS INTEGER)`,
    `INSERT INTO spend (owner, period, spent_nano)
     SELECT owner, period, sum(amount) FROM (
       SELECT ${name} AS owner, ${periodOfDaySql('o.budget_period', 'd.day')} AS period, d.cost_nano AS amount FROM ${table} o JOIN usage_daily d ON ${mine('d')} WHERE o.id = CAST(?1 AS INTEGER)
       UNION ALL
       SELECT ${name}, ${periodOfDaySql('o.budget_period', 'a.day')}, a.amount_nano FROM ${table} o JOIN adjustments a ON ${mine('a')} WHERE o.id = CAST(?1 AS INTEGER)
     ) ${customer ? '' : `WHERE EXISTS (SELECT 1 FROM api_keys WHERE id = CAST(?1 AS INTEGER) AND budget_nano IS NOT NULL) `}GROUP BY owner, period`,
  ]
}

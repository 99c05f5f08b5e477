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
 * SQL that names the day money counts for that belongs to `day` (expressions): that day, or today where the month of that day has been invoiced
 * to the customer, since an invoice stays true.
 */
export function openDaySql(customer: string, day: string): string {
  return `iif(EXISTS (SELECT 1 FROM invoices i WHERE i.customer_id = ${customer} AND i.kind = 'invoice' AND i.month = ${periodOfDaySql("'month'", day)}), unixepoch() / 86400, ${day})`
}

/**
 * The statements that write an owner's `spend` anew from the daily sums, adjustments and payments, for a change of those, of budget or of period.
 * They belong into the batch of that change, after it. `?1` is the id of the customer or key. A customer's balance is rewritten with it, if they
 * are prepaid; 'balance' is that alone, for payments, which change no budget.
 */
export function rebuildSpendSql(owner: 'customer' | 'key' | 'balance'): string[] {
  if (owner === 'balance') return [`DELETE FROM spend WHERE owner = 'p' || CAST(?1 AS INTEGER)`, BALANCE]
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
    ...(customer ? rebuildSpendSql('balance') : []),
  ]
}

/** What each prepaid customer has used less what they paid, by parts. */
export const BALANCE_PARTS = `
SELECT c.id AS customer_id, d.cost_nano AS amount FROM customers c JOIN usage_daily d ON d.customer_id = c.id WHERE c.prepaid
UNION ALL SELECT c.id, a.amount_nano FROM customers c JOIN adjustments a ON a.customer_id = c.id WHERE c.prepaid
UNION ALL SELECT c.id, -p.amount_nano FROM customers c JOIN payments p ON p.customer_id = c.id WHERE c.prepaid`

const BALANCE = `INSERT INTO spend (owner, period, spent_nano)
SELECT 'p' || customer_id, 0, sum(amount) FROM (${BALANCE_PARTS}) WHERE customer_id = CAST(?1 AS INTEGER) GROUP BY customer_id`

// Balances of prepaid customers that come to their end: told of each payment in once when a fifth of it is left, and once when nothing is.
import { formatUsd } from '../money.ts'
import { type Alert, minuteText, payloadOf, wantsSql } from './alert.ts'
import { balancePrefixSql, lastPaymentSql, PARTS } from './refused.ts'

/** Percent of the last payment that is used when it is told, and the one that says that nothing is left. */
const LOW = 80
const USED_UP = 100

/** The sum is the one that admission reads. A customer who never paid has no payment to be told of. What running requests hold may come back. */
export const REACHED = `
WITH paid AS (
  SELECT c.id AS customer_id, c.name AS customer_name, ${balancePrefixSql('c.id')} AS prefix,
    ${lastPaymentSql('amount_nano', 'c.id')} AS paid_nano, ${lastPaymentSql('created_ms', 'c.id')} AS paid_ms,
    -coalesce((SELECT spent_nano FROM spend WHERE owner = 'p' || c.id AND period = 0), 0) AS left_nano
  FROM customers c WHERE c.prepaid = 1
), known AS (
  SELECT *, left_nano <= 0 OR (left_nano * ${PARTS} < paid_nano AND EXISTS (SELECT 1 FROM alert_state WHERE subject = prefix)) AS is_used_up
  FROM paid WHERE left_nano * 100 <= paid_nano * ${100 - LOW}
), reached AS (
  SELECT t.id AS target_id, t.customer_id IS NULL AS is_operators, k.*, iif(is_used_up, ${USED_UP}, ${LOW}) AS threshold
  FROM alert_targets t JOIN known k ON t.customer_id IS NULL OR t.customer_id = k.customer_id
  WHERE t.removed_ms IS NULL AND ${wantsSql("'balance'")}
)
SELECT * FROM reached r
WHERE NOT EXISTS (SELECT 1 FROM alerts a WHERE a.target_id = r.target_id AND a.id IN (r.prefix || r.threshold, r.prefix || ${USED_UP}))
LIMIT 200`

interface Reached {
  target_id: number
  is_operators: number
  prefix: string
  customer_id: number
  customer_name: string
  paid_nano: number
  paid_ms: number
  /** Below zero after a charge, or where money was paid back. */
  left_nano: number
  threshold: number
  /** 1: there is nothing left, or a request was refused, since what is left did not cover it. */
  is_used_up: number
}

/** One statement. Throws what D1 throws. */
export async function balanceAlerts(db: D1Database, nowMs: number): Promise<Alert[]> {
  const { results } = await db.prepare(REACHED).all<Reached>()
  return results.map((row) => balanceAlert(row, nowMs))
}

function balanceAlert(row: Reached, nowMs: number): Alert {
  const { target_id, prefix, threshold, customer_id, customer_name, paid_nano, paid_ms, left_nano } = row
  const isUsedUp = row.is_used_up === 1
  const whose = row.is_operators ? `The balance of ${customer_name} (customer ${customer_id})` : 'Your balance'
  const left = left_nano < 0 ? `$${formatUsd(-left_nano)} is owed` : `$${formatUsd(left_nano)} is left`
  return {
    id: `${prefix}${threshold}`,
    targetId: target_id,
    atMs: nowMs,
    payload: payloadOf('balance', nowMs, {
      severity: isUsedUp ? 'critical' : 'warning',
      title: `${whose} is ${isUsedUp ? 'used up' : 'low'}`,
      message: `${left}${isUsedUp ? ', and requests are refused' : ''}. The last payment was $${formatUsd(paid_nano)}, at ${minuteText(paid_ms)}.`,
      data: {
        customer_id,
        customer_name,
        threshold,
        used_up: isUsedUp,
        remaining_usd: formatUsd(left_nano),
        last_payment_usd: formatUsd(paid_nano),
        last_payment_at: new Date(paid_ms).toISOString(),
      },
    }),
  }
}

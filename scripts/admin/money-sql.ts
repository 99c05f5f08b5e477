// The statements that move money by hand, for the commands that run them and for the simulation that tries them.
import { openDaySql } from '../../worker/ledger/periods.ts'
import { NOW_MS } from './clock.ts'

/** Customer, id, amount (below zero: paid back), reference. That an id stands once is what makes it one payment. */
export const PAY = `INSERT INTO payments (customer_id, id, amount_nano, source, reference, created_ms)
VALUES (CAST(? AS INTEGER), ?, CAST(? AS INTEGER), 'manual', ?, ${NOW_MS})`

/** Customer, id, amount (below zero: less to pay), reason. Counts for today. */
export const ADJUST = `INSERT INTO adjustments (customer_id, id, amount_nano, reason, day, created_ms)
VALUES (CAST(? AS INTEGER), ?, CAST(? AS INTEGER), ?, ${NOW_MS} / 86400000, ${NOW_MS})`

/** Ids are clustered by customer: one seek for each, rather than a look at every request there ever was. `?1` is the request. */
export const seek = (table: 'usage' | 'holds', columns: string) =>
  `SELECT ${columns} FROM customers c CROSS JOIN ${table} r ON r.customer_id = c.id AND r.id = ?1`
export const adjusted = (id: string) =>
  `(SELECT amount_nano FROM adjustments a WHERE a.customer_id = r.customer_id AND a.id = '${id}:' || r.id)`
/** What a request was charged, its late part with it. */
export const CHARGED = `r.cost_nano + coalesce(${adjusted('late')}, 0)`

/** ?1 request, ?2 amount or NULL for all, ?3 reason. That an id stands once is what makes it one refund. */
export const REFUND = `INSERT INTO adjustments (customer_id, id, key_id, usage_id, amount_nano, reason, day, created_ms)
SELECT customer_id, 'refund:' || id, key_id, id, -nano, ?3, day, ${NOW_MS} FROM (
  ${seek('usage', `r.customer_id, r.id, r.key_id, ${openDaySql('r.customer_id', '(r.created_ms / 86400000)')} AS day, ${CHARGED} AS charged, coalesce(CAST(?2 AS INTEGER), ${CHARGED}) AS nano`)}
) WHERE nano BETWEEN 1 AND charged RETURNING CAST(amount_nano AS TEXT) AS amount, day`

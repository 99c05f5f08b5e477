// The statements that move money by hand, for the commands that run them and for the simulation that tries them.
import { creditedSql, fromInvoiceOfSql, lateSinceSql, refundedSinceSql, returnableSql } from '../../worker/ledger/given-back.ts'
import { bookedSql } from '../../worker/ledger/payments.ts'
import { openDaySql } from '../../worker/ledger/periods.ts'
import { numberSql } from '../invoices/document.ts'
import { NOW_MS } from './clock.ts'

/**
 * ?1 customer, ?2 id, ?3 amount (below zero: paid back), ?4 reference. Where that reference was booked before, by hand or by Stripe, a column
 * that may not be NULL gets a NULL.
 */
export const PAY = `INSERT INTO payments (customer_id, id, amount_nano, source, reference, created_ms)
SELECT CAST(?1 AS INTEGER), ?2, iif(EXISTS (${bookedSql('1', 'CAST(?1 AS INTEGER)', '?4', 'CAST(?3 AS INTEGER)')}), NULL, CAST(?3 AS INTEGER)), 'manual', ?4, ${NOW_MS}`

/** What D1 says then. */
export const BOOKED_BEFORE = 'NOT NULL constraint failed: payments.amount_nano'

/** ?1 customer, ?2 reference, ?3 an amount of that direction: how it was booked. */
export const BOOKED = bookedSql(
  'CAST(p.amount_nano AS TEXT) AS amount, p.source, p.created_ms',
  'CAST(?1 AS INTEGER)',
  '?2',
  'CAST(?3 AS INTEGER)',
)

/** Customer, id, amount (below zero: less to pay), reason. Counts for today. */
export const ADJUST = `INSERT INTO adjustments (customer_id, id, amount_nano, reason, day, created_ms)
VALUES (CAST(? AS INTEGER), ?, CAST(? AS INTEGER), ?, ${NOW_MS} / 86400000, ${NOW_MS})`

/** Ids are clustered by customer: one seek for each, rather than a look at every request there ever was. `?1` is the request. */
export const seek = (table: 'usage' | 'holds', columns: string) =>
  `SELECT ${columns} FROM customers c CROSS JOIN ${table} r ON r.customer_id = c.id AND r.id = ?1`
const adjusted = (id: string) => `(SELECT amount_nano FROM adjustments a WHERE a.customer_id = r.customer_id AND a.id = '${id}:' || r.id)`
/** What a request was charged, its late part with it. */
const CHARGED = `r.cost_nano + coalesce(${adjusted('late')}, 0)`

/** Of a request `r`: what is left to give back of the invoice that it is on; NULL: it is on none. */
const LEFT_OF_INVOICE = `(SELECT ${returnableSql('i')} - ${creditedSql('i')} - ${refundedSinceSql('i')} ${fromInvoiceOfSql('r.customer_id', 'r.created_ms')})`

/** ?1 request: what it was charged, what was refunded, and how much of its invoice was given back. */
export const ENDED = seek(
  'usage',
  `r.customer_id, r.key_id, CAST(${CHARGED} AS TEXT) AS charged, CAST(${adjusted('refund')} AS TEXT) AS refunded, CAST(${lateSinceSql('r')} AS TEXT) AS late,
  (SELECT json_array(${numberSql('i.year', 'i.seq')}, CAST(i.net_cents AS TEXT), CAST(${creditedSql('i')} AS TEXT), CAST(${refundedSinceSql('i')} AS TEXT), CAST(${LEFT_OF_INVOICE} AS TEXT))
    ${fromInvoiceOfSql('r.customer_id', 'r.created_ms')}) AS invoice`,
)

/**
 * ?1 request, ?2 amount or NULL for all, ?3 reason. That an id stands once is what makes it one refund; where its invoice has not as much left,
 * a column that may not be NULL gets a NULL.
 */
export const REFUND = `INSERT INTO adjustments (customer_id, id, key_id, usage_id, amount_nano, reason, day, created_ms)
SELECT customer_id, 'refund:' || id, key_id, id, iif(max(0, nano - late) > max(0, left_nano), NULL, -nano), ?3, day, ${NOW_MS} FROM (
  ${seek('usage', `r.customer_id, r.id, r.key_id, ${openDaySql('r.customer_id', '(r.created_ms / 86400000)')} AS day, ${CHARGED} AS charged, coalesce(CAST(?2 AS INTEGER), ${CHARGED}) AS nano, ${lateSinceSql('r')} AS late, ${LEFT_OF_INVOICE} AS left_nano`)}
) WHERE nano BETWEEN 1 AND charged RETURNING CAST(amount_nano AS TEXT) AS amount, day`

/** What D1 says then. */
export const INVOICE_HAS_LESS = 'NOT NULL constraint failed: adjustments.amount_nano'

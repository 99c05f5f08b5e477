// What was given back of an invoice since it was written, and what is left of it to give back: one text for credit notes, refunds and their proof.
import { ID_MARGIN_MS } from '../request-id.ts'
import { DAY_MS, periodOfDaySql } from './periods.ts'

const CENT_NANO = 10_000_000

const nextMonthSql = (month: string) => `unixepoch(${month} * 86400, 'unixepoch', '+1 month') / 86400`

/** What the ids of a millisecond begin with: `idAt` in SQL. */
function idAtSql(ms: string): string {
  const hex = `printf('%012x', max(0, ${ms}))`
  return `substr(${hex}, 1, 8) || '-' || substr(${hex}, 9)`
}

/**
 * SQL of nano-dollars: what was refunded of requests of the month of invoice `i` (an alias) since it was written, which counts on a day after
 * that month. What was charged late of a request, after that month, too, is on another invoice, and so is the refund of that. A range of the
 * adjustments' key; a request whose row was archived is of the month that its id says.
 */
export function refundedSinceSql(i: string): string {
  const next = nextMonthSql(`${i}.month`)
  const [fromMs, toMs] = [`${i}.month * ${DAY_MS}`, `${next} * ${DAY_MS}`]
  const refundAt = (ms: string) => `'refund:' || ${idAtSql(ms)}`
  return `(SELECT coalesce(sum(max(0, -f.amount_nano - coalesce(l.amount_nano, 0))), 0) FROM adjustments f
    LEFT JOIN usage u ON u.customer_id = f.customer_id AND u.id = f.usage_id
    LEFT JOIN adjustments l ON l.customer_id = f.customer_id AND l.id = 'late:' || f.usage_id AND l.day >= ${next}
    WHERE f.customer_id = ${i}.customer_id AND f.id > ${refundAt(`${fromMs} - ${ID_MARGIN_MS}`)} AND f.id < ${refundAt(`${toMs} + ${ID_MARGIN_MS}`)} AND f.day >= ${next}
      AND iif(u.id IS NULL, f.id > ${refundAt(fromMs)} AND f.id < ${refundAt(toMs)}, u.created_ms >= ${fromMs} AND u.created_ms < ${toMs}))`
}

/** SQL of nano-dollars: what credit notes took back of invoice `i`. */
export function creditedSql(i: string): string {
  return `(SELECT coalesce(-sum(n.net_cents), 0) * ${CENT_NANO} FROM invoices n WHERE n.corrects = ${i}.id)`
}

/**
 * SQL of nano-dollars, at least zero: how much may be given back of invoice `i` in all. That is its net; where a part of a cent of its month was
 * carried over, that part, too, or the last request of a month could not be refunded whole.
 */
export function returnableSql(i: string): string {
  return `max(0, ${i}.net_cents * ${CENT_NANO}, ${i}.usage_nano + ${i}.adjustments_nano)`
}

/** SQL, without a column list: the invoice `i` of the month in which a request of `customer` was admitted at `createdMs` (expressions). */
export function fromInvoiceOfSql(customer: string, createdMs: string): string {
  return `FROM invoices i WHERE i.customer_id = ${customer} AND i.kind = 'invoice' AND i.month = ${periodOfDaySql("'month'", `(${createdMs} / ${DAY_MS})`)}`
}

/** SQL of nano-dollars: what a request (`r`, an alias) was charged late, after the month that it is of. */
export function lateSinceSql(r: string): string {
  const next = nextMonthSql(periodOfDaySql("'month'", `(${r}.created_ms / ${DAY_MS})`))
  return `coalesce((SELECT l.amount_nano FROM adjustments l WHERE l.customer_id = ${r}.customer_id AND l.id = 'late:' || ${r}.id AND l.day >= ${next}), 0)`
}

// Money that came in or went back: a row once, and the balance of prepaid customers written anew in the same batch.
import type { NanoUsd } from '../money.ts'
import { rebuildSpendSql } from './periods.ts'
import { retryTransient } from './retry.ts'

export interface Payment {
  customerId: number
  /** 'stripe:<event id>': an event counts once. */
  id: string
  /** Below zero: paid back. */
  amountNano: NanoUsd
  /** What Stripe calls the money that moved: it counts once in each direction, whatever events tell of it, and whoever booked it. */
  reference: string
  reason: string
}

/**
 * SQL of the rows by which money was booked: a reference counts once for a customer and direction, whether Stripe told of it or a person did
 * (`pay`). Three expressions. Stripe's are found by their index, those by hand are a range of the customer's own.
 */
export function bookedSql(columns: string, customer: string, reference: string, amount: string): string {
  const same = `p.customer_id = ${customer} AND p.reference = ${reference} AND (p.amount_nano > 0) = (${amount} > 0)`
  return `SELECT ${columns} FROM payments p WHERE p.source = 'stripe' AND ${same}
  UNION ALL SELECT ${columns} FROM payments p WHERE p.id > 'manual:' AND p.id < 'manual;' AND ${same}`
}

const TOLD = ["?1 ->> 'customerId'", "?1 ->> 'reference'", "?1 ->> 'amountNano'"] as const

/** `?1` is the payment as JSON, since D1 binds numbers as REAL. */
export const POST = `INSERT INTO payments (customer_id, id, amount_nano, source, reference, reason, created_ms)
SELECT c.id, ?1 ->> 'id', ?1 ->> 'amountNano', 'stripe', ?1 ->> 'reference', ?1 ->> 'reason', CAST(unixepoch('subsec') * 1000 AS INTEGER)
FROM customers c WHERE c.id = ?1 ->> 'customerId' AND NOT EXISTS (${bookedSql('1', ...TOLD)})
ON CONFLICT DO NOTHING RETURNING id`

const BOOKED = bookedSql('p.amount_nano AS amountNano, p.source, p.created_ms AS bookedMs', ...TOLD)

/** How money was booked that is told of again. */
interface Booked {
  amountNano: number
  source: 'manual' | 'stripe'
  bookedMs: number
}

export type Posted =
  | { outcome: 'posted' | 'no such customer' }
  /** null: by this very event, under another reference. */
  | { outcome: 'posted before'; booked: Booked | null }

/** Posts a payment of Stripe's, once. Idempotent: asked again it changes nothing. Throws what D1 throws. */
export async function postPayment(db: D1Database, payment: Payment): Promise<Posted> {
  const { customerId } = payment
  const told = JSON.stringify(payment)
  const [posted, customer, booked] = await retryTransient(() =>
    db.batch([
      db.prepare(POST).bind(told),
      db.prepare('SELECT id FROM customers WHERE id = CAST(? AS INTEGER)').bind(customerId),
      db.prepare(BOOKED).bind(told),
      ...rebuildSpendSql('balance').map((sql) => db.prepare(sql).bind(customerId)),
    ]),
  )
  if (posted?.results.length === 1) return { outcome: 'posted' }
  if (customer?.results.length !== 1) return { outcome: 'no such customer' }
  return { outcome: 'posted before', booked: (booked?.results[0] as Booked | undefined) ?? null }
}

/** SQL: who moved money that Stripe calls `?`, by the index of just that. */
export const payerSql = (direction: 'in' | 'back') =>
  `SELECT customer_id FROM payments WHERE source = 'stripe' AND reference = ? AND amount_nano ${direction === 'in' ? '>' : '<'} 0 LIMIT 1`

/** The same of money that was booked by hand, which no index finds; two customers: it is not known whose it is. */
const handSql = (direction: 'in' | 'back') =>
  `SELECT DISTINCT customer_id FROM payments WHERE source = 'manual' AND reference = ? AND amount_nano ${direction === 'in' ? '>' : '<'} 0 LIMIT 2`

/** Whose the money is that Stripe calls so; null: it is not known. */
export async function payerOf(db: D1Database, reference: string, direction: 'in' | 'back'): Promise<number | null> {
  const told = await retryTransient(() => db.prepare(payerSql(direction)).bind(reference).first<number>('customer_id'))
  if (told !== null) return told
  const { results } = await retryTransient(() => db.prepare(handSql(direction)).bind(reference).all<{ customer_id: number }>())
  return results.length === 1 ? (results[0]?.customer_id ?? null) : null
}

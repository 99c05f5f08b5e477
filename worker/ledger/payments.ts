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
  /** What Stripe calls the money that moved: it counts once in each direction, whatever events tell of it. */
  reference: string
  reason: string
}

/** `?1` is the payment as JSON, since D1 binds numbers as REAL. */
export const POST = `INSERT INTO payments (customer_id, id, amount_nano, source, reference, reason, created_ms)
SELECT c.id, ?1 ->> 'id', ?1 ->> 'amountNano', 'stripe', ?1 ->> 'reference', ?1 ->> 'reason', CAST(unixepoch('subsec') * 1000 AS INTEGER)
FROM customers c WHERE c.id = ?1 ->> 'customerId' AND NOT EXISTS (SELECT 1 FROM payments p WHERE p.customer_id = c.id AND p.source = 'stripe'
  AND p.reference = ?1 ->> 'reference' AND (p.amount_nano > 0) = (?1 ->> 'amountNano' > 0))
ON CONFLICT DO NOTHING RETURNING id`

/** Posts a payment of Stripe's, once. Idempotent: asked again it changes nothing. Throws what D1 throws. */
export async function postPayment(db: D1Database, payment: Payment): Promise<'posted' | 'posted before' | 'no such customer'> {
  const { customerId } = payment
  const [posted, customer] = await retryTransient(() =>
    db.batch([
      db.prepare(POST).bind(JSON.stringify(payment)),
      db.prepare('SELECT id FROM customers WHERE id = CAST(? AS INTEGER)').bind(customerId),
      ...rebuildSpendSql('balance').map((sql) => db.prepare(sql).bind(customerId)),
    ]),
  )
  if (posted?.results.length === 1) return 'posted'
  return customer?.results.length === 1 ? 'posted before' : 'no such customer'
}

/** SQL: who moved money that Stripe calls `?`, by the index of just that. */
export const payerSql = (direction: 'in' | 'back') =>
  `SELECT customer_id FROM payments WHERE source = 'stripe' AND reference = ? AND amount_nano ${direction === 'in' ? '>' : '<'} 0 LIMIT 1`

/** Whose the money is that Stripe calls so; null: it is not known. */
export async function payerOf(db: D1Database, reference: string, direction: 'in' | 'back'): Promise<number | null> {
  return retryTransient(() => db.prepare(payerSql(direction)).bind(reference).first<number>('customer_id'))
}

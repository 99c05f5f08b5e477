// What an event of Stripe's means for the ledger. Pure: the signature was checked before, and money is posted after.
// Shapes: https://docs.stripe.com/api/events/types, as far as they are read here.
import * as z from 'zod'
import { MONEY_MAX_NANO, type NanoUsd, nanoUsdOf } from './money.ts'

const NANO_PER_CENT = 10_000_000
const cents = z
  .int()
  .min(0)
  .max(MONEY_MAX_NANO / NANO_PER_CENT)

export const stripeEvent = z.object({
  id: z.string().regex(/^evt_\w{1,200}$/),
  type: z.string(),
  /** Seconds since 1970. */
  created: z.int(),
  data: z.object({ object: z.unknown() }),
})
export type StripeEvent = z.infer<typeof stripeEvent>

const checkoutSession = z.object({
  id: z.string(),
  mode: z.string(),
  payment_status: z.string(),
  client_reference_id: z.string().nullish(),
  amount_total: cents.nullish(),
  currency: z.string().nullish(),
  payment_intent: z.string().nullish(),
})
const refundObject = z.object({
  id: z.string(),
  amount: cents,
  currency: z.string(),
  payment_intent: z.string().nullish(),
  status: z.string().nullish(),
})
const disputeObject = z.object({
  id: z.string(),
  amount: cents,
  currency: z.string(),
  payment_intent: z.string().nullish(),
  status: z.string(),
})

/** `reference` is what Stripe calls the money that moved: each counts once in each direction, whatever events tell of it. */
export type Meaning =
  | { kind: 'paid'; customerId: number; amountNano: NanoUsd; reference: string }
  | { kind: 'refunded'; amountNano: NanoUsd; reference: string; payment: string }
  /** A refund that did not get through: its money is back. */
  | { kind: 'refund undone'; amountNano: NanoUsd; reference: string }
  | { kind: 'disputed'; dispute: string; status: string; amountCents: number; currency: string; payment: string | null }
  /** Money that the gateway cannot book: for the operator to see. */
  | { kind: 'not booked'; why: string }
  | { kind: 'nothing' }

const NOTHING: Meaning = { kind: 'nothing' }

/**
 * Refunds are counted by `refund.created`, which comes once for each with its own amount; `charge.refunded` repeats their sum and is left out.
 * Throws ZodError for a shape that is not Stripe's.
 */
export function meaningOf({ type, data }: StripeEvent): Meaning {
  switch (type) {
    case 'checkout.session.completed':
    case 'checkout.session.async_payment_succeeded':
      return paidBy(checkoutSession.parse(data.object))
    case 'refund.created':
    case 'refund.updated':
    case 'refund.failed':
      return refundedBy(type, refundObject.parse(data.object))
    case 'charge.dispute.created':
    case 'charge.dispute.funds_withdrawn':
    case 'charge.dispute.funds_reinstated':
    case 'charge.dispute.closed': {
      const { id, status, amount, currency, payment_intent: payment = null } = disputeObject.parse(data.object)
      return { kind: 'disputed', dispute: id, status, amountCents: amount, currency, payment }
    }
    default:
      return NOTHING
  }
}

function paidBy(session: z.infer<typeof checkoutSession>): Meaning {
  const { id, mode, payment_status, client_reference_id, amount_total, currency, payment_intent } = session
  // A bank debit is completed before it is paid; its own event follows.
  if (payment_status !== 'paid' || !amount_total) return NOTHING
  const why = notBooked(mode, client_reference_id, currency)
  if (why !== null) return { kind: 'not booked', why }
  return {
    kind: 'paid',
    customerId: Number(client_reference_id),
    amountNano: nanoOfCents(amount_total),
    reference: payment_intent ?? id,
  }
}

function notBooked(mode: string, reference: string | null | undefined, currency: string | null | undefined): string | null {
  if (mode !== 'payment') return `a checkout of mode ${mode.slice(0, 20)} is no single payment`
  if (currency !== 'usd') return `the currency is ${currency?.slice(0, 10)}, not usd`
  if (!/^[1-9]\d{0,8}$/.test(reference ?? '')) return 'client_reference_id names no customer'
  return null
}

function refundedBy(type: string, { id, amount, currency, payment_intent, status }: z.infer<typeof refundObject>): Meaning {
  if (amount === 0 || currency !== 'usd' || !payment_intent) return NOTHING
  const gone = status === 'failed' || status === 'canceled'
  if (type === 'refund.created' && !gone) {
    return { kind: 'refunded', amountNano: -nanoOfCents(amount) as NanoUsd, reference: id, payment: payment_intent }
  }
  return type !== 'refund.created' && gone ? { kind: 'refund undone', amountNano: nanoOfCents(amount), reference: id } : NOTHING
}

function nanoOfCents(amount: number): NanoUsd {
  return nanoUsdOf(amount * NANO_PER_CENT)
}

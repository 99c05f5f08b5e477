// POST /webhooks/stripe: what Stripe tells of money that customers paid in. Not there unless STRIPE_WEBHOOK_SECRET is set.
import { Hono } from 'hono'
// The Workers form of Stripe's library, without the API's resources, which its entry brings along: docs/decisions.md, 43.
import { WebPlatformFunctions } from '../../node_modules/stripe/esm/platform/WebPlatformFunctions.js'
import { createWebhooks } from '../../node_modules/stripe/esm/Webhooks.js'
import { configOf } from '../config.ts'
import { GatewayError } from '../errors.ts'
import { isObject } from '../json.ts'
import { payerOf, postPayment } from '../ledger/payments.ts'
import { log } from '../log.ts'
import { formatUsd, type NanoUsd } from '../money.ts'
import { readBytes } from '../read-request.ts'
import { type Meaning, meaningOf, type StripeEvent, stripeEvent } from '../stripe-event.ts'
import type { AppEnv } from './context.ts'

export const stripe = new Hono<AppEnv>()

const platform = new WebPlatformFunctions()
const webhooks = createWebhooks(platform)
const subtle = platform.createSubtleCryptoProvider()

/** An event is a few kilobytes. */
const BODY_MAX_BYTES = 262_144
/** How old a signature may be, which is how long what was heard can be said again. */
const TOLERANCE_SECONDS = 300
/** Stripe keeps no order: for how long what is told of an unknown payment is asked for again, milliseconds. */
const PATIENCE_MS = 86_400_000

stripe.post('/webhooks/stripe', async (c) => {
  const { webhookSecret } = configOf(c.env).stripe
  if (webhookSecret === null) throw new GatewayError('not_found', 'There is no /webhooks/stripe here.')
  const event = await verified(c.req.raw, webhookSecret)
  const done = await book(c.env.DB, event, Date.now())
  return c.json({ received: done }, done ? 200 : 409)
})

/** The event, if Stripe signed these very bytes a moment ago. Throws invalid_request, and does not say what was wrong. */
async function verified(request: Request, secret: string): Promise<StripeEvent> {
  const body = new TextDecoder().decode(await readBytes(request, BODY_MAX_BYTES))
  const signature = request.headers.get('stripe-signature') ?? ''
  let event: unknown
  try {
    event = await webhooks.constructEventAsync(body, signature, secret, TOLERANCE_SECONDS, subtle)
  } catch {
    throw new GatewayError('invalid_request', 'Bad request.')
  }
  return understood(event, () => stripeEvent.parse(event))
}

/** Books what an event tells. False: it is to be told again, since what it is about is not known yet. Throws what D1 throws. */
async function book(db: D1Database, event: StripeEvent, nowMs: number): Promise<boolean> {
  const meaning = understood(event, () => meaningOf(event))
  switch (meaning.kind) {
    case 'nothing':
      return true
    case 'not booked':
      tellOperator(event, meaning.why)
      return true
    case 'paid':
      await post(db, event, meaning, meaning.customerId, 'paid with Stripe')
      return true
    case 'refunded':
    case 'refund undone': {
      const [reference, direction, reason] =
        meaning.kind === 'refunded'
          ? ([meaning.payment, 'in', `refund of ${meaning.payment}`] as const)
          : ([meaning.reference, 'back', 'the refund did not get through'] as const)
      const customerId = await payerOf(db, reference, direction)
      if (customerId !== null) {
        await post(db, event, meaning, customerId, reason)
        return true
      }
      if (nowMs - event.created * 1000 < PATIENCE_MS) return false
      tellOperator(event, `it is about ${reference}, which no customer paid`)
      return true
    }
    case 'disputed': {
      const { dispute, status, amountCents, currency, payment } = meaning
      const customerId = payment === null ? null : await payerOf(db, payment, 'in')
      tellOperator(event, `a dispute over ${amountCents / 100} ${currency}: ${status}`, { dispute, customer_id: customerId })
      return true
    }
  }
}

type Booked = Extract<Meaning, { amountNano: unknown }>

async function post(db: D1Database, event: StripeEvent, { amountNano, reference }: Booked, customerId: number, reason: string) {
  const posted = await postPayment(db, { customerId, id: `stripe:${event.id}`, amountNano, reference, reason })
  const { outcome } = posted
  if (outcome === 'no such customer') return tellOperator(event, 'client_reference_id names no customer', { customer_id: customerId })
  const booked = outcome === 'posted before' ? posted.booked : null
  if (booked !== null && booked.amountNano !== amountNano) {
    const [here, before] = [amountNano, booked.amountNano].map((nano) => `$${formatUsd(nano as NanoUsd)}`)
    tellOperator(event, `${reference} is ${here} to Stripe, and was booked as ${before}: it counts once`, { customer_id: customerId })
  }
  const earlier = booked === null ? {} : { booked_at: new Date(booked.bookedMs).toISOString(), booked_by: booked.source }
  log({ event: 'payment', customer_id: customerId, amount_usd: formatUsd(amountNano), stripe_event: event.id, outcome, ...earlier })
}

/** Tells the operator, to whom alone it says something. */
function tellOperator(event: StripeEvent, message: string, more: Record<string, string | number | null> = {}): void {
  log({ event: 'error', code: 'stripe', stripe_event: event.id, type: event.type, ...more, message })
}

/** A shape that Stripe does not have: the log and the answer name the event, and the log the fields at fault, not what they hold. */
function understood<T>(event: unknown, read: () => T): T {
  try {
    return read()
  } catch (error) {
    const fields = error instanceof Error && 'issues' in error ? (error.issues as { path: PropertyKey[] }[]) : []
    const name = nameOf(event)
    throw new GatewayError('internal_error', `${name} is signed by Stripe and not understood: the operator has the cause.`, {
      cause: `${name}, signed by Stripe, is not understood: ${fields.map(({ path }) => path.join('.')).join(', ')}`,
    })
  }
}

/** The event's id, where it has one that can be written down: it is signed, and its shape is not known yet. */
function nameOf(event: unknown): string {
  const id = isObject(event) ? event.id : undefined
  return typeof id === 'string' && /^evt_\w{1,200}$/.test(id) ? `event ${id}` : 'an event without an id'
}

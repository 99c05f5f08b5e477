// Stripe's webhook with events in Stripe's shapes: what counts, what counts once, what is refused without a hint, and what is never logged.
import { createExecutionContext } from 'cloudflare:test'
import { env } from 'cloudflare:workers'
import Stripe from 'stripe'
import { afterEach, beforeAll, expect, test, vi } from 'vitest'
import { app } from '../app.ts'
import { proveLedger } from '../ledger/proofs.ts'
import { db, makeCustomer, migrate, usd } from '../testing/ledger.ts'
import disputed from './fixtures/charge-dispute-created.json'
import chargeRefunded from './fixtures/charge-refunded.json'
import debitPaid from './fixtures/checkout-session-async-payment-succeeded.json'
import paidEvent from './fixtures/checkout-session-completed.json'
import debitBegun from './fixtures/checkout-session-completed-unpaid.json'
import refunded from './fixtures/refund-created.json'
import refundedAgain from './fixtures/refund-created-again.json'
import refundFailed from './fixtures/refund-failed.json'

const SECRET = 'whsec_of_a_test'

beforeAll(migrate)
afterEach(() => void vi.restoreAllMocks())

interface Delivery {
  secret?: string
  /** How long ago it was signed. */
  ageSeconds?: number
  header?: string
  configured?: boolean
}

async function deliver(body: string, { secret = SECRET, ageSeconds = 0, header, configured = true }: Delivery = {}): Promise<Response> {
  const signature =
    header ??
    (await Stripe.webhooks.generateTestHeaderStringAsync({
      payload: body,
      secret,
      timestamp: Math.floor(Date.now() / 1000) - ageSeconds,
      cryptoProvider: Stripe.createSubtleCryptoProvider(),
    } as Parameters<typeof Stripe.webhooks.generateTestHeaderStringAsync>[0]))
  const request = new Request('https://gateway.example/webhooks/stripe', {
    method: 'POST',
    body,
    headers: { 'stripe-signature': signature },
  })
  return app.fetch(request, { ...env, ...(configured ? { STRIPE_WEBHOOK_SECRET: SECRET } : {}) }, createExecutionContext())
}

/** The fixtures as events about another customer, payment and refund, so that tests do not meet. */
function eventsOf(customerId: number) {
  const own = <T>(event: T, change: (text: string) => string = (text) => text) =>
    change(JSON.stringify({ ...event, created: Math.floor(Date.now() / 1000) }).replaceAll('Gateway', `Gateway${customerId}x`)).replace(
      '"client_reference_id":"1"',
      `"client_reference_id":"${customerId}"`,
    )
  return { own, paid: own(paidEvent), refunded: own(refunded), refundedAgain: own(refundedAgain), refundFailed: own(refundFailed) }
}

const paymentsOf = async (customerId: number) =>
  (
    await db
      .prepare('SELECT amount_nano FROM payments WHERE customer_id = ? ORDER BY created_ms, amount_nano DESC')
      .bind(customerId)
      .raw<[number]>()
  ).flat()
const balanceOf = (customerId: number) =>
  db.prepare("SELECT -spent_nano AS nano FROM spend WHERE owner = 'p' || CAST(? AS INTEGER)").bind(customerId).first<number>('nano')

function logged(): string[] {
  const lines: string[] = []
  vi.spyOn(console, 'log').mockImplementation((line: string) => void lines.push(line))
  return lines
}

test('a payment is the balance of a prepaid customer, and counts once however often it is told', async () => {
  const customer = await makeCustomer({ prepaid: '0' })
  const { paid } = eventsOf(customer)
  const lines = logged()
  for (const { status } of [await deliver(paid), await deliver(paid)]) expect(status).toBe(200)
  await Promise.all(Array.from({ length: 5 }, () => deliver(paid)))
  expect(await paymentsOf(customer)).toEqual([usd('20')])
  expect(await balanceOf(customer)).toBe(usd('20'))
  expect(lines.join('\n')).toContain(`"event":"payment","customer_id":${customer},"amount_usd":"20"`)
  expect(lines.join('\n')).not.toMatch(/payer@example\.com|Ada Payer|10001/)
})

test('a postpaid customer may pay, too, and has no balance', async () => {
  const customer = await makeCustomer({ budget: '5' })
  expect((await deliver(eventsOf(customer).paid)).status).toBe(200)
  expect(await paymentsOf(customer)).toEqual([usd('20')])
  expect(await balanceOf(customer)).toBeNull()
})

test('a bank debit counts when it is paid, and two events about one payment count once', async () => {
  const customer = await makeCustomer({ prepaid: '0' })
  const { own } = eventsOf(customer)
  expect((await deliver(own(debitBegun))).status).toBe(200)
  expect(await paymentsOf(customer)).toEqual([])
  await deliver(own(debitPaid))
  await deliver(own(debitBegun, (text) => text.replace('"unpaid"', '"paid"')))
  expect(await paymentsOf(customer)).toEqual([usd('20')])
})

test('each refund counts once with its own amount, and one that fails is given back once', async () => {
  const customer = await makeCustomer({ prepaid: '0' })
  const { own, paid, refunded, refundedAgain, refundFailed } = eventsOf(customer)
  for (const event of [paid, refunded, refunded, own(chargeRefunded), refundedAgain]) expect((await deliver(event)).status).toBe(200)
  // $20 − $5 − $2.50
  expect(await balanceOf(customer)).toBe(usd('12.5'))
  const updated = refundFailed.replace('refund.failed', 'refund.updated').replace('Refund0003', 'Refund0005')
  for (const event of [refundFailed, refundFailed, updated]) expect((await deliver(event)).status).toBe(200)
  expect(await balanceOf(customer)).toBe(usd('17.5'))
  expect(await paymentsOf(customer)).toHaveLength(4)
})

test('what is told out of order is asked for again: a refund before its payment, a failed refund before the refund', async () => {
  const customer = await makeCustomer({ prepaid: '0' })
  const { paid, refunded, refundFailed } = eventsOf(customer)
  expect((await deliver(refunded)).status).toBe(409)
  await deliver(paid)
  expect((await deliver(refundFailed)).status).toBe(409)
  expect((await deliver(refunded)).status).toBe(200)
  expect((await deliver(refundFailed)).status).toBe(200)
  expect(await balanceOf(customer)).toBe(usd('20'))
})

test('after a day the refund of a payment that nobody made here is for the operator', async () => {
  const lines = logged()
  const old = JSON.stringify({ ...refunded, created: Math.floor(Date.now() / 1000) - 90_000 }).replaceAll('Gateway', 'Stranger')
  expect((await deliver(old)).status).toBe(200)
  expect(lines.join('\n')).toMatch(/"event":"error","code":"stripe".*which no customer paid/)
})

test('money that cannot be booked is said to the operator, and answered, so that it does not come again', async () => {
  const customer = await makeCustomer({ prepaid: '0' })
  const { own, paid } = eventsOf(customer)
  const lines = logged()
  const bodies: [string, string][] = [
    [eventsOf(999_999).paid, 'names no customer'],
    [paid.replace(`"client_reference_id":"${customer}"`, '"client_reference_id":"someone@example.com"'), 'names no customer'],
    [paid.replace(`"client_reference_id":"${customer}"`, '"client_reference_id":null'), 'names no customer'],
    [paid.replace('"currency":"usd"', '"currency":"eur"'), 'the currency is eur'],
    [paid.replace('"mode":"payment"', '"mode":"subscription"'), 'no single payment'],
  ]
  for (const [body, why] of bodies) {
    expect((await deliver(body)).status, why).toBe(200)
    expect(JSON.parse(lines.at(-1) ?? '')).toMatchObject({ event: 'error', code: 'stripe', message: expect.stringContaining(why) })
  }
  await deliver(paid)
  expect((await deliver(own(disputed))).status).toBe(200)
  expect(JSON.parse(lines.at(-1) ?? '')).toMatchObject({
    event: 'error',
    customer_id: customer,
    message: 'a dispute over 20 usd: needs_response',
  })
  expect(lines.join('\n')).not.toMatch(/payer@example\.com|Ada Payer|someone@example\.com/)
  expect(await paymentsOf(customer)).toEqual([usd('20')])
})

test('what Stripe did not sign a moment ago, byte for byte, is refused without a hint', async () => {
  const customer = await makeCustomer({ prepaid: '0' })
  const { paid } = eventsOf(customer)
  const good = await Stripe.webhooks.generateTestHeaderStringAsync({
    payload: paid,
    secret: SECRET,
    cryptoProvider: Stripe.createSubtleCryptoProvider(),
  } as Parameters<typeof Stripe.webhooks.generateTestHeaderStringAsync>[0])
  const lines = logged()
  const refusals = [
    await deliver(paid, { secret: 'whsec_of_another' }),
    await deliver(paid, { ageSeconds: 301 }),
    await deliver(paid, { header: '' }),
    await deliver(paid, { header: 't=1,v1=00' }),
    await deliver(paid, { header: good.replace('v1=', 'v0=') }),
    await deliver(paid.replace('2000', '2001'), { header: good }),
    await deliver('', { header: good }),
    await deliver('not JSON'),
  ]
  const bodies = await Promise.all(refusals.map(async (response) => [response.status, await response.text()]))
  expect(bodies).toEqual(refusals.map(() => [400, '{"error":"Bad request."}']))
  expect(lines.join('\n')).not.toMatch(/payer@example\.com|Ada Payer|not JSON|whsec/)
  expect(await paymentsOf(customer)).toEqual([])
})

test('what was booked by hand is told with when, and an amount that differs is for the operator', async () => {
  const customer = await makeCustomer({ prepaid: '0' })
  const { paid } = eventsOf(customer)
  const reference = (JSON.parse(paid) as typeof paidEvent).data.object.payment_intent
  await db
    .prepare(
      "INSERT INTO payments (customer_id, id, amount_nano, source, reference, created_ms) VALUES (?, ?, ?, 'manual', ?, 1700000000000)",
    )
    .bind(customer, `manual:${customer}`, usd('19'), reference)
    .run()
  const lines = logged()
  expect((await deliver(paid)).status).toBe(200)
  expect(await paymentsOf(customer)).toEqual([usd('19')])
  expect(lines.map((line) => JSON.parse(line))).toMatchObject([
    { event: 'error', code: 'stripe', message: `${reference} is $20 to Stripe, and was booked as $19: it counts once` },
    { event: 'payment', outcome: 'posted before', booked_at: '2023-11-14T22:13:20.000Z', booked_by: 'manual' },
  ])
})

test('an event that is signed and not understood is named in the log and in the answer', async () => {
  const lines = logged()
  const strange = await deliver(JSON.stringify({ ...paidEvent, id: 'evt_strange1', data: { object: { id: 7 } } }))
  expect([strange.status, await strange.text()]).toEqual([500, expect.stringContaining('event evt_strange1 is signed by Stripe')])
  expect(JSON.parse(lines.at(-1) ?? '')).toMatchObject({
    event: 'error',
    message: expect.stringMatching(/evt_strange1, .*not understood: id, mode/),
  })
  const untimed = await deliver(JSON.stringify({ ...paidEvent, id: 'evt_strange2', created: 'soon' }))
  expect(await untimed.text()).toContain('evt_strange2')
  const nameless = await deliver(JSON.stringify({ ...paidEvent, id: 'payer@example.com' }))
  expect([nameless.status, await nameless.text()]).toEqual([500, expect.stringContaining('an event without an id')])
  expect(lines.join('\n')).not.toMatch(/payer@example\.com|soon/)
})

test('a huge body is refused before it is looked at, a strange one fails, another event is taken and forgotten', async () => {
  expect((await deliver('x'.repeat(300_000))).status).toBe(413)
  expect((await deliver('{"object":"event","type":"checkout.session.completed"}')).status).toBe(500)
  expect((await deliver(JSON.stringify({ ...paidEvent, data: { object: { id: 7 } } }))).status).toBe(500)
  expect((await deliver(JSON.stringify({ ...paidEvent, type: 'payout.paid', data: { object: {} } }))).status).toBe(200)
})

test('without a secret there is no such path, and no other method with one', async () => {
  expect((await deliver(eventsOf(1).paid, { configured: false })).status).toBe(404)
  const get = await app.fetch(new Request('https://gateway.example/webhooks/stripe'), env, createExecutionContext())
  expect([get.status, get.headers.get('allow')]).toEqual([405, 'POST'])
})

test('after all of it the ledger agrees', async () => {
  const proven = await proveLedger(async (sql) => (await db.prepare(sql).all()).results)
  expect(proven.filter(({ disagreeing }) => disagreeing.length > 0)).toEqual([])
})

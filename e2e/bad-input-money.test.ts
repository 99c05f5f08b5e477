// Bad input about money over HTTP: dates and ranges that cannot be, what is another's, and a webhook that Stripe did not sign or tells of again.
import Stripe from 'stripe'
import { afterAll, beforeAll, expect, test } from 'vitest'
import paid from '../worker/routes/fixtures/checkout-session-completed.json' with { type: 'json' }
import { startTestGateway, type TestGateway } from './harness.ts'
import { expectProved, settled, usageOf } from './ledger.ts'

const SECRET = 'whsec_of_a_test'
let gateway: TestGateway

beforeAll(async () => {
  gateway = await startTestGateway({ vars: { STRIPE_WEBHOOK_SECRET: SECRET } })
  await gateway.setPrice('*', { request: '0.01' })
})
afterAll(() => gateway.stop())

const get = (path: string, key: string) => fetch(`${gateway.url}/account/${path}`, { headers: { authorization: `Bearer ${key}` } })

test.for([
  ['from=2026-02-30', 'from'],
  ['to=2026-13-01', 'to'],
  ['from=2026-03-02&to=2026-03-01', 'from'],
  ['group=hour', 'group'],
] as const)('/account/usage?%s is a 400 that names %s', async ([query, named]) => {
  const { key } = await gateway.makeCustomer({ budgetUsd: '1' })
  const answer = await get(`usage?${query}`, key)
  expect([answer.status, await answer.text()]).toEqual([400, expect.stringContaining(`${named}: `)])
})

test('a customer without use has an empty report, and so has a range without any', async () => {
  const { key } = await gateway.makeCustomer({ budgetUsd: '1' })
  for (const query of ['', '?from=2001-01-01&to=2001-01-31']) {
    const answer = await get(`usage${query}`, key)
    expect([answer.status, await answer.json()]).toMatchObject([200, { totals: { requests: 0, cost_usd: '0' } }])
  }
  const csv = await (await get('usage?format=csv', key)).text()
  expect(csv.split('\r\n')).toHaveLength(2)
  expect(await (await get('requests', key)).json()).toEqual({ data: [], next: null })
})

test('the request of another is a 404 in the words of one that never was', async () => {
  const [mine, other] = [await gateway.makeCustomer({ budgetUsd: '1' }), await gateway.makeCustomer({ budgetUsd: '1' })]
  const answer = await fetch(`${gateway.url}/api/chat`, {
    method: 'POST',
    headers: { authorization: `Bearer ${mine.key}` },
    body: JSON.stringify({ model: 'gemma3:270m', messages: [{ role: 'user', content: 'Hi.' }], stream: false }),
  })
  await answer.text()
  await settled(gateway.db)
  const id = String(answer.headers.get('x-request-id'))
  expect((await usageOf(gateway.db, mine.id))[0]?.id).toBe(id)
  expect((await get(`requests/${id}`, mine.key)).status).toBe(200)
  const theirs = await get(`requests/${id}`, other.key)
  const unknown = await get(`requests/${id.slice(0, -4)}0000`, other.key)
  expect([theirs.status, unknown.status]).toEqual([404, 404])
  expect(await theirs.text()).toBe(await unknown.text())
})

test('a payment that Stripe tells of again counts once, and one that it did not sign not at all', async () => {
  const customer = await gateway.makeCustomer({ budgetUsd: null })
  await gateway.db.prepare('UPDATE customers SET prepaid = 1 WHERE id = ?').bind(customer.id).run()
  const nowSeconds = Math.floor(Date.now() / 1000)
  const body = JSON.stringify({ ...paid, created: nowSeconds }).replace(
    '"client_reference_id":"1"',
    `"client_reference_id":"${customer.id}"`,
  )
  const signed = (secret: string, timestamp = nowSeconds, payload = body) =>
    Stripe.webhooks.generateTestHeaderString({ payload, secret, timestamp } as Parameters<
      typeof Stripe.webhooks.generateTestHeaderString
    >[0])
  const deliver = async (signature: string, text = body) => {
    const headers = { 'stripe-signature': signature, 'content-type': 'application/json' }
    const answer = await fetch(`${gateway.url}/webhooks/stripe`, { method: 'POST', headers, body: text })
    return [answer.status, await answer.text()]
  }
  const payments = () => gateway.db.prepare('SELECT count(*) AS n FROM payments WHERE customer_id = ?').bind(customer.id).first<number>('n')
  const refused = [400, '{"error":"Bad request."}']
  expect(await deliver(signed('whsec_of_another'))).toEqual(refused)
  // More than five minutes ago: recorded, and played back.
  expect(await deliver(signed(SECRET, nowSeconds - 301))).toEqual(refused)
  expect(await deliver(signed(SECRET), body.replace('2000', '9000'))).toEqual(refused)
  expect(await payments()).toBe(0)
  const header = signed(SECRET)
  for (let time = 0; time < 3; time++) expect((await deliver(header))[0]).toBe(200)
  expect(await payments()).toBe(1)
  expect(JSON.stringify(gateway.logs)).not.toMatch(/whsec_|payer@example\.com/)
  await expectProved(gateway.db)
})

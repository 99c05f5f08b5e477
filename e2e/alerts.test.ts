// Alerts from end to end: a request passes a budget's threshold, and a receiver that fails twice has a signed message, once.
import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { Webhook } from 'standardwebhooks'
import { afterEach, expect, test } from 'vitest'
import { targetSecret } from '../worker/alerts/signing.ts'
import { postPayment } from '../worker/ledger/payments.ts'
import type { NanoUsd } from '../worker/money.ts'
import { startTestGateway, type TestGateway, type TestGatewayOptions } from './harness.ts'
import { settled } from './ledger.ts'

const SECRET = 'a-signing-secret-of-more-than-32-characters'
const closers: (() => unknown)[] = []
afterEach(async () => {
  for (const close of closers.splice(0).reverse()) await close()
})

interface Got {
  headers: Record<string, string>
  body: string
}

/** A webhook receiver that answers so, in turn, and then 204. */
async function receiver(...answers: number[]) {
  const got: Got[] = []
  const server = createServer((req, res) => {
    let body = ''
    req.on('data', (piece) => {
      body += piece
    })
    req.on('end', () => {
      got.push({ headers: req.headers as Record<string, string>, body })
      res.writeHead(answers.shift() ?? 204, { location: '/elsewhere' }).end()
    })
  }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  closers.push(() => server.close())
  return { got, url: `http://127.0.0.1:${(server.address() as AddressInfo).port}` }
}

async function gatewayWith(options: TestGatewayOptions = {}): Promise<TestGateway> {
  const gateway = await startTestGateway({ ...options, vars: { ALERT_SIGNING_SECRET: SECRET, ...options.vars } })
  closers.push(() => gateway.stop())
  return gateway
}

async function addTarget(
  { db }: TestGateway,
  url: string,
  { format = 'json', kinds = ['budget'], customerId = null as number | null } = {},
) {
  const insert = 'INSERT INTO alert_targets (customer_id, url, format, kinds, created_ms) VALUES (?, ?, ?, ?, 0) RETURNING id'
  return (await db.prepare(insert).bind(customerId, url, format, JSON.stringify(kinds)).first<number>('id')) ?? 0
}

/** The minute's schedule, a minute later as far as alerts go. */
async function nextMinute({ db, sweep }: TestGateway) {
  await db.batch([
    db.prepare('UPDATE alerts SET next_ms = 0 WHERE delivered_ms IS NULL'),
    db.prepare('UPDATE alert_state SET updated_ms = 0'),
  ])
  await sweep()
}

test('a threshold that a request passes is told to its customer, signed and once, though the receiver fails twice', async () => {
  const gateway = await gatewayWith()
  const { got, url } = await receiver(500, 302)
  await gateway.setPrice('*', { request: '0.6' })
  const customer = await gateway.makeCustomer({ budgetUsd: '1' })
  const other = await gateway.makeCustomer({ budgetUsd: '1' })
  const target = await addTarget(gateway, `${url}/hook?token=s3cret`, { customerId: customer.id })
  await gateway.sweep()
  expect(got).toEqual([])
  for (const { key } of [customer, other]) {
    const answer = await fetch(`${gateway.url}/api/chat`, {
      method: 'POST',
      headers: { authorization: `Bearer ${key}` },
      body: JSON.stringify({ model: 'gemma3:270m', messages: [{ role: 'user', content: 'Hi.' }], stream: false }),
    })
    expect(answer.status).toBe(200)
    await answer.text()
  }
  await settled(gateway.db)
  // Two schedules at once, as an edge may do.
  await Promise.all([gateway.sweep(), gateway.sweep()])
  expect(got).toHaveLength(1)
  for (let minute = 0; minute < 4; minute++) await nextMinute(gateway)
  expect(got).toHaveLength(3)
  const webhook = new Webhook(targetSecret(SECRET, target))
  for (const { body, headers } of got) {
    // $0.6 of $1.
    expect(webhook.verify(body, headers)).toMatchObject({
      type: 'budget',
      title: '50 % of your budget is used',
      data: { customer_id: customer.id, threshold: 50, spent_usd: '0.6', budget_usd: '1' },
    })
  }
  expect(new Set(got.map(({ headers }) => headers['webhook-id'])).size).toBe(1)
  expect(JSON.stringify(gateway.logs)).not.toMatch(new RegExp(`s3cret|${SECRET}|whsec_|${url}`))
  expect(gateway.logs).toContainEqual(expect.objectContaining({ code: 'alert', outcome: 'delivered', attempts: 3 }))
})

test('a prepaid customer whose balance comes to its end is told of it by their own target, and the operator by theirs', async () => {
  const gateway = await gatewayWith()
  const [customers, operators] = [await receiver(), await receiver()]
  await gateway.setPrice('*', { request: '0.95' })
  const customer = await gateway.makeCustomer({ budgetUsd: null })
  await gateway.db.prepare('UPDATE customers SET prepaid = 1 WHERE id = ?').bind(customer.id).run()
  await postPayment(gateway.db, { customerId: customer.id, id: 'stripe:evt_1', amountNano: 1e9 as NanoUsd, reference: 'pi_1', reason: '' })
  await addTarget(gateway, customers.url, { kinds: ['balance'], customerId: customer.id })
  await addTarget(gateway, operators.url, { format: 'slack', kinds: ['balance'] })
  await nextMinute(gateway)
  const ask = async () => {
    const answer = await fetch(`${gateway.url}/api/chat`, {
      method: 'POST',
      headers: { authorization: `Bearer ${customer.key}` },
      body: JSON.stringify({ model: 'gemma3:270m', messages: [{ role: 'user', content: 'Hi.' }], stream: false }),
    })
    await answer.text()
    await settled(gateway.db)
    return answer.status
  }
  const titles = async () => {
    await nextMinute(gateway)
    return customers.got.map(({ body }) => JSON.parse(body).title)
  }
  expect(await ask()).toBe(200)
  // $1 - $0.95 is less than a fifth of the payment.
  expect(await titles()).toEqual(['Your balance is low'])
  expect(await ask()).toBe(402)
  // The refusal is noted beside its answer.
  await expect.poll(titles).toEqual(['Your balance is low', 'Your balance is used up'])
  expect(operators.got.map(({ body }) => JSON.parse(body).text)).toEqual([
    expect.stringContaining(`The balance of Test (customer ${customer.id}) is low: $0.05 is left.`),
    expect.stringContaining(`The balance of Test (customer ${customer.id}) is used up: $0.05 is left, and requests are refused.`),
  ])
})

test('the operator is told that the host is down, with its cause, and that it is back', async () => {
  const access = { clientId: 'id.access', clientSecret: 'right' }
  const gateway = await gatewayWith({ standIn: { access }, vars: { CF_ACCESS_CLIENT_SECRET: 'wrong' } })
  const { got, url } = await receiver()
  await addTarget(gateway, url, { format: 'slack', kinds: ['host', 'model'] })
  await gateway.setPrice('gemma3:270m', { request: '0.1' })
  await nextMinute(gateway)
  expect(got).toEqual([])
  await nextMinute(gateway)
  await nextMinute(gateway)
  expect(got.map(({ body }) => JSON.parse(body).text)).toEqual([
    expect.stringMatching(/^The host is down: Cloudflare Access does not let the gateway in: .* Since 20.* UTC\.$/),
  ])
})

test.for([
  [530, 'Cloudflare has no tunnel'],
  [502, 'Ollama on it is not'],
  [524, 'It does not answer in time'],
] as const)('a host behind a %i is down, since: %s', async ([status, cause]) => {
  const gateway = await gatewayWith()
  const { got, url } = await receiver()
  await addTarget(gateway, url, { format: 'ntfy', kinds: ['host', 'model'] })
  gateway.standIn.fault({ kind: 'status', status, times: 2 })
  for (let minute = 0; minute < 4; minute++) await nextMinute(gateway)
  expect(got.map(({ headers, body }) => [headers.title, headers.priority, body])).toEqual([
    ['The host is down', 'urgent', expect.stringContaining(cause)],
    ['The host is back', 'default', expect.stringContaining('It was away since')],
  ])
})

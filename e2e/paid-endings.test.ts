// How a request to a vendor ends, and what is charged: callers who leave, vendors who break off, counts that cannot be.
import { afterAll, beforeAll, expect, test } from 'vitest'
import type { Vendor } from '../worker/vendors/vendor-request.ts'
import { startTestGateway, type TestGateway } from './harness.ts'
import { expectProved, settled, usageOf, usageRow } from './ledger.ts'
import { streamingCall } from './streaming-call.ts'
import { vendorFixture, vendorFixtures } from './vendors/fixtures.ts'

let gateway: TestGateway
/** One that reads on for a second only, for vendors that do not end. */
let hasty: TestGateway

async function started(vars: Record<string, string>): Promise<TestGateway> {
  const gateway = await startTestGateway({ vendors: ['openai', 'anthropic'], vars })
  const price = { input: '1', cachedInput: '1', cacheWrite: '1', cacheWriteLong: '1', output: '10' }
  await gateway.setPrice('gpt-test', { ...price, upstream: 'openai' })
  await gateway.setPrice('claude-test', { ...price, upstream: 'anthropic' })
  return gateway
}

beforeAll(async () => {
  gateway = await started({})
  hasty = await started({ READ_ON_SECONDS: '1' })
})
afterAll(() => Promise.all([gateway.stop(), hasty.stop()]))

const messages = [{ role: 'user', content: 'Say something.' }]
const chat = { model: 'gpt-test', messages, max_tokens: 400 }

/** The first passes natively, the second through JavaScript. The first token is in event `first`, which ends within `bytes`. */
const STREAMS: [vendor: Vendor, path: string, body: object, at: { first: number; bytes: number }][] = [
  ['openai', '/v1/chat/completions', { ...chat, stream: true, stream_options: { include_usage: true } }, { first: 2, bytes: 700 }],
  ['openai', '/v1/chat/completions', { ...chat, stream: true }, { first: 2, bytes: 700 }],
  ['openai', '/v1/completions', { model: 'gpt-test', prompt: 'Say', max_tokens: 400, stream: true }, { first: 1, bytes: 300 }],
  ['openai', '/v1/responses', { model: 'gpt-test', input: 'Say it.', max_output_tokens: 400, stream: true }, { first: 5, bytes: 1950 }],
  ['anthropic', '/v1/messages', { model: 'claude-test', messages, max_tokens: 400, stream: true }, { first: 4, bytes: 800 }],
]
const WHOLES = STREAMS.map(([vendor, path, body]) => [vendor, path, { ...body, stream: false, stream_options: undefined }] as const)

const customer = (of = gateway) => of.makeCustomer({ budgetUsd: '10' })

function post(path: string, key: string, body: unknown): Promise<Response> {
  return fetch(`${gateway.url}${path}`, {
    method: 'POST',
    headers: { authorization: `Bearer ${key}`, 'content-type': 'application/json' },
    body: JSON.stringify(body),
  })
}

/** The only request of a customer, once it has ended. */
async function onlyRow(customerId: number, { db } = gateway) {
  await settled(db)
  const rows = await usageOf(db, customerId)
  expect(rows).toHaveLength(1)
  return rows[0] as (typeof rows)[number]
}

test.for(STREAMS)('%s %s: whoever leaves at any event pays what the vendor then reports', async ([vendor, path, body]) => {
  const whole = await customer()
  const full = streamingCall(gateway.url, path, whole.key, body)
  await full.ended
  const complete = await onlyRow(whole.id)
  expect(complete).toMatchObject({ outcome: 'completed', estimated: 0 })
  const events = full.body().split('\n\n').length - 1
  const { requests } = gateway.vendors[vendor]
  const before = requests.length
  const left = Array.from({ length: events - 1 }, async (_, index) => {
    const { id, key } = await customer()
    gateway.vendors[vendor].play({ pace: 20 })
    const call = streamingCall(gateway.url, path, key, body)
    await call.frames(index + 1, '\n\n')
    call.hangUp()
    return id
  })
  for (const id of await Promise.all(left)) {
    const row = await onlyRow(id)
    const counts = [row.cost_nano, row.input_tokens, row.output_tokens, row.estimated]
    expect(counts).toEqual([complete.cost_nano, complete.input_tokens, complete.output_tokens, 0])
    expect(row.outcome).toMatch(/abandoned|completed/)
  }
  expect(await Promise.all(requests.slice(before).map(({ closed }) => closed))).toEqual(left.map(() => false))
})

test.for(STREAMS)('%s %s: who leaves a vendor that goes on for long pays an estimate that is not below what came', async (stream) => {
  const [vendor, path, body, { first }] = stream
  const { id, key } = await customer(hasty)
  const next = hasty.vendors[vendor].nextRequest()
  const { held, release } = hasty.vendors[vendor].play({ holdOpen: first })
  const call = streamingCall(hasty.url, path, key, body)
  await call.frames(first, '\n\n')
  await held
  call.hangUp()
  const row = await onlyRow(id, hasty)
  expect(await (await next).closed).toBe(true)
  release()
  expect(row).toMatchObject({ outcome: 'abandoned', estimated: 1 })
  // A second of reading on at the least, at 200 tokens a second, as far as the limit of 400 goes.
  expect(row.output_tokens).toBeGreaterThanOrEqual(200)
  expect(row.output_tokens).toBeLessThanOrEqual(400)
  expect(row.input_tokens).toBeGreaterThan(10)
  expect(row.cost_nano).toBeLessThanOrEqual(row.hold_nano)
})

test.for([...STREAMS, ...WHOLES])('%s %s: who leaves before anything came pays for what the vendor does unseen', async (request) => {
  const [vendor, path, body] = request
  const { id, key } = await customer(hasty)
  const next = hasty.vendors[vendor].nextRequest()
  hasty.vendors[vendor].play({ delayMs: Number.POSITIVE_INFINITY })
  const call = streamingCall(hasty.url, path, key, body)
  const asked = await next
  call.hangUp()
  const row = await onlyRow(id, hasty)
  expect(await asked.closed).toBe(true)
  expect(row).toMatchObject({ outcome: 'abandoned', estimated: 1 })
  expect(row.output_tokens).toBeGreaterThanOrEqual(200)
})

test.for(WHOLES)('%s %s: an answer in one piece is read on for its counts', async ([vendor, path, body]) => {
  const { id, key } = await customer()
  const next = gateway.vendors[vendor].nextRequest()
  gateway.vendors[vendor].play({ delayMs: 300 })
  const call = streamingCall(gateway.url, path, key, body)
  const asked = await next
  call.hangUp()
  const row = await onlyRow(id)
  expect(await asked.closed).toBe(false)
  expect(row).toMatchObject({ outcome: 'abandoned', estimated: 0 })
  expect(row.output_tokens).toBeGreaterThan(0)
})

test.for(STREAMS)(
  '%s %s: a stream that the vendor breaks off is told, and charged for what came',
  async ([vendor, path, body, { bytes }]) => {
    const { id, key } = await customer()
    gateway.vendors[vendor].play({ breakAfterBytes: bytes })
    const call = streamingCall(gateway.url, path, key, body)
    expect(await call.ended).toBe(true)
    expect(call.body()).toMatch(/broke off its answer/)
    const row = await onlyRow(id)
    expect(row).toMatchObject({ outcome: 'failed', estimated: 1 })
    expect(row.output_tokens).toBeGreaterThan(0)
    // No time is charged: the caller did not choose to end it.
    expect(row.output_tokens).toBeLessThan(200)
  },
)

test.for([...STREAMS, ...WHOLES])(
  '%s %s: a vendor that breaks off before its first token is paid by nobody',
  async ([vendor, path, body]) => {
    const { id, key } = await customer()
    gateway.vendors[vendor].play({ breakAfterBytes: 20 })
    await (await post(path, key, body)).text()
    expect(await onlyRow(id)).toMatchObject({ outcome: 'failed', cost_nano: 0 })
  },
)

test.for([
  ['openai', 'chat-stream-no-done'],
  ['anthropic', 'messages-stream-no-stop'],
] as const)('%s %s: a stream without its end is a failure, and the caller hears of it', async ([vendor, name]) => {
  const { id, key } = await customer()
  gateway.vendors[vendor].play({ exchange: vendorFixture(vendor, name) })
  const [, path, body] = STREAMS.find(([of]) => of === vendor) as (typeof STREAMS)[number]
  const call = streamingCall(gateway.url, path, key, body)
  await call.ended
  expect(call.body()).toMatch(/broke off its answer/)
  expect(await onlyRow(id)).toMatchObject({ outcome: 'failed' })
})

const BAD = (['openai', 'anthropic'] as const).flatMap((vendor) =>
  vendorFixtures(vendor)
    .filter(({ name, status }) => name.startsWith('bad-') && status === 200 && !name.includes('json-broken'))
    .map(({ name }) => [vendor, name] as const),
)

test.for(BAD)('%s %s: counts that cannot be are charged by the bounds, flagged, and shown to the operator', async ([vendor, name]) => {
  const { key } = await customer()
  gateway.vendors[vendor].play({ exchange: vendorFixture(vendor, name) })
  const path = name.includes('responses') ? '/v1/responses' : name.includes('embeddings') ? '/v1/embeddings' : '/v1/chat/completions'
  const stream = name.includes('stream')
  const body = {
    '/v1/responses': { model: 'gpt-test', input: 'Say something.', max_output_tokens: 400, stream },
    '/v1/embeddings': { model: 'gpt-test', input: 'Say something.' },
    '/v1/chat/completions': { ...chat, stream },
  }[path]
  const answer =
    vendor === 'anthropic'
      ? await post('/v1/messages', key, { model: 'claude-test', messages, max_tokens: 400, stream })
      : await post(path, key, body)
  await answer.text()
  const id = answer.headers.get('x-request-id')
  const row = await usageRow(gateway.db, id)
  expect(row).toMatchObject({ outcome: 'completed', estimated: 1, over_nano: 0 })
  expect(row.input_tokens).toBeGreaterThan(20)
  expect(row.input_tokens).toBeLessThan(2000)
  expect(row.output_tokens).toBeLessThanOrEqual(400)
  expect(gateway.logs).toContainEqual(expect.objectContaining({ code: 'vendor_counts', request_id: id, vendor }))
})

test('after all of this the ledgers are proved', async () => {
  await expectProved(gateway.db)
  await expectProved(hasty.db)
})

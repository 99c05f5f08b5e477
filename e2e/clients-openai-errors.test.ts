// What goes wrong, as the official `openai` SDK throws it: its own class, the status, the code and words that help; and what it costs.
import OpenAI, { type ClientOptions } from 'openai'
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from 'vitest'
import type { Fault } from '../host/stand-in/server.ts'
import { newKey } from '../worker/keys.ts'
import { countedFetch } from './counted-fetch.ts'
import { startTestGateway, type TestCustomer, type TestGateway } from './harness.ts'
import { expectProved, settled, usageOf } from './ledger.ts'

let gateway: TestGateway

beforeAll(async () => {
  gateway = await startTestGateway({ vars: { FIRST_BYTE_TIMEOUT_SECONDS: '1', IDLE_TIMEOUT_SECONDS: '1' } })
  // In nano-dollars: 1,000,000 a request, 1,000 an input token, 2,000 an output token.
  await gateway.setPrice('gemma3:270m', { request: '0.001', input: '1', output: '2' })
})
beforeEach(() => gateway.standIn.reset())
afterEach(() => expectProved(gateway.db))
afterAll(() => gateway.stop())

const messages = [{ role: 'user' as const, content: 'Why is the sky blue?' }]
const chat = { model: 'gemma3:270m', messages, max_tokens: 40 }

function clientOf(apiKey: string, options: ClientOptions = {}): OpenAI {
  return new OpenAI({ apiKey, baseURL: `${gateway.url}/v1`, maxRetries: 0, ...options })
}

async function someone(customer: TestCustomer = { budgetUsd: '1' }, options: ClientOptions = {}) {
  const { id, key } = await gateway.makeCustomer(customer)
  return { id, key, client: clientOf(key, options) }
}

/** Counts the attempts that the SDK makes, which may try twice more. */
function counted(): { attempts: () => number; options: ClientOptions } {
  const { attempts, fetch } = countedFetch()
  return { attempts, options: { fetch, maxRetries: 2 } }
}

/** What a call was rejected with: an error of exactly this class. */
async function thrown(call: Promise<unknown>, errorClass: unknown): Promise<InstanceType<typeof OpenAI.APIError>> {
  const error = await call.then(
    () => new Error('the call was answered'),
    (reason: unknown) => reason,
  )
  expect((error as Error).constructor).toBe(errorClass)
  return error as InstanceType<typeof OpenAI.APIError>
}

test('a key that is not known is an AuthenticationError, and is not asked again', async () => {
  const { attempts, options } = counted()
  const error = await thrown(clientOf(newKey().key, options).chat.completions.create(chat), OpenAI.AuthenticationError)
  expect(error).toMatchObject({ status: 401, code: 'invalid_api_key', type: 'authentication_error' })
  expect(error.message).toMatch(/not known.*operator/)
  expect(error.requestID).toMatch(/^[0-9a-f-]{36}$/)
  expect(attempts()).toBe(1)
  expect(gateway.standIn.requests).toEqual([])
})

test("a key of OpenAI's own is an AuthenticationError that says how ours look", async () => {
  const error = await thrown(clientOf('sk-proj-abcdef').chat.completions.create(chat), OpenAI.AuthenticationError)
  expect(error.message).toContain('sk_')
  expect(error.message).not.toContain('sk-proj')
})

test('an empty budget is a 402 that says what is left and when it renews, and is not asked again', async () => {
  const { attempts, options } = counted()
  // A request alone is $0.001.
  const { id, client } = await someone({ budgetUsd: '0.0005' }, options)
  const error = await thrown(client.chat.completions.create(chat), OpenAI.APIError)
  expect(error).toMatchObject({ status: 402, code: 'budget_exceeded', type: 'insufficient_quota' })
  expect(error.message).toContain('$0.0005 is left')
  const now = new Date()
  const renewal = new Date(Date.UTC(now.getUTCFullYear(), now.getUTCMonth() + 1)).toISOString()
  expect(error.message).toContain(`renews at ${renewal}`)
  expect(error.headers?.get('x-should-retry')).toBe('false')
  expect(attempts()).toBe(1)
  expect(gateway.standIn.requests).toEqual([])
  expect(await usageOf(gateway.db, id)).toEqual([])
})

test('a 402 for a budget that does not renew says so', async () => {
  const { client } = await someone({ budgetUsd: '0.0005', period: 'total' })
  const error = await thrown(client.chat.completions.create(chat), OpenAI.APIError)
  expect(error.message).toMatch(/does not renew.*operator/)
})

test("a 402 tells the key's own budget from the account's", async () => {
  const { client } = await someone({ budgetUsd: '1', key: { budgetUsd: '0.0005' } })
  const error = await thrown(client.chat.completions.create(chat), OpenAI.APIError)
  expect(error).toMatchObject({ status: 402 })
  expect(error.message).toMatch(/API key.*\$0\.0005 is left/)
})

test('a model that the key may not use is a PermissionDeniedError', async () => {
  const { id, client } = await someone({ budgetUsd: '1', key: { models: ['toy-tools:latest'] } })
  const error = await thrown(client.chat.completions.create(chat), OpenAI.PermissionDeniedError)
  expect(error).toMatchObject({ status: 403, code: 'model_not_allowed', param: 'model', type: 'permission_error' })
  expect(error.message).toContain('gemma3:270m')
  expect(await usageOf(gateway.db, id)).toEqual([])
})

test('a model without a price is a NotFoundError, and is not asked for at the host', async () => {
  const { client } = await someone()
  const error = await thrown(client.chat.completions.create({ ...chat, model: 'chat-small' }), OpenAI.NotFoundError)
  expect(error).toMatchObject({ status: 404, code: 'model_not_found', param: 'model' })
  expect(error.message).toMatch(/chat-small.*\/v1\/models/)
  expect(gateway.standIn.requests).toEqual([])
})

test('a model with a price that the host does not have is a NotFoundError for nothing', async () => {
  await gateway.setPrice('gone:1b', { request: '0.001' })
  const { id, client } = await someone()
  const error = await thrown(client.chat.completions.create({ ...chat, model: 'gone:1b' }), OpenAI.NotFoundError)
  expect(error).toMatchObject({ status: 404, code: 'model_not_found', param: 'model' })
  await settled(gateway.db)
  expect(await usageOf(gateway.db, id)).toMatchObject([{ outcome: 'failed', cost_nano: 0 }])
})

test('too many requests a minute are a RateLimitError with a Retry-After within the minute', async () => {
  const { id, client } = await someone({ budgetUsd: '1', rpm: 1 })
  await client.chat.completions.create(chat)
  const error = await thrown(client.chat.completions.create(chat), OpenAI.RateLimitError)
  expect(error).toMatchObject({ status: 429, code: 'rate_limited', type: 'rate_limit_error' })
  expect(error.message).toMatch(/1 request a minute/)
  const seconds = Number(error.headers?.get('retry-after'))
  expect(seconds).toBeGreaterThanOrEqual(1)
  expect(seconds).toBeLessThanOrEqual(60)
  await settled(gateway.db)
  expect(await usageOf(gateway.db, id)).toHaveLength(1)
})

test('a request beyond the concurrency is asked again by the SDK after Retry-After, and answered', async () => {
  const { attempts, options } = counted()
  const { id, key, client } = await someone({ budgetUsd: '1', concurrency: 1 })
  gateway.standIn.setPace(30)
  const first = (await client.chat.completions.create({ ...chat, stream: true }))[Symbol.asyncIterator]()
  await first.next()
  gateway.standIn.setPace('instant')
  const second = clientOf(key, options).chat.completions.create(chat)
  while (!(await first.next()).done);
  expect((await second).choices[0]?.finish_reason).toBe('length')
  expect(attempts()).toBeGreaterThan(1)
  await settled(gateway.db)
  // each 1,000,000 + 15 × 1,000 + 40 × 2,000
  expect((await usageOf(gateway.db, id)).map((row) => row.cost_nano)).toEqual([1_095_000, 1_095_000])
})

test.each([
  ['max_tokens', { max_tokens: 0 }],
  ['max_completion_tokens', { max_tokens: null, max_completion_tokens: -1 }],
  ['temperature', { temperature: 'hot' as unknown as number }],
  ['messages', { messages: [] }],
  ['tools.0.type', { tools: [{ type: 'web_search' as 'function', function: { name: 'x' } }] }],
])('a bad request is a BadRequestError that names %s', async (param, wrong) => {
  const { id, client } = await someone()
  const error = await thrown(client.chat.completions.create({ ...chat, ...wrong }), OpenAI.BadRequestError)
  expect(error).toMatchObject({ status: 400, code: 'invalid_request', type: 'invalid_request_error', param })
  expect(error.message).toContain(param)
  expect(gateway.standIn.requests).toEqual([])
  expect(await usageOf(gateway.db, id)).toEqual([])
})

const HTML = { body: '<html>Bad gateway</html>', headers: { 'content-type': 'text/html' } }
const FAULTS: [name: string, status: number, code: string, fault: Fault, retryAfter: string | null][] = [
  ['an error of the host', 502, 'upstream_error', { kind: 'status', status: 500, body: { error: 'runner died' } }, null],
  ['a host that cannot be reached', 503, 'upstream_unavailable', { kind: 'status', status: 502, ...HTML }, '5'],
  ['a host that never begins', 504, 'upstream_timeout', { kind: 'no-header' }, null],
]

test.each(FAULTS)('%s is an InternalServerError with status %i for nothing', async (_, status, code, fault, retryAfter) => {
  gateway.standIn.fault(fault)
  const { id, client } = await someone()
  const error = await thrown(client.chat.completions.create(chat), OpenAI.InternalServerError)
  expect(error).toMatchObject({ status, code, type: 'api_error', param: null })
  expect(error.message).not.toMatch(/runner|html/)
  expect(error.headers?.get('retry-after') ?? null).toBe(retryAfter)
  await settled(gateway.db)
  expect(await usageOf(gateway.db, id)).toMatchObject([{ id: error.requestID, outcome: 'failed', cost_nano: 0 }])
})

test('a host that is busy is a 503 with Retry-After, which the SDK obeys', async () => {
  gateway.standIn.replay('error.server-busy.v1-chat')
  const { attempts, options } = counted()
  const { id, client } = await someone({ budgetUsd: '1' }, options)
  await client.chat.completions.create(chat)
  expect(attempts()).toBe(2)
  await settled(gateway.db)
  // nothing, then 1,000,000 + 15 × 1,000 + 40 × 2,000
  expect((await usageOf(gateway.db, id)).map((row) => row.cost_nano)).toEqual([0, 1_095_000])
})

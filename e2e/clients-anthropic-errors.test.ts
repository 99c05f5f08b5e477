// What goes wrong, as the official `@anthropic-ai/sdk` throws it: its own class, the type, the request id and words that help; and what it costs.
import Anthropic, { type ClientOptions } from '@anthropic-ai/sdk'
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from 'vitest'
import type { Fault } from '../host/stand-in/server.ts'
import { newKey } from '../worker/keys.ts'
import { countedFetch } from './counted-fetch.ts'
import { startTestGateway, type TestCustomer, type TestGateway } from './harness.ts'
import { expectProved, settled, usageOf } from './ledger.ts'

let gateway: TestGateway

beforeAll(async () => {
  gateway = await startTestGateway({
    vars: { FIRST_BYTE_TIMEOUT_SECONDS: '1', IDLE_TIMEOUT_SECONDS: '1', BODY_LIMIT_BYTES: '10000' },
  })
  // In nano-dollars: 1,000,000 a request, 1,000 an input token, 2,000 an output token.
  await gateway.setPrice('gemma3:270m', { request: '0.001', input: '1', output: '2' })
})
beforeEach(() => gateway.standIn.reset())
afterEach(() => expectProved(gateway.db))
afterAll(() => gateway.stop())

const messages = [{ role: 'user' as const, content: 'Why is the sky blue?' }]
const ask = { model: 'gemma3:270m', max_tokens: 40, messages }

function clientOf(authToken: string, options: ClientOptions = {}): Anthropic {
  return new Anthropic({ apiKey: null, authToken, baseURL: gateway.url, maxRetries: 0, ...options })
}

async function someone(customer: TestCustomer = { budgetUsd: '1' }, options: ClientOptions = {}) {
  const { id, key } = await gateway.makeCustomer(customer)
  return { id, client: clientOf(key, options) }
}

/** Counts the attempts that the SDK makes, which may try twice more. */
function counted(): { attempts: () => number; options: ClientOptions } {
  const { attempts, fetch } = countedFetch()
  return { attempts, options: { fetch, maxRetries: 2 } }
}

/** What a call was rejected with: an error of exactly this class, with its envelope whole. */
async function thrown(call: Promise<unknown>, errorClass: unknown): Promise<InstanceType<typeof Anthropic.APIError>> {
  const reason = await call.then(
    () => new Error('the call was answered'),
    (error: unknown) => error,
  )
  expect((reason as Error).constructor).toBe(errorClass)
  const error = reason as InstanceType<typeof Anthropic.APIError>
  expect(error.requestID).toMatch(/^[0-9a-f-]{36}$/)
  expect(error.error).toMatchObject({ type: 'error', request_id: error.requestID })
  expect(error.headers?.get('x-request-id')).toBe(error.requestID)
  return error
}

test('a key that is not known is an AuthenticationError, and is not asked again', async () => {
  const { attempts, options } = counted()
  const error = await thrown(clientOf(newKey().key, options).messages.create(ask), Anthropic.AuthenticationError)
  expect(error).toMatchObject({ status: 401, type: 'authentication_error', apiMessage: expect.stringMatching(/not known/) })
  expect(attempts()).toBe(1)
})

test('an empty budget is a PaymentRequiredError that says what is left and when it renews, and is not asked again', async () => {
  const { attempts, options } = counted()
  // A request alone is $0.001.
  const { id, client } = await someone({ budgetUsd: '0.0005', period: 'day' }, options)
  const error = await thrown(client.messages.create(ask), Anthropic.PaymentRequiredError)
  expect(error).toMatchObject({ status: 402, type: 'billing_error', apiMessage: expect.stringContaining('$0.0005 is left') })
  expect(error.apiMessage).toMatch(/renews at \d{4}-\d\d-\d\dT00:00:00\.000Z/)
  expect(attempts()).toBe(1)
  expect(gateway.standIn.requests).toEqual([])
  expect(await usageOf(gateway.db, id)).toEqual([])
})

test('a model that the key may not use is a PermissionDeniedError', async () => {
  const { client } = await someone({ budgetUsd: '1', key: { models: ['toy-tools:latest'] } })
  const error = await thrown(client.messages.create(ask), Anthropic.PermissionDeniedError)
  expect(error).toMatchObject({ status: 403, type: 'permission_error', apiMessage: expect.stringContaining('gemma3:270m') })
})

test('a suspended account is a PermissionDeniedError that says whom to ask', async () => {
  const { id, client } = await someone()
  await gateway.db.prepare("UPDATE customers SET status = 'suspended' WHERE id = ?").bind(id).run()
  const error = await thrown(client.messages.create(ask), Anthropic.PermissionDeniedError)
  expect(error).toMatchObject({ status: 403, type: 'permission_error', apiMessage: expect.stringMatching(/suspended.*operator/) })
})

test('a model that is not offered is a NotFoundError', async () => {
  const { client } = await someone()
  const error = await thrown(client.messages.create({ ...ask, model: 'claude-none-4' }), Anthropic.NotFoundError)
  expect(error).toMatchObject({ status: 404, type: 'not_found_error', apiMessage: expect.stringContaining('claude-none-4') })
})

test('a body that is too large is a ContentTooLargeError', async () => {
  const { client } = await someone()
  const long = [{ role: 'user' as const, content: 'x'.repeat(10_000) }]
  const error = await thrown(client.messages.create({ ...ask, messages: long }), Anthropic.ContentTooLargeError)
  expect(error).toMatchObject({ status: 413, type: 'request_too_large', apiMessage: expect.stringContaining('10000 bytes') })
})

test('too many requests a minute are a RateLimitError with Retry-After', async () => {
  const { client } = await someone({ budgetUsd: '1', key: { rpm: 1 } })
  await client.messages.create(ask)
  const error = await thrown(client.messages.create(ask), Anthropic.RateLimitError)
  expect(error).toMatchObject({ status: 429, type: 'rate_limit_error', apiMessage: expect.stringContaining('This API key') })
  expect(Number(error.headers?.get('retry-after'))).toBeGreaterThan(0)
})

test.each([
  ['max_tokens', { max_tokens: 0 }],
  ['max_tokens', { max_tokens: undefined as unknown as number }],
  ['messages', { messages: [] }],
  ['tools.0.type', { tools: [{ type: 'web_search_20250305' as const, name: 'web_search' as const }] }],
])('a bad request is a BadRequestError that names %s', async (field, wrong) => {
  const { id, client } = await someone()
  const error = await thrown(client.messages.create({ ...ask, ...wrong }), Anthropic.BadRequestError)
  expect(error).toMatchObject({ status: 400, type: 'invalid_request_error', apiMessage: expect.stringContaining(field) })
  expect(gateway.standIn.requests).toEqual([])
  expect(await usageOf(gateway.db, id)).toEqual([])
})

test('a host that is busy is a 503 of type overloaded_error with Retry-After, for nothing', async () => {
  gateway.standIn.replay('error.server-busy.v1-messages')
  const { id, client } = await someone()
  const error = await thrown(client.messages.create(ask), Anthropic.ServiceUnavailableError)
  expect(error).toMatchObject({ status: 503, type: 'overloaded_error', apiMessage: expect.stringContaining('try again') })
  expect(error.headers?.get('retry-after')).toBe('2')
  await settled(gateway.db)
  expect(await usageOf(gateway.db, id)).toMatchObject([{ outcome: 'failed', cost_nano: 0 }])
})

const HTML = { body: '<html>Origin DNS error</html>', headers: { 'content-type': 'text/html' } }
const FAULTS: [name: string, status: number, type: string, errorClass: unknown, fault: Fault][] = [
  ['an error of the host', 502, 'api_error', Anthropic.InternalServerError, { kind: 'status', status: 500, body: { error: 'x' } }],
  ['a host that is away', 503, 'api_error', Anthropic.ServiceUnavailableError, { kind: 'status', status: 530, ...HTML }],
  ['a host that never begins', 504, 'timeout_error', Anthropic.GatewayTimeoutError, { kind: 'no-header' }],
]

test.each(FAULTS)('%s is a %i of type %s, for nothing', async (_, status, type, errorClass, fault) => {
  gateway.standIn.fault(fault)
  const { id, client } = await someone()
  const error = await thrown(client.messages.stream(ask).finalMessage(), errorClass)
  expect(error).toMatchObject({ status, type, apiMessage: expect.stringContaining('host') })
  await settled(gateway.db)
  expect(await usageOf(gateway.db, id)).toMatchObject([{ outcome: 'failed', cost_nano: 0 }])
})

const BREAKS: [name: string, type: string, fault: Fault][] = [
  ['ends without message_stop', 'api_error', { kind: 'no-terminator' }],
  ['ends without a word in the middle', 'api_error', { kind: 'error-line', afterChunks: 8 }],
  ['is cut off', 'api_error', { kind: 'broken', afterChunks: 8 }],
  ['falls silent', 'timeout_error', { kind: 'stall', afterChunks: 8 }],
]

test.each(BREAKS)('a stream that %s makes finalMessage() reject, and is charged for what was delivered', async (_, type, fault) => {
  gateway.standIn.fault(fault)
  const { id, client } = await someone()
  const stream = client.messages.stream(ask)
  const texts: string[] = []
  stream.on('text', (text) => texts.push(text))
  const error = await thrown(stream.finalMessage(), Anthropic.APIError)
  expect(error).toMatchObject({ type, apiMessage: expect.stringMatching(/host.*charged/) })
  // An input token for each byte of the body and 256 more; a token for each four bytes begun of a text, no more than the limit.
  const input = JSON.stringify({ ...ask, stream: true }).length + 256
  const output = Math.min(
    texts.reduce((sum, text) => sum + Math.ceil(Buffer.byteLength(text) / 4), 0),
    40,
  )
  expect(output).toBeGreaterThan(0)
  await settled(gateway.db)
  const rows = await usageOf(gateway.db, id)
  expect(rows).toMatchObject([{ id: error.requestID, outcome: 'failed', estimated: 1, input_tokens: input, output_tokens: output }])
  expect(rows[0]?.cost_nano).toBe(1_000_000 + input * 1000 + output * 2000)
})

// What goes wrong with vendors' models, as each official SDK and `ai` throw it: their own class, the status, and what is charged.
import { createAnthropic } from '@ai-sdk/anthropic'
import { createOpenAI } from '@ai-sdk/openai'
import { createOpenAICompatible } from '@ai-sdk/openai-compatible'
import Anthropic from '@anthropic-ai/sdk'
import { APICallError, generateText, type LanguageModel, streamText } from 'ai'
import OldAnthropic from 'anthropic-sdk-0'
import OpenAI from 'openai'
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest'
import { newKey } from '../worker/keys.ts'
import type { Vendor } from '../worker/vendors/vendor-request.ts'
import type { TestCustomer } from './harness.ts'
import { expectProved, usageOf } from './ledger.ts'
import { all, type Paid, startPaid, thrown } from './paid.ts'
import { vendorFixture } from './vendors/fixtures.ts'

let paid: Paid

beforeAll(async () => {
  paid = await startPaid({ BODY_LIMIT_BYTES: '20000' })
})
afterEach(() => expectProved(paid.gateway.db))
afterAll(() => paid.close())

const messages = [{ role: 'user' as const, content: 'A word, please.' }]

/** A client of each, with a key, that asks once. */
const openaiOf = (apiKey: string) => new OpenAI({ apiKey, baseURL: `${paid.gateway.url}/v1`, maxRetries: 0, fetch: paid.fetch })
const anthropicOf = (apiKey: string) =>
  new Anthropic({ apiKey, authToken: null, baseURL: paid.gateway.url, maxRetries: 0, fetch: paid.fetch })
/** The old one is called in the same way. */
const oldAnthropicOf = (apiKey: string) =>
  new OldAnthropic({ apiKey, authToken: null, baseURL: paid.gateway.url, maxRetries: 0, fetch: paid.fetch }) as unknown as Anthropic

const chat = { model: 'gpt-4.1-test', messages, max_tokens: 40 }
const ask = { model: 'claude-test', messages, max_tokens: 40 }
const LONG = [{ role: 'user' as const, content: 'A word, please. '.repeat(2_000) }]

interface Trouble {
  /** What the vendor answers; it is not asked unless told. */
  exchange?: string
  customer?: TestCustomer
  key?: string
  body?: object
}

const UNKNOWN_KEY: Trouble = { key: newKey().key }
const NO_BUDGET: Trouble = { customer: { budgetUsd: '0.0000001' } }
const NOT_ALLOWED: Trouble = { customer: { budgetUsd: '1', key: { models: ['other:latest'] } } }

/** Plays it, and returns the key to ask with, and whose it is. */
async function meet(vendor: Vendor, { exchange, customer, key }: Trouble): Promise<{ id: number; key: string }> {
  const someone = await paid.someone(customer)
  if (exchange !== undefined) paid.gateway.vendors[vendor].play({ exchange: vendorFixture(vendor, exchange) })
  return { id: someone.id, key: key ?? someone.key }
}

/** What was asked of the vendor, and failed, costs nothing; what was not asked has no row. */
async function expectFree(customerId: number, { exchange }: Trouble): Promise<void> {
  await expectProved(paid.gateway.db)
  const rows = await usageOf(paid.gateway.db, customerId)
  expect(rows.map(({ outcome, cost_nano }) => [outcome, cost_nano])).toEqual(exchange === undefined ? [] : [['failed', 0]])
}

type ErrorClass = abstract new (...args: never[]) => Error & { status?: number | undefined; headers?: Headers | undefined }

const OPENAI: [what: string, errorClass: ErrorClass, error: object, trouble: Trouble][] = [
  ['a field that is refused', OpenAI.BadRequestError, { status: 400, param: 'prediction' }, { body: { prediction: { type: 'content' } } }],
  ['a field that the vendor refuses', OpenAI.BadRequestError, { status: 400, param: 'max_tokens' }, { exchange: 'error-400-max-tokens' }],
  ['an unknown key', OpenAI.AuthenticationError, { status: 401, code: 'invalid_api_key' }, UNKNOWN_KEY],
  ['an empty budget', OpenAI.APIError, { status: 402, code: 'budget_exceeded', type: 'insufficient_quota' }, NO_BUDGET],
  ['a model that the key may not use', OpenAI.PermissionDeniedError, { status: 403, code: 'model_not_allowed' }, NOT_ALLOWED],
  ['a model without a price', OpenAI.NotFoundError, { status: 404, param: 'model' }, { body: { model: 'gpt-none' } }],
  ['a model that the vendor has not', OpenAI.NotFoundError, { status: 404, code: 'model_not_found' }, { exchange: 'error-404-model' }],
  ['a model of the other vendor', OpenAI.BadRequestError, { status: 400, param: 'model' }, { body: { model: 'claude-test' } }],
  ['a request that is too large', OpenAI.APIError, { status: 413, code: 'body_too_large' }, { body: { messages: LONG } }],
  ["the vendor's rate limit", OpenAI.RateLimitError, { status: 429, code: 'rate_limited' }, { exchange: 'error-429-rate-limit' }],
  ["the operator's key", OpenAI.InternalServerError, { status: 502, code: 'upstream_error' }, { exchange: 'error-401-key' }],
  ["the operator's quota", OpenAI.InternalServerError, { status: 503, code: 'upstream_unavailable' }, { exchange: 'error-429-quota' }],
  ['a vendor that broke', OpenAI.InternalServerError, { status: 502, type: 'api_error' }, { exchange: 'error-500' }],
  ['an overloaded vendor', OpenAI.InternalServerError, { status: 503, code: 'upstream_overloaded' }, { exchange: 'error-503' }],
]

test.each(OPENAI)('openai: %s', async (_, errorClass, expected, trouble) => {
  const { id, key } = await meet('openai', trouble)
  const error = await thrown(openaiOf(key).chat.completions.create({ ...chat, ...trouble.body }), errorClass)
  expect(error).toMatchObject({ ...expected, requestID: expect.stringMatching(/^[0-9a-f-]{36}$/) })
  expect(error.message).toMatch(/^\d{3} \S+ \w/)
  await expectFree(id, trouble)
})

interface AnthropicTrouble extends Trouble {
  what: string
  status: number
  type: string
  /** The new SDK's class, and the old one's, which has fewer. */
  thrown: [current: ErrorClass, old: ErrorClass]
  words?: RegExp
}

const BAD_REQUEST: AnthropicTrouble['thrown'] = [Anthropic.BadRequestError, OldAnthropic.BadRequestError]
const NOT_FOUND: AnthropicTrouble['thrown'] = [Anthropic.NotFoundError, OldAnthropic.NotFoundError]
const UNAVAILABLE: AnthropicTrouble['thrown'] = [Anthropic.ServiceUnavailableError, OldAnthropic.InternalServerError]
const FAILED: AnthropicTrouble['thrown'] = [Anthropic.InternalServerError, OldAnthropic.InternalServerError]

const ANTHROPIC: AnthropicTrouble[] = [
  {
    ...{
      what: 'a field that is refused',
      status: 400,
      type: 'invalid_request_error',
      thrown: BAD_REQUEST,
      words: /inference_geo: regions/,
    },
    body: { inference_geo: 'us' },
  },
  { what: 'a field that the vendor refuses', status: 400, type: 'invalid_request_error', thrown: BAD_REQUEST, exchange: 'error-400' },
  {
    ...{ what: 'an unknown key', status: 401, type: 'authentication_error', ...UNKNOWN_KEY },
    thrown: [Anthropic.AuthenticationError, OldAnthropic.AuthenticationError],
  },
  {
    ...{ what: 'an empty budget', status: 402, type: 'billing_error', ...NO_BUDGET, words: /is left\. It renews at/ },
    thrown: [Anthropic.PaymentRequiredError, OldAnthropic.APIError],
  },
  {
    ...{ what: 'a model that the key may not use', status: 403, type: 'permission_error', ...NOT_ALLOWED },
    thrown: [Anthropic.PermissionDeniedError, OldAnthropic.PermissionDeniedError],
  },
  { what: 'a model without a price', status: 404, type: 'not_found_error', thrown: NOT_FOUND, body: { model: 'claude-none' } },
  { what: 'a model that the vendor has not', status: 404, type: 'not_found_error', thrown: NOT_FOUND, exchange: 'error-404-model' },
  {
    ...{ what: 'a request that is too large', status: 413, type: 'request_too_large', body: { messages: LONG } },
    thrown: [Anthropic.ContentTooLargeError, OldAnthropic.APIError],
  },
  {
    ...{ what: 'a request that is too large for the vendor', status: 413, type: 'request_too_large', exchange: 'error-413' },
    thrown: [Anthropic.ContentTooLargeError, OldAnthropic.APIError],
  },
  {
    ...{ what: "the vendor's rate limit", status: 429, type: 'rate_limit_error', exchange: 'error-429' },
    thrown: [Anthropic.RateLimitError, OldAnthropic.RateLimitError],
  },
  { what: "the operator's key", status: 502, type: 'api_error', thrown: FAILED, exchange: 'error-401-key' },
  { what: "the operator's credit", status: 503, type: 'api_error', thrown: UNAVAILABLE, exchange: 'error-402-billing' },
  { what: "the operator's credit, in older words", status: 503, type: 'api_error', thrown: UNAVAILABLE, exchange: 'error-400-credit' },
  { what: 'a vendor that broke', status: 502, type: 'api_error', thrown: FAILED, exchange: 'error-500' },
  { what: 'an overloaded vendor', status: 503, type: 'overloaded_error', thrown: UNAVAILABLE, exchange: 'error-529' },
]

test.each(ANTHROPIC.map((trouble) => [trouble.what, trouble] as const))('anthropic: %s', async (_, trouble) => {
  const [current, old] = trouble.thrown
  for (const [errorClass, clientOf] of [[current, anthropicOf] as const, [old, oldAnthropicOf] as const]) {
    const { id, key } = await meet('anthropic', trouble)
    const error = await thrown(clientOf(key).messages.create({ ...ask, ...trouble.body }), errorClass)
    expect(error).toMatchObject({ status: trouble.status, error: { type: 'error', error: { type: trouble.type } } })
    expect(error).toMatchObject({ requestID: expect.stringMatching(/^[0-9a-f-]{36}$/) })
    expect(error.message).toMatch(trouble.words ?? /^\d{3} \{/)
    await expectFree(id, trouble)
  }
})

test("a vendor's Retry-After is the caller's", async () => {
  const openai = await meet('openai', { exchange: 'error-429-rate-limit' })
  const ofOpenai = await thrown(openaiOf(openai.key).chat.completions.create(chat), OpenAI.RateLimitError)
  // 4.2 s, rounded up
  expect(ofOpenai.headers.get('retry-after')).toBe('5')
  const anthropic = await meet('anthropic', { exchange: 'error-429' })
  const ofAnthropic = await thrown(anthropicOf(anthropic.key).messages.create(ask), Anthropic.RateLimitError)
  expect(ofAnthropic.headers.get('retry-after')).toBe('7')
})

test.each([
  ['error-400', 400, Anthropic.BadRequestError],
  ['error-401-key', 502, Anthropic.InternalServerError],
  ['error-402-billing', 503, Anthropic.ServiceUnavailableError],
  ['error-404-model', 404, Anthropic.NotFoundError],
  ['error-429', 429, Anthropic.RateLimitError],
  ['error-529', 503, Anthropic.ServiceUnavailableError],
])('anthropic: what goes wrong in counting tokens is told as elsewhere: %s', async (exchange, status, errorClass: ErrorClass) => {
  const { id, key } = await meet('anthropic', { exchange })
  const counting = anthropicOf(key).messages.countTokens({ model: 'claude-test', messages })
  expect(await thrown(counting, errorClass)).toMatchObject({ status, requestID: expect.stringMatching(/^[0-9a-f-]{36}$/) })
  await expectFree(id, {})
})

test('openai: an error within a streamed chat is thrown by the SDK after what came before it', async () => {
  const { key } = await meet('openai', { exchange: 'chat-stream-error' })
  const pieces: string[] = []
  const read = async () => {
    for await (const chunk of await openaiOf(key).chat.completions.create({ ...chat, stream: true })) {
      pieces.push(chunk.choices[0]?.delta.content ?? '')
    }
  }
  await thrown(read(), OpenAI.APIError)
  expect(pieces.join('')).toMatch(/^Anchor/)
})

test("openai: the operator's quota within a streamed response is thrown by the SDK in the gateway's words", async () => {
  const { id, key } = await meet('openai', { exchange: 'responses-stream-failed' })
  const read = openaiOf(key).responses.create({ model: 'gpt-6-test', input: 'A word, please.', stream: true }).then(all)
  const error = await thrown(read, OpenAI.APIError)
  expect(error).toMatchObject({ code: 'upstream_unavailable', message: expect.stringContaining('operator') })
  await expectFree(id, { exchange: 'responses-stream-failed' })
})

test.each([
  ['in the midst of it', 'messages-stream-overloaded'],
  ['as its first event', 'messages-stream-error-first'],
])('anthropic: an overloaded vendor is thrown by both SDKs within a streamed message, %s', async (_, exchange) => {
  const current = await meet('anthropic', { exchange })
  const error = await thrown(anthropicOf(current.key).messages.stream(ask).finalMessage(), Anthropic.APIError)
  expect(error).toMatchObject({ status: undefined, type: 'overloaded_error' })
  const old = await meet('anthropic', { exchange })
  const events = oldAnthropicOf(old.key)
    .messages.create({ ...ask, stream: true })
    .then(all)
  expect(await thrown(events, OldAnthropic.APIError)).toMatchObject({ error: { error: { type: 'overloaded_error' } } })
})

interface Provider {
  vendor: Vendor
  model: (apiKey: string, id?: string) => LanguageModel
}

const settingsOf = (apiKey: string) => ({ apiKey, baseURL: `${paid.gateway.url}/v1`, fetch: paid.fetch })
const PROVIDERS: Record<string, Provider> = {
  '@ai-sdk/openai, chat': { vendor: 'openai', model: (key, id = 'gpt-4.1-test') => createOpenAI(settingsOf(key)).chat(id) },
  '@ai-sdk/openai, responses': { vendor: 'openai', model: (key, id = 'gpt-4.1-test') => createOpenAI(settingsOf(key))(id) },
  '@ai-sdk/openai-compatible': {
    vendor: 'openai',
    model: (key, id = 'gpt-4.1-test') => createOpenAICompatible({ ...settingsOf(key), name: 'gateway' })(id),
  },
  '@ai-sdk/anthropic': { vendor: 'anthropic', model: (key, id = 'claude-test') => createAnthropic(settingsOf(key))(id) },
}

interface AiTrouble extends Trouble {
  what: string
  status: number
  isRetryable: boolean
  model?: string
  /** The exchange, by vendor. */
  played?: Record<Vendor, string>
}

const AI: AiTrouble[] = [
  {
    what: 'a request that the vendor refuses',
    status: 400,
    isRetryable: false,
    played: { openai: 'error-400-max-tokens', anthropic: 'error-400' },
  },
  { what: 'an unknown key', status: 401, isRetryable: false, ...UNKNOWN_KEY },
  { what: 'an empty budget', status: 402, isRetryable: false, ...NO_BUDGET },
  { what: 'a model that the key may not use', status: 403, isRetryable: false, ...NOT_ALLOWED },
  { what: 'a model without a price', status: 404, isRetryable: false, model: 'none' },
  { what: "the vendor's rate limit", status: 429, isRetryable: true, played: { openai: 'error-429-rate-limit', anthropic: 'error-429' } },
  { what: "the operator's key", status: 502, isRetryable: true, played: { openai: 'error-401-key', anthropic: 'error-401-key' } },
  { what: "the operator's quota", status: 503, isRetryable: true, played: { openai: 'error-429-quota', anthropic: 'error-402-billing' } },
  { what: 'a vendor that broke', status: 502, isRetryable: true, played: { openai: 'error-500', anthropic: 'error-500' } },
  { what: 'an overloaded vendor', status: 503, isRetryable: true, played: { openai: 'error-503', anthropic: 'error-529' } },
]
const prompt = 'A word, please.'
const AI_CASES = Object.entries(PROVIDERS).flatMap(([name, provider]) =>
  AI.map((trouble) => [name, trouble.what, provider, trouble] as const),
)

test.each(AI_CASES)('ai, %s: %s', async (_, __, { vendor, model }, { status, isRetryable, played, model: id, ...trouble }) => {
  const met: Trouble = played === undefined ? trouble : { ...trouble, exchange: played[vendor] }
  const { id: customerId, key } = await meet(vendor, met)
  const call = generateText({ model: model(key, id), prompt, maxOutputTokens: 40, maxRetries: 0 })
  const error = await thrown(call, APICallError)
  expect(error).toMatchObject({ statusCode: status, isRetryable, message: expect.stringMatching(/^[A-Z"'a-z].*\w/) })
  expect(error.responseHeaders?.['x-request-id']).toMatch(/^[0-9a-f-]{36}$/)
  await expectFree(customerId, met)
})

test.each([
  ['@ai-sdk/openai, chat', 'chat-stream-error'],
  ['@ai-sdk/openai, responses', 'responses-stream-failed'],
  ['@ai-sdk/openai-compatible', 'chat-stream-error'],
  ['@ai-sdk/anthropic', 'messages-stream-overloaded'],
  ['@ai-sdk/anthropic', 'messages-stream-error-first'],
])('ai, %s: an error within a stream is told as such: %s', async (name, exchange) => {
  const { vendor, model } = PROVIDERS[name] as Provider
  const { key } = await meet(vendor, { exchange })
  const errors: unknown[] = []
  const onError = ({ error }: { error: unknown }) => void errors.push(error)
  const result = streamText({ model: model(key), prompt, maxOutputTokens: 40, maxRetries: 0, onError })
  const parts = await all(result.fullStream)
  expect(errors).toHaveLength(1)
  expect(parts.map(({ type }) => type)).toContain('error')
})

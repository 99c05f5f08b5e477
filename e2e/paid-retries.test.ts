// What SDKs do by themselves after an error: what is tried again reaches the vendor again and is billed once, and what cannot help is not tried.
import { createAnthropic } from '@ai-sdk/anthropic'
import { createOpenAI } from '@ai-sdk/openai'
import Anthropic from '@anthropic-ai/sdk'
import { generateText, RetryError, streamText } from 'ai'
import OldAnthropic from 'anthropic-sdk-0'
import OpenAI from 'openai'
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest'
import { newKey } from '../worker/keys.ts'
import type { Vendor } from '../worker/vendors/vendor-request.ts'
import type { TestCustomer } from './harness.ts'
import { expectProved, settled, usageOf } from './ledger.ts'
import { type Paid, startPaid } from './paid.ts'
import { type VendorExchange, vendorFixture } from './vendors/fixtures.ts'

let paid: Paid

beforeAll(async () => {
  paid = await startPaid()
})
afterEach(() => expectProved(paid.gateway.db))
afterAll(() => paid.close())

const prompt = 'A word, please.'
const messages = [{ role: 'user' as const, content: prompt }]

interface Client {
  vendor: Vendor
  /** The errors that the vendor gives in turn. */
  errors: [string, string]
  call: (apiKey: string, stream: boolean) => PromiseLike<unknown>
  /** Nano-dollars, in one piece and streamed. */
  cost: [number, number]
}

const twice = { maxRetries: 2 }
const openaiOf = (apiKey: string) => new OpenAI({ apiKey, baseURL: `${paid.gateway.url}/v1`, fetch: paid.fetch, ...twice })
const settings = () => ({ authToken: null, baseURL: paid.gateway.url, fetch: paid.fetch, ...twice })
const ask = { model: 'claude-test', messages, max_tokens: 40 }
const messageOf = (client: Anthropic, stream: boolean) =>
  stream ? client.messages.stream(ask).finalMessage() : client.messages.create(ask)

const OPENAI: Pick<Client, 'vendor' | 'errors'> = { vendor: 'openai', errors: ['error-500', 'error-503'] }
const ANTHROPIC: Pick<Client, 'vendor' | 'errors'> = { vendor: 'anthropic', errors: ['error-500', 'error-529'] }
const CLIENTS: Record<string, Client> = {
  'openai, chat': {
    ...OPENAI,
    call(apiKey, stream) {
      const { completions } = openaiOf(apiKey).chat
      const body = { model: 'gpt-4.1-test', messages, max_tokens: 40 }
      return stream ? completions.stream(body).finalChatCompletion() : completions.create(body)
    },
    // 14 × 2,000 + 8 × 8,000; 15 × 2,000 + 6 × 8,000
    cost: [92_000, 78_000],
  },
  'openai, responses': {
    ...OPENAI,
    call(apiKey, stream) {
      const { responses } = openaiOf(apiKey)
      const body = { model: 'gpt-4.1-test', input: prompt, max_output_tokens: 40 }
      return stream ? responses.stream(body).finalResponse() : responses.create(body)
    },
    // 12 × 2,000 + 7 × 8,000; 13 × 2,000 + 5 × 8,000
    cost: [80_000, 66_000],
  },
  '@anthropic-ai/sdk 1': {
    ...ANTHROPIC,
    call: (apiKey, stream) => messageOf(new Anthropic({ apiKey, ...settings() }), stream),
    // 12 × 3,000 + 7 × 15,000; 11 × 3,000 + 6 × 15,000
    cost: [141_000, 123_000],
  },
  '@anthropic-ai/sdk 0': {
    ...ANTHROPIC,
    call: (apiKey, stream) => messageOf(new OldAnthropic({ apiKey, ...settings() }) as unknown as Anthropic, stream),
    cost: [141_000, 123_000],
  },
  '@ai-sdk/openai': {
    ...OPENAI,
    call(apiKey, stream) {
      const model = createOpenAI({ apiKey, baseURL: `${paid.gateway.url}/v1`, fetch: paid.fetch })('gpt-4.1-test')
      const body = { model, prompt, maxOutputTokens: 40, ...twice }
      return stream ? streamText(body).text : generateText(body)
    },
    cost: [80_000, 66_000],
  },
  '@ai-sdk/anthropic': {
    ...ANTHROPIC,
    call(apiKey, stream) {
      const model = createAnthropic({ apiKey, baseURL: `${paid.gateway.url}/v1`, fetch: paid.fetch })('claude-test')
      const body = { model, prompt, maxOutputTokens: 40, ...twice }
      return stream ? streamText(body).text : generateText(body)
    },
    cost: [141_000, 123_000],
  },
}
const NAMED = Object.entries(CLIENTS)
/** Each waits some seconds, so not all of them both ways. */
const WAYS = NAMED.flatMap(([name, client]) =>
  (/^openai|sdk 1/.test(name) ? [false, true] : [true]).map((stream) => [name, stream, client] as const),
)

/** Has the vendor answer with these, and calls. Returns how often the gateway was asked, how often the vendor, and the rows of the ledger. */
async function tried({ vendor, call }: Client, stream: boolean, exchanges: VendorExchange[], customer?: TestCustomer, key?: string) {
  const someone = await paid.someone(customer)
  if (exchanges.length > 0) paid.gateway.vendors[vendor].play({ exchanges })
  const before = [paid.answers.length, paid.gateway.vendors[vendor].requests.length] as const
  const result = await call(key ?? someone.key, stream).then(
    () => 'answered' as const,
    (error: unknown) => error,
  )
  await settled(paid.gateway.db)
  const rows = await usageOf(paid.gateway.db, someone.id)
  return {
    result,
    asked: paid.answers.length - before[0],
    askedVendor: paid.gateway.vendors[vendor].requests.length - before[1],
    rows: rows.map(({ outcome, cost_nano }) => [outcome, cost_nano]),
    customerId: someone.id,
  }
}

const fixtures = (vendor: Vendor, names: readonly string[]) => names.map((name) => vendorFixture(vendor, name))

test.each(WAYS)('%s, stream: %s: what failed twice and was answered then is billed once', async (_, stream, client) => {
  const { result, asked, askedVendor, rows, customerId } = await tried(client, stream, fixtures(client.vendor, client.errors))
  expect([result, asked, askedVendor]).toEqual(['answered', 3, 3])
  const cost = client.cost[stream ? 1 : 0]
  expect(rows).toEqual([
    ['failed', 0],
    ['failed', 0],
    ['completed', cost],
  ])
  const spent = 'SELECT coalesce(sum(cost_nano), 0) AS spent FROM usage WHERE customer_id = ?'
  expect(await paid.gateway.db.prepare(spent).bind(customerId).first('spent')).toBe(cost)
})

const UNPAID: Record<Vendor, string> = { openai: 'error-429-quota', anthropic: 'error-402-billing' }
const REFUSED: Record<Vendor, string> = { openai: 'error-400-max-tokens', anthropic: 'error-400' }
const SDKS = NAMED.filter(([name]) => !name.startsWith('@ai-sdk'))

test.each(SDKS)("%s: the operator's unpaid bill is not asked for again", async (_, client) => {
  const { asked, askedVendor, rows } = await tried(client, false, fixtures(client.vendor, [UNPAID[client.vendor]]))
  expect([asked, askedVendor, rows]).toEqual([1, 1, [['failed', 0]]])
})

test.each(SDKS)("%s: the operator's refused key is not asked for again", async (_, client) => {
  const { asked, askedVendor, rows } = await tried(client, false, fixtures(client.vendor, ['error-401-key']))
  expect([asked, askedVendor, rows]).toEqual([1, 1, [['failed', 0]]])
})

test.each(NAMED)('%s: what the vendor refuses is not asked again', async (_, client) => {
  const { asked, askedVendor, rows } = await tried(client, false, fixtures(client.vendor, [REFUSED[client.vendor]]))
  expect([asked, askedVendor, rows]).toEqual([1, 1, [['failed', 0]]])
})

test.each(NAMED)('%s: an empty budget and an unknown key are not asked with again, and reach no vendor', async (_, client) => {
  const unpaid = await tried(client, false, [], { budgetUsd: '0.0000001' })
  expect([unpaid.asked, unpaid.askedVendor, unpaid.rows]).toEqual([1, 0, []])
  const unknown = await tried(client, true, [], undefined, newKey().key)
  expect([unknown.asked, unknown.askedVendor, unknown.rows]).toEqual([1, 0, []])
})

test('ai does not know x-should-retry: it asks again what cannot help, for nothing', async () => {
  const client = CLIENTS['@ai-sdk/openai'] as Client
  const { result, askedVendor, rows } = await tried(client, false, fixtures('openai', Array(3).fill('error-429-quota')))
  expect(result).toBeInstanceOf(RetryError)
  expect([askedVendor, rows]).toEqual([
    3,
    [
      ['failed', 0],
      ['failed', 0],
      ['failed', 0],
    ],
  ])
})

test("a vendor's rate limit is waited for as long as the vendor says", async () => {
  // 4.2 s, in whole seconds
  const startMs = performance.now()
  const client = CLIENTS['openai, chat'] as Client
  const { result, askedVendor, rows } = await tried(client, false, fixtures('openai', ['error-429-rate-limit']))
  expect([result, askedVendor, rows]).toEqual([
    'answered',
    2,
    [
      ['failed', 0],
      ['completed', 92_000],
    ],
  ])
  expect(performance.now() - startMs).toBeGreaterThan(4_900)
})

test('a request that failed holds nothing: with a budget for one at a time, the next try is admitted', async () => {
  const client = CLIENTS['openai, chat'] as Client
  const { result, rows, customerId } = await tried(client, false, fixtures('openai', client.errors), {
    budgetUsd: '0.0009',
    concurrency: 1,
  })
  expect([result, rows.length, rows.at(-1)]).toEqual(['answered', 3, ['completed', 92_000]])
  const holds = (await usageOf(paid.gateway.db, customerId)).map((row) => row.hold_nano)
  // Two of them would be more than $0.0009.
  expect(Math.min(...holds)).toBeGreaterThan(450_000)
})

// Test support: a gateway in front of the vendors' stand-ins, and what may pass between a customer and a vendor.
import { expect } from 'vitest'
import { isObject } from '../worker/json.ts'
import { anthropicCountTokensRequest, anthropicMessagesRequest } from '../worker/vendors/anthropic-messages-request.ts'
import { openaiChatRequest } from '../worker/vendors/openai-chat-request.ts'
import { openaiCompletionsRequest } from '../worker/vendors/openai-completions-request.ts'
import { openaiEmbeddingsRequest } from '../worker/vendors/openai-embeddings-request.ts'
import { openaiResponsesRequest } from '../worker/vendors/openai-responses-request.ts'
import { VENDORS, type Vendor, type VendorRequest } from '../worker/vendors/vendor-request.ts'
import { startTestGateway, type TestCustomer, type TestGateway, VENDOR_KEYS } from './harness.ts'
import { settled, type UsageRow, usageOf } from './ledger.ts'
import type { VendorExchange } from './vendors/fixtures.ts'
import type { ReceivedRequest } from './vendors/request.ts'

/** An answer of the gateway, as its caller got it. */
interface Answered {
  path: string
  status: number
  headers: Headers
  /** Once all of it is there. */
  text: Promise<string>
}

export interface Paid {
  gateway: TestGateway
  /** For SDKs: sends what no vendor should see beside what they send, and keeps the answers. */
  fetch: typeof fetch
  /** One for each time that somebody asked, oldest first. */
  answers: Answered[]
  /** A customer with $1, unless told. */
  someone(customer?: TestCustomer): Promise<{ id: number; key: string }>
  /** The one row of a customer, once it is there. */
  bill(customerId: number): Promise<UsageRow>
  /** Fails for anything that passed and should not have, in all that was asked; stops the gateway. */
  close(): Promise<void>
}

/** What a client, a browser or a proxy may send along, and no vendor is to see. */
const STRAY = {
  cookie: 'session=customers-own',
  'openai-organization': 'org-customers-own',
  'openai-project': 'proj_customers_own',
  'anthropic-workspace-id': 'wrkspc_customers_own',
  'anthropic-user-profile-id': 'user_customers_own',
  'anthropic-dangerous-direct-browser-access': 'true',
  'idempotency-key': 'idempotent-customers-own',
  'x-stainless-lang': 'js',
  'x-forwarded-for': '192.0.2.7',
  'x-real-ip': '192.0.2.7',
  origin: 'https://customers-own.example',
}

/** Starts it with a price for each model of this file. */
export async function startPaid(vars: Record<string, string> = {}): Promise<Paid> {
  const gateway = await startTestGateway({ vendors: VENDORS, vars })
  // In nano-dollars a token: 2,000 for input, 200 where it is cached, 2,500 where it is written to the cache, 8,000 for output.
  const openai = { input: '2', cachedInput: '0.2', cacheWrite: '2.5', cacheWriteLong: '4', output: '8', upstream: 'openai' as const }
  for (const model of ['gpt-6-test', 'gpt-4.1-test', 'instruct-test']) await gateway.setPrice(model, openai)
  // 20 a token.
  await gateway.setPrice('embed-test', { input: '0.02', upstream: 'openai' })
  // 3,000 for input, 300 where it is cached, 3,750 or 6,000 where it is written to the cache, 15,000 for output.
  const anthropic = { input: '3', cachedInput: '0.3', cacheWrite: '3.75', cacheWriteLong: '6', output: '15' }
  await gateway.setPrice('claude-test', { ...anthropic, upstream: 'anthropic' })
  const answers: Answered[] = []
  const keys: string[] = []
  return {
    gateway,
    answers,
    async fetch(input, init) {
      const request = new Request(input, init)
      for (const [name, value] of Object.entries(STRAY)) request.headers.set(name, value)
      const answer = await fetch(request)
      const { status, headers } = answer
      const text = answer.clone().text()
      // Whoever leaves an answer before its end has no text of it.
      answers.push({ path: new URL(request.url).pathname, status, headers, text: text.catch(() => '') })
      return answer
    },
    async someone(customer = { budgetUsd: '1' }) {
      const { id, key } = await gateway.makeCustomer(customer)
      keys.push(key)
      return { id, key }
    },
    async bill(customerId) {
      await settled(gateway.db)
      const rows = await usageOf(gateway.db, customerId)
      expect(rows).toHaveLength(1)
      return rows[0] as UsageRow
    },
    async close() {
      try {
        for (const vendor of VENDORS) for (const request of gateway.vendors[vendor].requests) expectClean(vendor, request, keys)
        for (const answer of answers) await expectOurs(answer)
        expectNoSecrets(JSON.stringify(gateway.logs), [...keys, ...Object.values(VENDOR_KEYS)])
      } finally {
        await gateway.stop()
      }
    },
  }
}

const READERS: Record<string, VendorRequest> = {
  '/v1/chat/completions': openaiChatRequest,
  '/v1/completions': openaiCompletionsRequest,
  '/v1/embeddings': openaiEmbeddingsRequest,
  '/v1/responses': openaiResponsesRequest,
  '/v1/messages': anthropicMessagesRequest,
  '/v1/messages/count_tokens': anthropicCountTokensRequest,
}

const HEADERS: Record<Vendor, string[]> = {
  openai: ['accept', 'authorization', 'content-type'],
  anthropic: ['accept', 'anthropic-version', 'content-type', 'x-api-key'],
}
/** What the runtime adds; `cf-worker` names the zone that the Worker runs in. */
const RUNTIME_HEADERS = ['cf-worker', 'content-length', 'host']

/** A request is the gateway's own: its key, its headers, its fields, and nothing of whoever asked. */
function expectClean(vendor: Vendor, request: ReceivedRequest, keys: readonly string[]): void {
  const names = request.headers.map(([name]) => name.toLowerCase()).filter((name) => name !== 'anthropic-beta')
  expect(names.sort()).toEqual([...HEADERS[vendor], ...RUNTIME_HEADERS].sort())
  expect(request.header('authorization') ?? request.header('x-api-key')).toBe(
    vendor === 'openai' ? `Bearer ${VENDOR_KEYS.openai}` : VENDOR_KEYS.anthropic,
  )
  for (const beta of request.header('anthropic-beta')?.split(',') ?? []) expect(PASSED_BETAS).toContain(beta)
  const sent = `${request.path} ${JSON.stringify(request.headers)} ${request.text}`
  expectNoSecrets(sent, keys)
  for (const value of Object.values(STRAY).filter((stray) => stray.length > 4)) expect(sent).not.toContain(value)

  // Neither a query nor a path of the caller's.
  const reader = READERS[request.path]
  if (reader === undefined || !isObject(request.body)) throw new Error(`asked ${vendor} for ${request.path}: ${request.text}`)
  const { passed, pinned } = reader.fields
  const known = [...Object.keys(passed), ...Object.keys(pinned)]
  expect(Object.keys(request.body).filter((field) => !known.includes(field))).toEqual([])
  expect(request.body).toMatchObject(pinned)
  if (request.path !== '/v1/responses' && vendor === 'openai' && request.body.stream === true) {
    expect(request.body.stream_options).toMatchObject({ include_usage: true })
  }
}

/** Betas that tests and SDKs ask for, and that may pass. */
const PASSED_BETAS = ['interleaved-thinking-2025-05-14', 'fine-grained-tool-streaming-2025-05-14', 'structured-outputs-2025-11-13']

/** What a vendor says of the operator's account, in headers and in words. */
const OPERATORS_HEADERS = /^(openai-|anthropic-|x-ratelimit-(limit|remaining|reset)-|retry-after-ms$|cf-|set-cookie|server$|via$)/
const IDENTITY =
  /org[-_ ][a-z0-9]*(madeup|example)|proj_|wrkspc_|sk-[a-z]|platform\.openai\.com\/(account|settings)|console\.anthropic\.com/i

/** An answer is the gateway's own: its id, and nothing of the operator's. */
async function expectOurs({ headers, text }: Answered): Promise<void> {
  const said = await text
  expect([...headers.keys()].filter((name) => OPERATORS_HEADERS.test(name))).toEqual([])
  expect(headers.get('x-request-id')).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-/)
  expect(headers.get('request-id') ?? headers.get('x-request-id')).toBe(headers.get('x-request-id'))
  const all = `${JSON.stringify([...headers])} ${said}`
  expectNoSecrets(all, Object.values(VENDOR_KEYS))
  expect(all).not.toMatch(IDENTITY)
}

function expectNoSecrets(text: string, keys: readonly string[]): void {
  for (const key of keys) expect(text).not.toContain(key.slice(3))
}

/** An exchange whose only text is another one. */
export function saying(exchange: VendorExchange, text: string, instead: string): VendorExchange {
  const inJson = (value: string) => JSON.stringify(value).slice(1, -1)
  if (!exchange.body.includes(inJson(text))) throw new Error(`${exchange.name} does not say ${text}`)
  return { ...exchange, body: exchange.body.replaceAll(inJson(text), inJson(instead)) }
}

export async function all<T>(stream: AsyncIterable<T>): Promise<T[]> {
  const items: T[] = []
  for await (const item of stream) items.push(item)
  return items
}

/** What a call is rejected with: an error of exactly this class. */
export async function thrown<T>(call: PromiseLike<unknown>, errorClass: abstract new (...args: never[]) => T): Promise<T> {
  const error = await call.then(
    () => new Error('the call was answered'),
    (reason: unknown) => reason,
  )
  expect((error as Error).constructor).toBe(errorClass)
  return error as T
}

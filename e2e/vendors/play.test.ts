// What a test has a vendor's stand-in do: play an exchange, in pieces, late, broken, or never to its end.
import { once } from 'node:events'
import { request as httpRequest, type IncomingMessage } from 'node:http'
import Anthropic from '@anthropic-ai/sdk'
import OpenAI from 'openai'
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest'
import { VENDORS } from '../../worker/vendors/vendor-request.ts'
import { vendorCaptures, vendorFixture, vendorFixtures } from './fixtures.ts'
import { startVendor, type VendorServer } from './server.ts'

const KEY = 'sk-madeup-0123456789'
const MESSAGES = [{ role: 'user' as const, content: 'A word, please.' }]
const CHAT = { model: 'gpt-4.1', messages: MESSAGES }
const MESSAGE = { model: 'claude-test', max_tokens: 9, messages: MESSAGES }
const HEADERS = { authorization: `Bearer ${KEY}` }

let openai: VendorServer
let anthropic: VendorServer
let gpt: OpenAI
let claude: Anthropic

beforeAll(async () => {
  openai = await startVendor('openai', { apiKey: KEY })
  anthropic = await startVendor('anthropic', { apiKey: KEY })
  gpt = new OpenAI({ apiKey: KEY, baseURL: `${openai.url}/v1`, maxRetries: 0 })
  claude = new Anthropic({ apiKey: KEY, baseURL: anthropic.url, maxRetries: 0 })
})
beforeEach(() => {
  openai.requests.length = 0
  anthropic.requests.length = 0
})
afterAll(() => Promise.all([openai.close(), anthropic.close()]))

function postMessage(): Promise<Response> {
  const headers = { 'x-api-key': KEY, 'anthropic-version': '2023-06-01' }
  return fetch(`${anthropic.url}/v1/messages`, { method: 'POST', headers, body: JSON.stringify(MESSAGE) })
}

async function all<T>(stream: AsyncIterable<T>): Promise<T[]> {
  const items: T[] = []
  for await (const item of stream) items.push(item)
  return items
}

function post(body: unknown, signal?: AbortSignal): Promise<Response> {
  const init = { method: 'POST', headers: HEADERS, body: JSON.stringify(body) }
  return fetch(`${openai.url}/v1/chat/completions`, signal ? { ...init, signal } : init)
}

const everything = VENDORS.flatMap((vendor) =>
  [...vendorFixtures(vendor), ...vendorCaptures(vendor)].map((exchange) => ({ id: `${vendor}/${exchange.name}`, vendor, exchange })),
)

test.each(everything)('played: $id, byte for byte', async ({ vendor, exchange }) => {
  const server = vendor === 'openai' ? openai : anthropic
  server.play({ exchange })
  const response = await (vendor === 'openai' ? post(CHAT) : postMessage())
  const { date, ...headers } = exchange.headers
  expect(response.status).toBe(exchange.status)
  expect(Object.fromEntries(response.headers)).toMatchObject(headers)
  expect(await response.text()).toBe(exchange.body)
  expect(server.requests[0]).toMatchObject({ answer: exchange.name, status: exchange.status })
})

test('the SDKs read played errors and streams as the vendor means them', async () => {
  openai.play({
    exchanges: ['error-429-quota', 'chat-stream-error', 'responses-stream-failed'].map((name) => vendorFixture('openai', name)),
  })
  await expect(gpt.chat.completions.create(CHAT)).rejects.toMatchObject({ status: 429, code: 'insufficient_quota' })
  await expect(gpt.chat.completions.create({ ...CHAT, stream: true }).then(all)).rejects.toThrow('Something broke')
  await expect(gpt.responses.create({ model: 'm', input: 'x', stream: true }).then(all)).rejects.toThrow('quota')
  anthropic.play({ exchanges: ['error-529', 'messages-stream-overloaded'].map((name) => vendorFixture('anthropic', name)) })
  await expect(claude.messages.create(MESSAGE)).rejects.toMatchObject({ status: 529, type: 'overloaded_error' })
  await expect(claude.messages.stream(MESSAGE).finalMessage()).rejects.toThrow('Overloaded')
  anthropic.play({ exchange: vendorFixture('anthropic', 'messages-stream-no-stop') })
  await expect(claude.messages.stream(MESSAGE).finalMessage()).rejects.toThrow()
})

test('a request that is refused leaves what was played to the next one', async () => {
  openai.play({ exchange: vendorFixture('openai', 'error-503') })
  expect((await post({ ...CHAT, num_ctx: 1 })).status).toBe(400)
  expect((await post(CHAT)).status).toBe(503)
  expect((await post(CHAT)).status).toBe(200)
  expect(openai.requests.map(({ answer }) => answer)).toEqual([null, 'error-503', 'chat-json'])
  expect(() => openai.play({ exchanges: [] })).toThrow()
  expect(() => openai.play({ exchanges: [], exchange: vendorFixture('openai', 'error-503') })).toThrow()
})

test('pieces: the body arrives in parts of so many bytes, and is the same', async () => {
  const exchange = vendorFixture('openai', 'chat-stream-tools')
  openai.play({ exchange, chunkBytes: 7 })
  // fetch may join what it was given in pieces; Node's own client does not.
  const req = httpRequest(`${openai.url}/v1/chat/completions`, { method: 'POST', headers: HEADERS })
  req.end(JSON.stringify({ ...CHAT, stream: true }))
  const [response] = (await once(req, 'response')) as [IncomingMessage]
  const parts: Buffer[] = []
  response.on('data', (part: Buffer) => parts.push(part))
  await once(response, 'end')
  expect(Buffer.concat(parts).toString()).toBe(exchange.body)
  expect(parts.map((part) => part.length)).toEqual([...Array(Math.floor(exchange.body.length / 7)).fill(7), exchange.body.length % 7])
})

test('break: the connection ends within the body, and it was not the caller who left', async () => {
  const exchange = vendorFixture('openai', 'chat-stream-usage')
  openai.play({ exchange, breakAfterBytes: 300, chunkBytes: 64 })
  const reader = (await post({ ...CHAT, stream: true })).body?.getReader()
  let text = ''
  const broken = (async () => {
    for (let part = await reader?.read(); part?.value !== undefined; part = await reader?.read()) text += Buffer.from(part.value).toString()
  })()
  await expect(broken).rejects.toThrow()
  expect(text).toBe(exchange.body.slice(0, 300))
  expect(await openai.requests[0]?.closed).toBe(false)
  openai.play({ breakAfterBytes: 0 })
  await expect(post(CHAT).then((response) => response.text())).rejects.toThrow()
})

test('hold: a stream stands still after its first events until it is released', async () => {
  const { held, release } = openai.play({ exchange: vendorFixture('openai', 'chat-stream-usage'), holdOpen: 2 })
  const stream = (await gpt.chat.completions.create({ ...CHAT, stream: true }))[Symbol.asyncIterator]()
  await stream.next()
  await stream.next()
  await held
  const third = stream.next()
  const pending = Symbol('pending')
  expect(await Promise.race([third, new Promise((resolve) => setTimeout(resolve, 30, pending))])).toBe(pending)
  release()
  expect((await third).value).toMatchObject({ object: 'chat.completion.chunk' })
  while (!(await stream.next()).done);
  expect(await openai.requests[0]?.closed).toBe(false)
})

test('hold: a caller that leaves a stream that stands still has left early', async () => {
  const { held } = anthropic.play({ holdOpen: 1 })
  const arrived = anthropic.nextRequest()
  const stream = claude.messages.stream(MESSAGE)
  const failed = expect(stream.finalMessage()).rejects.toThrow()
  await held
  stream.abort()
  await failed
  expect(await (await arrived).closed).toBe(true)
})

test('hold: after the last event the answer is all there, but not at its end', async () => {
  const exchange = vendorFixture('openai', 'chat-stream-usage')
  const { held, release } = openai.play({ exchange, holdOpen: 1_000 })
  const response = await post({ ...CHAT, stream: true })
  await held
  release()
  expect(await response.text()).toBe(exchange.body)
})

test('silence: no header before its time, or ever', async () => {
  openai.play({ delayMs: 80 })
  const before = performance.now()
  await post(CHAT)
  expect(performance.now() - before).toBeGreaterThanOrEqual(75)
  openai.play({ delayMs: Number.POSITIVE_INFINITY })
  const arrived = openai.nextRequest()
  const leaving = new AbortController()
  const failed = expect(post(CHAT, leaving.signal)).rejects.toThrow()
  const request = await arrived
  leaving.abort()
  await failed
  expect(await request.closed).toBe(true)
})

test('pace: a pause between two events', async () => {
  openai.play({ exchange: vendorFixture('openai', 'completions-stream'), pace: 20 })
  const before = performance.now()
  await (await post({ ...CHAT, stream: true })).text()
  // Five events, four pauses.
  expect(performance.now() - before).toBeGreaterThanOrEqual(75)
})

test('close: what is still held ends, and no caller is said to have left', async () => {
  const vendor = await startVendor('openai', { apiKey: KEY })
  const { held } = vendor.play({ holdOpen: 0 })
  const call = fetch(`${vendor.url}/v1/chat/completions`, {
    method: 'POST',
    headers: HEADERS,
    body: JSON.stringify({ ...CHAT, stream: true }),
  })
  const failed = expect(call.then((response) => response.text())).rejects.toThrow()
  await held
  await vendor.close()
  await failed
  expect(await vendor.requests[0]?.closed).toBe(false)
})

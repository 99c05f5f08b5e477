// The official `ollama` package, unmodified, against the gateway: what it is answered, what is kept from it, and what each call costs.
import { Ollama } from 'ollama'
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from 'vitest'
import type { Fault } from '../host/stand-in/server.ts'
import { startTestGateway, type TestCustomer, type TestGateway } from './harness.ts'
import { expectProved, settled, type UsageRow, usageOf } from './ledger.ts'

let gateway: TestGateway
let client: Ollama
let customerId: number

beforeAll(async () => {
  gateway = await startTestGateway({ vars: { FIRST_BYTE_TIMEOUT_SECONDS: '1', IDLE_TIMEOUT_SECONDS: '1' } })
  // In nano-dollars: 1,000,000 a request, 1,000 an input token, 2,000 an output token; 10,000 an embedded one.
  await gateway.setPrice('gemma3:270m', { request: '0.001', input: '1', output: '2' })
  await gateway.setPrice('toy-tools:latest', { request: '0.001', input: '1', output: '2' })
  await gateway.setPrice('embed-small:latest', { request: '0.001', input: '10' })
})
beforeEach(async () => {
  gateway.standIn.reset()
  ;({ client, id: customerId } = await someone())
})
afterEach(() => expectProved(gateway.db))
afterAll(() => gateway.stop())

async function someone(customer: TestCustomer = { budgetUsd: '1' }): Promise<{ client: Ollama; id: number }> {
  const { id, key } = await gateway.makeCustomer(customer)
  return { id, client: new Ollama({ host: gateway.url, headers: { Authorization: `Bearer ${key}` } }) }
}

const messages = [{ role: 'user', content: 'Why is the sky blue?' }]
const chat = { model: 'gemma3:270m', messages, options: { num_predict: 40 } }
const prompt = { model: 'gemma3:270m', prompt: 'Why is the sky blue?', options: { num_predict: 40 } }

async function all<T>(stream: AsyncIterable<T>): Promise<T[]> {
  const items: T[] = []
  for await (const item of stream) items.push(item)
  return items
}

/** The one row of this test's customer. */
async function bill(): Promise<UsageRow | undefined> {
  await settled(gateway.db)
  const rows = await usageOf(gateway.db, customerId)
  expect(rows).toHaveLength(1)
  return rows[0]
}

test.each([true, false])('a chat, streamed: %s', async (stream) => {
  const parts = stream ? await all(await client.chat({ ...chat, stream: true })) : [await client.chat(chat)]
  expect(parts.map(({ message }) => message.content).join('')).toMatch(/\w/)
  expect(parts.at(-1)).toMatchObject({ model: 'gemma3:270m', done: true, done_reason: 'length', prompt_eval_count: 15, eval_count: 40 })
  // 1,000,000 + 15 × 1,000 + 40 × 2,000
  expect(await bill()).toMatchObject({ dialect: 'ollama-chat', outcome: 'completed', cost_nano: 1_095_000, estimated: 0 })
})

test.each([true, false])('a generated text, streamed: %s', async (stream) => {
  const parts = stream ? await all(await client.generate({ ...prompt, stream: true })) : [await client.generate(prompt)]
  expect(parts.map(({ response }) => response).join('')).toMatch(/\w/)
  expect(parts.at(-1)).toMatchObject({ done: true, prompt_eval_count: 15, eval_count: 40, context: expect.any(Array) })
  // 1,000,000 + 15 × 1,000 + 40 × 2,000
  expect(await bill()).toMatchObject({ dialect: 'ollama-generate', outcome: 'completed', cost_nano: 1_095_000, estimated: 0 })
})

test.each([true, false])('a chat calls a tool, streamed: %s', async (stream) => {
  const tools = [
    {
      type: 'function',
      function: {
        name: 'get_weather',
        description: 'The weather in a city',
        parameters: { type: 'object', properties: { city: { type: 'string' } } },
      },
    },
  ]
  const body = { model: 'toy-tools', messages, tools }
  const parts = stream ? await all(await client.chat({ ...body, stream: true })) : [await client.chat(body)]
  const calls = parts.flatMap(({ message }) => message.tool_calls ?? [])
  expect(calls).toMatchObject([{ function: { name: expect.stringMatching(/\w/), arguments: expect.any(Object) } }])
  // 1,000,000 + 259 × 1,000 + 28 × 2,000
  expect(await bill()).toMatchObject({ model: 'toy-tools:latest', outcome: 'completed', cost_nano: 1_315_000, estimated: 0 })
})

test.each([true, false])('thinking is handed out and counted, streamed: %s', async (stream) => {
  const body = { model: 'toy-tools', messages, think: true }
  const parts = stream ? await all(await client.chat({ ...body, stream: true })) : [await client.chat(body)]
  expect(parts.map(({ message }) => message.thinking ?? '').join('')).toMatch(/\w/)
  // 1,000,000 + 145 × 1,000 + 24 × 2,000
  expect(await bill()).toMatchObject({ outcome: 'completed', cost_nano: 1_193_000, estimated: 0 })
})

test('texts are embedded', async () => {
  const { embeddings } = await client.embed({ model: 'embed-small', input: 'red' })
  expect([embeddings.length, typeof embeddings[0]?.[0]]).toEqual([1, 'number'])
  // 1,000,000 + 3 × 10,000
  expect(await bill()).toMatchObject({ dialect: 'ollama-embed', outcome: 'completed', cost_nano: 1_030_000, estimated: 0 })
})

test('the old embeddings have no count and are charged by the bytes of the text', async () => {
  const { embedding } = await client.embeddings({ model: 'embed-small', prompt: 'grün' })
  expect(embedding.length).toBeGreaterThan(0)
  // 1,000,000 + 5 bytes × 10,000
  expect(await bill()).toMatchObject({ dialect: 'ollama-embeddings', outcome: 'completed', cost_nano: 1_050_000, estimated: 1 })
})

test('models are listed: those that have a price and that the key may use', async () => {
  const names = async (someone: Ollama) => (await someone.list()).models.map(({ name }) => name).sort()
  expect(await names(client)).toEqual(['embed-small:latest', 'gemma3:270m', 'toy-tools:latest'])
  const { client: other } = await someone({ budgetUsd: '1', key: { models: ['toy-tools:latest'] } })
  expect(await names(other)).toEqual(['toy-tools:latest'])
})

test('what is loaded is shown to those who may use it only', async () => {
  expect((await client.ps()).models.map(({ name }) => name)).toEqual(['gemma3:270m'])
  const { client: other } = await someone({ budgetUsd: '1', key: { models: ['toy-tools:latest'] } })
  expect((await other.ps()).models).toEqual([])
})

test("a model is shown without what is its owner's", async () => {
  const shown = await client.show({ model: 'gemma3:270m' })
  expect(shown).toMatchObject({ capabilities: ['completion'], details: { family: 'gemma3' }, model_info: expect.any(Object) })
  for (const field of ['modelfile', 'template', 'system', 'messages', 'tensors', 'projector_info']) expect(shown).not.toHaveProperty(field)
  await expect(client.show({ model: 'chat-small' })).rejects.toMatchObject({ name: 'ResponseError', status_code: 404 })
})

test('the version is the host’s, and needs no key', async () => {
  expect(await new Ollama({ host: gateway.url }).version()).toEqual({ version: expect.stringMatching(/^\d+\.\d+/) })
})

test('a chat without messages is answered as loaded, for nothing and without the host', async () => {
  expect(await client.chat({ model: 'gemma3:270m' })).toMatchObject({ done: true, done_reason: 'load' })
  await expect(client.generate({ model: 'gemma3:270m', prompt: '', keep_alive: 0 })).rejects.toMatchObject({ status_code: 403 })
  expect(gateway.standIn.requests).toEqual([])
  expect(await usageOf(gateway.db, customerId)).toEqual([])
})

test.each<[string, () => Promise<unknown>]>([
  ['pull', () => client.pull({ model: 'gemma3:270m' })],
  ['pull, streamed', () => client.pull({ model: 'gemma3:270m', stream: true })],
  ['push', () => client.push({ model: 'gemma3:270m' })],
  ['create', () => client.create({ model: 'mine', from: 'gemma3:270m' })],
  ['copy', () => client.copy({ source: 'gemma3:270m', destination: 'mine' })],
  ['delete', () => client.delete({ model: 'gemma3:270m' })],
])("%s is the owner's alone, and does not reach the host", async (_, call) => {
  await expect(call()).rejects.toMatchObject({ name: 'ResponseError', status_code: 403, error: expect.stringContaining('owner alone') })
  expect(gateway.standIn.requests).toEqual([])
})

test('errors are ResponseErrors in the words of the gateway', async () => {
  const error = (status_code: number, words: RegExp) => ({ name: 'ResponseError', status_code, error: expect.stringMatching(words) })
  await expect(new Ollama({ host: gateway.url }).chat(chat)).rejects.toMatchObject(error(401, /API key is missing/))
  const { client: poor } = await someone({ budgetUsd: '0.0005' })
  await expect(poor.chat(chat)).rejects.toMatchObject(error(402, /\$0\.0005 is left.*renews at/))
  const { client: narrow } = await someone({ budgetUsd: '1', key: { models: ['toy-tools:latest'] } })
  await expect(narrow.chat(chat)).rejects.toMatchObject(error(403, /may not use.*gemma3:270m/))
  await expect(client.chat({ ...chat, model: 'nope' })).rejects.toMatchObject(error(404, /nope.*not offered/))
  await expect(client.chat({ ...chat, options: { num_predict: -1 } })).rejects.toMatchObject(error(400, /num_predict.*positive/))
  const { client: busy } = await someone({ budgetUsd: '1', rpm: 1 })
  await busy.chat(chat)
  await expect(busy.chat(chat)).rejects.toMatchObject(error(429, /a minute/))
})

const FAULTS: [fault: Fault, status: number, words: RegExp][] = [
  [{ kind: 'status', status: 500, body: { error: 'runner died' } }, 502, /operator has the cause/],
  [{ kind: 'status', status: 503, body: { error: 'server busy' } }, 503, /as many requests as it takes/],
  [{ kind: 'redirect', location: 'http://127.0.0.1:9/' }, 502, /operator has the cause/],
  [{ kind: 'no-header' }, 504, /too long to begin/],
]

test.each(FAULTS)('the fault %o of the host is a %i for nothing', async (fault, status_code, words) => {
  gateway.standIn.fault(fault)
  await expect(client.chat(chat)).rejects.toMatchObject({ name: 'ResponseError', status_code, error: expect.stringMatching(words) })
  expect(await bill()).toMatchObject({ outcome: 'failed', cost_nano: 0 })
})

const BREAKS: [fault: Fault, words: RegExp][] = [
  [{ kind: 'no-terminator' }, /broke off its answer.*charged/],
  [{ kind: 'error-line', afterChunks: 8 }, /./],
  [{ kind: 'broken', afterChunks: 8 }, /broke off its answer.*charged/],
  [{ kind: 'stall', afterChunks: 8 }, /fell silent.*charged/],
]

test.each(BREAKS)('a stream that breaks in the middle throws: %o', async (fault, words) => {
  gateway.standIn.fault(fault)
  const texts: string[] = []
  const body = { ...chat, stream: true as const }
  const reading = (async () => {
    for await (const { message } of await client.chat(body)) texts.push(message.content)
  })()
  await expect(reading).rejects.toThrow(words)
  // An input token for each byte of the body and 256 more; a token for each four bytes begun of a text, no more than the limit.
  const input = JSON.stringify(body).length + 256
  const output = Math.min(
    texts.reduce((sum, text) => sum + Math.ceil(Buffer.byteLength(text) / 4), 0),
    40,
  )
  expect(output).toBeGreaterThan(0)
  const row = await bill()
  expect(row).toMatchObject({ outcome: 'failed', estimated: 1, input_tokens: input, output_tokens: output })
  expect(row?.cost_nano).toBe(1_000_000 + input * 1000 + output * 2000)
})

test('a caller who aborts is an abandoned request, charged for what was delivered', async () => {
  gateway.standIn.setPace(20)
  const stream = await client.chat({ ...chat, stream: true })
  let seen = 0
  const reading = (async () => {
    for await (const _ of stream) if (++seen === 3) client.abort()
  })()
  await expect(reading).rejects.toThrow(/abort/i)
  gateway.standIn.setPace('instant')
  const row = await bill()
  expect(row).toMatchObject({ outcome: 'abandoned', estimated: 1 })
  // At least 1,000,000 + 3 × 2,000
  expect(row?.cost_nano).toBeGreaterThanOrEqual(1_006_000)
})

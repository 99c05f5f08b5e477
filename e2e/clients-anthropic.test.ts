// The official `@anthropic-ai/sdk`, unmodified, against the gateway: what it is answered, and what each call costs.
import Anthropic from '@anthropic-ai/sdk'
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from 'vitest'
import { startTestGateway, type TestGateway } from './harness.ts'
import { expectProved, settled, type UsageRow, usageOf } from './ledger.ts'

let gateway: TestGateway
let client: Anthropic
let customerId: number
let key: string

beforeAll(async () => {
  gateway = await startTestGateway()
  // In nano-dollars: 1,000,000 a request, 1,000 an input token, 2,000 an output token.
  await gateway.setPrice('gemma3:270m', { request: '0.001', input: '1', output: '2' })
  await gateway.setPrice('toy-tools:latest', { request: '0.001', input: '1', output: '2' })
})
beforeEach(async () => {
  gateway.standIn.reset()
  const customer = await gateway.makeCustomer({ budgetUsd: '1' })
  customerId = customer.id
  key = customer.key
  client = new Anthropic({ apiKey: null, authToken: key, baseURL: gateway.url, maxRetries: 0 })
})
afterEach(() => expectProved(gateway.db))
afterAll(() => gateway.stop())

const messages = [{ role: 'user' as const, content: 'Why is the sky blue?' }]
const ask = { model: 'gemma3:270m', max_tokens: 40, messages }
const tools = [
  {
    name: 'get_weather',
    description: 'The weather in a city',
    input_schema: { type: 'object' as const, properties: { city: { type: 'string' } }, required: ['city'] },
  },
]

/** The one row of this test's customer. */
async function bill(): Promise<UsageRow | undefined> {
  await settled(gateway.db)
  const rows = await usageOf(gateway.db, customerId)
  expect(rows).toHaveLength(1)
  return rows[0]
}

test('a message in one piece', async () => {
  const message = await client.messages.create(ask)
  expect(message).toMatchObject({
    type: 'message',
    role: 'assistant',
    model: 'gemma3:270m',
    stop_reason: 'max_tokens',
    content: [{ type: 'text', text: expect.stringMatching(/\w/) }],
    usage: { input_tokens: 15, output_tokens: 40 },
  })
  // 1,000,000 + 15 × 1,000 + 40 × 2,000
  expect(await bill()).toMatchObject({ id: message._request_id, dialect: 'anthropic-messages', outcome: 'completed', cost_nano: 1_095_000 })
})

test.each([
  ['as an auth token', () => new Anthropic({ apiKey: null, authToken: key, baseURL: gateway.url })],
  ['as an API key', () => new Anthropic({ apiKey: key, authToken: null, baseURL: gateway.url })],
  [
    'as x-api-key, like older SDKs',
    () => new Anthropic({ apiKey: key, authToken: null, baseURL: gateway.url, defaultHeaders: { authorization: null, 'x-api-key': key } }),
  ],
])('the key is taken %s, and goes no further', async (_, make) => {
  await make().messages.create(ask)
  expect((await bill())?.cost_nano).toBe(1_095_000)
  expect(JSON.stringify(gateway.standIn.requests)).not.toContain(key.slice(3))
})

test('a streamed message is put together by the SDK as the one in one piece', async () => {
  const streamed = await client.messages.stream(ask).finalMessage()
  expect(streamed).toMatchObject({ stop_reason: 'max_tokens', usage: { output_tokens: 40 } })
  // 1,000,000 + 15 × 1,000 + 40 × 2,000
  expect(await bill()).toMatchObject({ outcome: 'completed', cost_nano: 1_095_000, input_tokens: 15, output_tokens: 40, estimated: 0 })
  expect((await client.messages.create(ask)).content).toEqual(streamed.content)
})

test('the events of a stream come in their order', async () => {
  const types: string[] = []
  for await (const event of await client.messages.create({ ...ask, stream: true })) types.push(event.type)
  expect([...new Set(types)]).toEqual([
    ...['message_start', 'content_block_start', 'content_block_delta', 'content_block_stop', 'message_delta', 'message_stop'],
  ])
  expect(await bill()).toMatchObject({ outcome: 'completed', cost_nano: 1_095_000 })
})

test.each([true, false])('a tool is called, streamed: %s', async (stream) => {
  const body = { ...ask, model: 'toy-tools', max_tokens: 1000, tools }
  const message = stream ? await client.messages.stream(body).finalMessage() : await client.messages.create(body)
  expect(message.stop_reason).toBe('tool_use')
  expect(message.content.filter((block) => block.type === 'tool_use')).toMatchObject([
    { name: expect.stringMatching(/\w/), input: expect.any(Object) },
  ])
  // 1,000,000 + 259 × 1,000 + 28 × 2,000
  expect(await bill()).toMatchObject({ model: 'toy-tools:latest', outcome: 'completed', cost_nano: 1_315_000, estimated: 0 })
})

test.each([true, false])('thinking is handed out and counted, streamed: %s', async (stream) => {
  const body = { ...ask, model: 'toy-tools', max_tokens: 2000, thinking: { type: 'enabled' as const, budget_tokens: 1024 } }
  const { content } = stream ? await client.messages.stream(body).finalMessage() : await client.messages.create(body)
  expect(content).toMatchObject([
    { type: 'thinking', thinking: expect.stringMatching(/\w/) },
    { type: 'text', text: expect.stringMatching(/\w/) },
  ])
  // 1,000,000 + 145 × 1,000 + 24 × 2,000
  expect(await bill()).toMatchObject({ outcome: 'completed', cost_nano: 1_193_000, estimated: 0 })
})

test('the beta route is the same route', async () => {
  const message = await client.beta.messages.create({ ...ask, betas: ['context-1m-2025-08-07'] })
  expect(message.usage).toMatchObject({ input_tokens: 15, output_tokens: 40 })
  expect(gateway.standIn.requests.map(({ path }) => path)).toEqual(['/v1/messages'])
  // 1,000,000 + 15 × 1,000 + 40 × 2,000
  expect(await bill()).toMatchObject({ dialect: 'anthropic-messages', outcome: 'completed', cost_nano: 1_095_000 })
})

test('tokens are counted by the gateway, for nothing', async () => {
  const { input_tokens: few } = await client.messages.countTokens({ model: 'gemma3:270m', messages })
  const { input_tokens: more } = await client.messages.countTokens({ model: 'gemma3:270m', messages, tools, system: 'Be brief.' })
  expect(few).toBeGreaterThan(0)
  expect(more).toBeGreaterThan(few)
  expect(await client.beta.messages.countTokens({ model: 'gemma3:270m', messages })).toMatchObject({ input_tokens: few })
  expect(gateway.standIn.requests).toEqual([])
  expect(await usageOf(gateway.db, customerId)).toEqual([])
})

test('models are listed and retrieved: those that have a price', async () => {
  const ids: string[] = []
  for await (const model of client.models.list()) {
    expect(model).toMatchObject({ type: 'model', display_name: model.id, created_at: expect.stringMatching(/^\d{4}-.*Z$/) })
    ids.push(model.id)
  }
  expect(ids.sort()).toEqual(['gemma3:270m', 'toy-tools:latest'])
  expect(await client.models.retrieve('gemma3:270m')).toMatchObject({ type: 'model', id: 'gemma3:270m' })
  await expect(client.models.retrieve('chat-small')).rejects.toThrow(Anthropic.NotFoundError)
})

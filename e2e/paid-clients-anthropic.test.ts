// The official `@anthropic-ai/sdk`, unmodified, new and old, against models of Anthropic's through the gateway, and what each call costs.
import Anthropic from '@anthropic-ai/sdk'
import { zodOutputFormat } from '@anthropic-ai/sdk/helpers/zod'
import OldAnthropic from 'anthropic-sdk-0'
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from 'vitest'
import * as z from 'zod'
import { expectProved } from './ledger.ts'
import { all, type Paid, saying, startPaid } from './paid.ts'
import { vendorFixture } from './vendors/fixtures.ts'

let paid: Paid
let key: string
let customerId: number

beforeAll(async () => {
  paid = await startPaid()
})
beforeEach(async () => {
  const customer = await paid.someone()
  key = customer.key
  customerId = customer.id
})
afterEach(() => expectProved(paid.gateway.db))
afterAll(() => paid.close())

/** The new SDK sends its key as a bearer's, the old one as x-api-key; what is called here is the same. */
const CLIENTS: [name: string, make: () => Anthropic][] = [
  ['1', () => new Anthropic({ apiKey: key, ...settings() })],
  ['0', () => new OldAnthropic({ apiKey: key, ...settings() }) as unknown as Anthropic],
]
const settings = () => ({ authToken: null, baseURL: paid.gateway.url, maxRetries: 0, fetch: paid.fetch })
/** Each of them with and without a stream. */
const WAYS = CLIENTS.flatMap(([name, make]) => [false, true].map((stream) => [name, stream, make] as const))

const messages = [{ role: 'user' as const, content: 'A word, please.' }]
const ask = { model: 'claude-test', max_tokens: 40, messages }
const tools = [
  {
    name: 'look_up_tide',
    description: 'The tide in a harbour',
    input_schema: { type: 'object' as const, properties: { harbour: { type: 'string' } }, required: ['harbour'] },
  },
]

/** What the vendor got last. */
const received = () => paid.gateway.vendors.anthropic.requests.at(-1)

test.each(CLIENTS)('a message in one piece, SDK %s', async (_, make) => {
  const message = await make().messages.create(ask)
  expect(message).toMatchObject({
    type: 'message',
    model: 'claude-test',
    stop_reason: 'end_turn',
    usage: { input_tokens: 12, output_tokens: 7 },
  })
  expect(message.content).toMatchObject([{ type: 'text', text: expect.stringMatching(/\w/) }])
  expect(received()?.body).toEqual({ ...ask, service_tier: 'standard_only' })
  // 12 × 3,000 + 7 × 15,000
  expect(await paid.bill(customerId)).toMatchObject({ id: message._request_id, outcome: 'completed', cost_nano: 141_000, estimated: 0 })
})

test('each SDK goes on speaking its own version', async () => {
  const versions: (string | null | undefined)[] = []
  for (const [, make] of CLIENTS) {
    await make().messages.create(ask)
    versions.push(received()?.header('anthropic-version'))
  }
  expect(versions).toEqual(['2026-10-21', '2023-06-01'])
})

test.each(CLIENTS)('a streamed message is put together by SDK %s', async (_, make) => {
  const message = await make().messages.stream(ask).finalMessage()
  expect(message).toMatchObject({ stop_reason: 'end_turn', usage: { input_tokens: 11, output_tokens: 6 } })
  expect(message.content).toMatchObject([{ type: 'text', text: 'Mist on the water.' }])
  // 11 × 3,000 + 6 × 15,000
  expect(await paid.bill(customerId)).toMatchObject({ outcome: 'completed', cost_nano: 123_000, estimated: 0 })
})

test.each(CLIENTS)('the events of a stream come in their order, SDK %s', async (_, make) => {
  const events = await all(await make().messages.create({ ...ask, stream: true }))
  expect([...new Set(events.map(({ type }) => type))]).toEqual([
    ...['message_start', 'content_block_start', 'content_block_delta', 'content_block_stop', 'message_delta', 'message_stop'],
  ])
  expect(await paid.bill(customerId)).toMatchObject({ outcome: 'completed', cost_nano: 123_000 })
})

test.each(WAYS)('a tool is called, SDK %s, streamed: %s', async (_, stream, make) => {
  const body = { ...ask, max_tokens: 200, tools }
  const message = stream ? await make().messages.stream(body).finalMessage() : await make().messages.create(body)
  expect(message.stop_reason).toBe('tool_use')
  expect(message.content.filter(({ type }) => type === 'tool_use')).toMatchObject([
    { name: 'look_up_tide', input: { harbour: expect.stringMatching(/\w/) } },
  ])
  // 372 × 3,000 + 39 × 15,000; 370 × 3,000 + 41 × 15,000
  expect(await paid.bill(customerId)).toMatchObject({ outcome: 'completed', cost_nano: stream ? 1_701_000 : 1_725_000, estimated: 0 })
})

test.each(CLIENTS)('a tool result is sent back with the thinking before it, SDK %s', async (_, make) => {
  const body = { ...ask, max_tokens: 2_048, thinking: { type: 'enabled' as const, budget_tokens: 1_024 }, tools }
  const { content } = await make().messages.stream(body).finalMessage()
  expect(content.map(({ type }) => type)).toEqual(['thinking', 'tool_use'])
  const result = content.flatMap((block) => (block.type === 'tool_use' ? [{ type: 'tool_result' as const, tool_use_id: block.id }] : []))
  const conversation = [...messages, { role: 'assistant' as const, content }, { role: 'user' as const, content: result }]
  await make().messages.create({ ...body, messages: conversation, tool_choice: { type: 'none' } })
  expect(received()?.body).toMatchObject({ messages: conversation })
})

test.each(WAYS)('thinking is handed out and billed as output, SDK %s, streamed: %s', async (_, stream, make) => {
  const body = { ...ask, max_tokens: 2_048, thinking: { type: 'enabled' as const, budget_tokens: 1_024 } }
  const { content } = stream ? await make().messages.stream(body).finalMessage() : await make().messages.create(body)
  expect(content).toMatchObject([
    { type: 'thinking', thinking: expect.stringMatching(/\w/), signature: expect.stringMatching(/\w/) },
    { type: 'text', text: expect.stringMatching(/\w/) },
  ])
  // 29 × 3,000 + 64 × 15,000; 31 × 3,000 + 90 × 15,000
  expect(await paid.bill(customerId)).toMatchObject({ outcome: 'completed', cost_nano: stream ? 1_047_000 : 1_443_000, estimated: 0 })
})

test.each(WAYS)('what is written to the cache has its own price, SDK %s, streamed: %s', async (_, stream, make) => {
  const system = [
    { type: 'text' as const, text: 'The log book. '.repeat(100), cache_control: { type: 'ephemeral' as const, ttl: '1h' as const } },
    { type: 'text' as const, text: 'Of today.', cache_control: { type: 'ephemeral' as const } },
  ]
  const body = { ...ask, system }
  const { usage } = stream ? await make().messages.stream(body).finalMessage() : await make().messages.create(body)
  expect(usage.cache_creation_input_tokens).toBe(stream ? 1_050 : 900)
  expect(received()?.body).toMatchObject({ system })
  // 4 × 3,000 + 90 × 300 + 700 × 3,750 + 350 × 6,000 + 5 × 15,000; 4 × 3,000 + 600 × 3,750 + 300 × 6,000 + 3 × 15,000
  expect(await paid.bill(customerId)).toMatchObject({ outcome: 'completed', cost_nano: stream ? 4_839_000 : 4_107_000, estimated: 0 })
})

test('structured output is parsed by the SDK', async () => {
  const exchange = saying(vendorFixture('anthropic', 'messages-json-text'), 'Salt on the railing.', '{"name":"Meltemi","masts":2}')
  paid.gateway.vendors.anthropic.play({ exchange })
  const format = zodOutputFormat(z.object({ name: z.string(), masts: z.int() }))
  const [, make] = CLIENTS[0] ?? []
  const message = await make?.().messages.parse({ ...ask, output_config: { format } })
  expect(message?.parsed_output).toEqual({ name: 'Meltemi', masts: 2 })
  expect(received()?.body).toMatchObject({ output_config: { format: { type: 'json_schema' } } })
})

test.each(CLIENTS)('the beta route is the same route, and of its betas only known ones pass, SDK %s', async (_, make) => {
  const betas = [
    'interleaved-thinking-2025-05-14',
    'context-1m-2025-08-07',
    'fine-grained-tool-streaming-2025-05-14',
    'files-api-2025-04-14',
  ]
  const message = await make().beta.messages.create({ ...ask, betas })
  expect(message.usage).toMatchObject({ input_tokens: 12, output_tokens: 7 })
  expect([received()?.path, received()?.header('anthropic-beta')]).toEqual([
    '/v1/messages',
    'interleaved-thinking-2025-05-14,fine-grained-tool-streaming-2025-05-14',
  ])
  // 12 × 3,000 + 7 × 15,000
  expect(await paid.bill(customerId)).toMatchObject({ dialect: 'anthropic-messages', outcome: 'completed', cost_nano: 141_000 })
})

test.each(CLIENTS)('tokens are counted by the vendor, for nothing, SDK %s', async (_, make) => {
  const body = { model: 'claude-test', messages, tools, system: 'Be brief.' }
  const counted: { input_tokens: number } = JSON.parse(vendorFixture('anthropic', 'count-tokens').body)
  expect(await make().messages.countTokens(body)).toEqual({ input_tokens: counted.input_tokens })
  expect([received()?.path, received()?.body]).toEqual(['/v1/messages/count_tokens', body])
  expect(await make().beta.messages.countTokens(body)).toMatchObject(counted)
  expect(received()?.path).toBe('/v1/messages/count_tokens')
  const { results } = await paid.gateway.db.prepare('SELECT id FROM usage WHERE customer_id = ?').bind(customerId).all()
  expect(results).toEqual([])
})

test.each(CLIENTS)('models are listed a page at a time and retrieved, without asking a vendor, SDK %s', async (_, make) => {
  const before = [paid.gateway.vendors.anthropic.requests.length, paid.answers.length]
  const models = await all(make().models.list({ limit: 2 }))
  expect(models.map(({ id }) => id).sort()).toEqual(['claude-test', 'embed-test', 'gpt-4.1-test', 'gpt-6-test', 'instruct-test'])
  // 5 in pages of 2
  expect([paid.gateway.vendors.anthropic.requests.length, paid.answers.length]).toEqual([before[0], (before[1] ?? 0) + 3])
  expect(await make().models.retrieve('claude-test')).toMatchObject({ type: 'model', id: 'claude-test', max_tokens: expect.any(Number) })
  await expect(make().models.retrieve('claude-none')).rejects.toMatchObject({ status: 404, error: { type: 'error' } })
})

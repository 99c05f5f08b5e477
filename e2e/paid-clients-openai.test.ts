// The official `openai` SDK, unmodified, against models of OpenAI's through the gateway: what it is answered, and what each call costs.
import OpenAI from 'openai'
import { zodResponseFormat, zodTextFormat } from 'openai/helpers/zod'
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from 'vitest'
import * as z from 'zod'
import { expectProved } from './ledger.ts'
import { all, type Paid, saying, startPaid } from './paid.ts'
import { vendorFixture } from './vendors/fixtures.ts'

let paid: Paid
let client: OpenAI
let customerId: number

beforeAll(async () => {
  paid = await startPaid()
})
beforeEach(async () => {
  const { id, key } = await paid.someone()
  customerId = id
  client = new OpenAI({ apiKey: key, baseURL: `${paid.gateway.url}/v1`, maxRetries: 0, fetch: paid.fetch })
})
afterEach(() => expectProved(paid.gateway.db))
afterAll(() => paid.close())

const messages = [{ role: 'user' as const, content: 'A word, please.' }]
const chat = { model: 'gpt-4.1-test', messages, max_tokens: 40 }
const tide = {
  name: 'look_up_tide',
  description: 'The tide in a harbour',
  parameters: { type: 'object', properties: { harbour: { type: 'string' } }, required: ['harbour'], additionalProperties: false },
}
const Boat = z.object({ name: z.string(), masts: z.int() })

/** The body that the vendor got last. */
const sent = () => paid.gateway.vendors.openai.requests.at(-1)?.body

test('a chat completion in one piece', async () => {
  const { data, response, request_id } = await client.chat.completions.create({ ...chat, store: true }).withResponse()
  expect(data).toMatchObject({ object: 'chat.completion', model: 'gpt-4.1-test', usage: { prompt_tokens: 14, completion_tokens: 8 } })
  expect(data.choices[0]?.message.content).toMatch(/\w/)
  expect(sent()).toEqual({ model: 'gpt-4.1-test', messages, max_completion_tokens: 40, store: false, service_tier: 'default' })
  // 14 × 2,000 + 8 × 8,000
  expect(await paid.bill(customerId)).toMatchObject({ id: request_id, outcome: 'completed', cost_nano: 92_000, estimated: 0 })
  expect(response.headers.get('x-request-cost')).toBe('0.000092')
})

test('a streamed chat completion has no usage chunk unless it is asked for', async () => {
  const chunks = await all(await client.chat.completions.create({ ...chat, stream: true }))
  expect(chunks.map((chunk) => chunk.choices.length)).toEqual(chunks.map(() => 1))
  expect(chunks.filter((chunk) => chunk.usage != null)).toEqual([])
  expect(chunks.at(-1)?.choices[0]?.finish_reason).toBe('stop')
  // 15 × 2,000 + 6 × 8,000
  expect(await paid.bill(customerId)).toMatchObject({ dialect: 'openai-chat', outcome: 'completed', cost_nano: 78_000, estimated: 0 })
})

test('a streamed chat completion ends with its usage where that is asked for', async () => {
  const chunks = await all(await client.chat.completions.create({ ...chat, stream: true, stream_options: { include_usage: true } }))
  expect(chunks.at(-1)).toMatchObject({ choices: [], usage: { prompt_tokens: 15, completion_tokens: 6 } })
  // 15 × 2,000 + 6 × 8,000
  expect(await paid.bill(customerId)).toMatchObject({ outcome: 'completed', cost_nano: 78_000 })
})

test("the SDK's stream helper puts a message together", async () => {
  const completion = await client.chat.completions.stream(chat).finalChatCompletion()
  expect(completion.choices[0]).toMatchObject({ finish_reason: 'stop', message: { content: expect.stringMatching(/\w/) } })
  // 15 × 2,000 + 6 × 8,000
  expect(await paid.bill(customerId)).toMatchObject({ outcome: 'completed', cost_nano: 78_000 })
})

test.each([
  // 61 × 2,000 + 18 × 8,000
  [false, 266_000],
  // 66 × 2,000 + 34 × 8,000
  [true, 404_000],
])('a chat completion calls a tool, streamed: %s', async (stream, cost_nano) => {
  const body = { ...chat, tools: [{ type: 'function' as const, function: { ...tide, strict: true } }] }
  const completion = stream ? await client.chat.completions.stream(body).finalChatCompletion() : await client.chat.completions.create(body)
  const calls = completion.choices[0]?.message.tool_calls ?? []
  expect(calls[0]).toMatchObject({ type: 'function', function: { name: 'look_up_tide' } })
  for (const call of calls) if (call.type === 'function') expect(JSON.parse(call.function.arguments)).toHaveProperty('harbour')
  expect(await paid.bill(customerId)).toMatchObject({ outcome: 'completed', cost_nano, estimated: 0 })
})

test('tools that are run by the SDK itself: each turn is a request of its own', async () => {
  const turns = [vendorFixture('openai', 'chat-json-tools'), vendorFixture('openai', 'chat-json')]
  paid.gateway.vendors.openai.play({ exchanges: turns })
  const asked: unknown[] = []
  const run = (args: unknown) => {
    asked.push(args)
    return 'High water at noon.'
  }
  const tools = [{ type: 'function' as const, function: { ...tide, parse: JSON.parse, function: run } }]
  const said = await client.chat.completions.runTools({ ...chat, tools }).finalContent()
  expect(said).toMatch(/\w/)
  expect(asked).toEqual([{ harbour: 'Anstruther' }])
  expect(sent()).toMatchObject({ messages: [...messages, { role: 'assistant' }, { role: 'tool', content: 'High water at noon.' }] })
})

test.each([false, true])('structured output is parsed by the SDK, streamed: %s', async (stream) => {
  const body = { ...chat, response_format: zodResponseFormat(Boat, 'boat') }
  if (stream) paid.gateway.vendors.openai.play({ exchange: chatStreamOf('{"name":"Meltemi","masts":2}') })
  const completion = stream ? await client.chat.completions.stream(body).finalChatCompletion() : await client.chat.completions.parse(body)
  expect(completion.choices[0]?.message.parsed).toEqual({ name: 'Meltemi', masts: 2 })
  expect(sent()).toMatchObject({ response_format: { type: 'json_schema', json_schema: { name: 'boat', strict: true } } })
  expect(await paid.bill(customerId)).toMatchObject({ outcome: 'completed', estimated: 0 })
})

/** A streamed chat completion of one piece of text. */
function chatStreamOf(content: string) {
  const chunk = (choices: object[], usage: object | null) => {
    const named = { id: 'chatcmpl-1', object: 'chat.completion.chunk', created: 1, model: 'gpt-4.1-test' }
    return `data: ${JSON.stringify({ ...named, choices, usage })}\n\n`
  }
  const events = [
    chunk([{ index: 0, delta: { role: 'assistant', content }, finish_reason: null }], null),
    chunk([{ index: 0, delta: {}, finish_reason: 'stop' }], null),
    chunk([], { prompt_tokens: 40, completion_tokens: 10, total_tokens: 50 }),
  ]
  return { ...vendorFixture('openai', 'chat-stream-usage'), body: `${events.join('')}data: [DONE]\n\n` }
}

test.each([
  // 14 × 2,000 + 2 × 8 × 8,000
  [false, 156_000],
  // 15 × 2,000 + 2 × 6 × 8,000
  [true, 126_000],
])('two answers are two outputs and one input, streamed: %s', async (stream, cost_nano) => {
  const body = { ...chat, n: 2 }
  const completion = stream ? await client.chat.completions.stream(body).finalChatCompletion() : await client.chat.completions.create(body)
  expect(completion.choices.map(({ index, message }) => [index, message.content])).toEqual([
    [0, expect.stringMatching(/\w/)],
    [1, expect.stringMatching(/\w/)],
  ])
  const row = await paid.bill(customerId)
  expect(row).toMatchObject({ outcome: 'completed', cost_nano, estimated: 0 })
  // 2 × 40 × 8,000 for the output alone
  expect(row.hold_nano).toBeGreaterThan(640_000)
})

test.each([
  // 22 × 2,000 + 140 × 8,000
  [false, 1_164_000],
  // 18 × 2,000 + 77 × 8,000
  [true, 652_000],
])('what a model thinks is billed as output, streamed: %s', async (stream, cost_nano) => {
  const body = { model: 'gpt-6-test', messages, max_completion_tokens: 500, reasoning_effort: 'low' as const }
  if (stream) await client.chat.completions.stream(body).finalChatCompletion()
  else await client.chat.completions.create(body)
  const row = await paid.bill(customerId)
  expect(row).toMatchObject({ model: 'gpt-6-test', outcome: 'completed', cost_nano })
  expect(row.reasoning_tokens).toBeGreaterThan(50)
})

test.each([
  // 3 × 2,000 + 4 × 8,000
  [false, 38_000],
  // 3 × 2,000 + 2 × 8,000
  [true, 22_000],
])('a completion, streamed: %s', async (stream, cost_nano) => {
  const body = { model: 'instruct-test', prompt: 'Once', max_tokens: 12 }
  const parts = stream ? await all(await client.completions.create({ ...body, stream: true })) : [await client.completions.create(body)]
  expect(parts.map((part) => part.choices[0]?.text).join('')).toMatch(/\w/)
  expect(parts.filter((part) => part.usage != null)).toHaveLength(stream ? 0 : 1)
  expect(await paid.bill(customerId)).toMatchObject({ dialect: 'openai-completions', outcome: 'completed', cost_nano, estimated: 0 })
})

test.each([
  ['as the SDK asks by itself', {}, 'base64'],
  ['as numbers', { encoding_format: 'float' as const }, 'float'],
])('embeddings %s', async (_, format, encoding_format) => {
  const { data, usage } = await client.embeddings.create({ model: 'embed-test', input: ['red', 'blue'], ...format })
  expect(data.map(({ index, embedding }) => [index, typeof embedding[0]])).toEqual([
    [0, 'number'],
    [1, 'number'],
  ])
  expect(usage).toEqual({ prompt_tokens: 12, total_tokens: 12 })
  expect(sent()).toEqual({ model: 'embed-test', input: ['red', 'blue'], encoding_format })
  // 12 × 20
  expect(await paid.bill(customerId)).toMatchObject({
    dialect: 'openai-embeddings',
    outcome: 'completed',
    cost_nano: 240,
    output_tokens: 0,
  })
})

test.each([
  // 12 × 2,000 + 7 × 8,000
  [false, 80_000],
  // 13 × 2,000 + 5 × 8,000
  [true, 66_000],
])('a response, streamed: %s', async (stream, cost_nano) => {
  const body = { model: 'gpt-4.1-test', input: 'A word, please.', max_output_tokens: 40 }
  const response = stream ? await client.responses.stream(body).finalResponse() : await client.responses.create(body)
  expect(response).toMatchObject({ object: 'response', status: 'completed', output_text: expect.stringMatching(/\w/) })
  expect(sent()).toMatchObject({ store: false, service_tier: 'default', max_output_tokens: 40 })
  expect(await paid.bill(customerId)).toMatchObject({ dialect: 'openai-responses', outcome: 'completed', cost_nano, estimated: 0 })
})

test('the events of a streamed response come in their order', async () => {
  // As long as what the answer says that it was: counts beyond the bytes are not believed.
  const body = { model: 'gpt-6-test', input: 'A word, please. '.repeat(100), stream: true as const }
  const types = (await all(await client.responses.create(body))).map(({ type }) => type)
  expect([types[0], types.at(-1)]).toEqual(['response.created', 'response.completed'])
  // 76 × 2,000 + 1,024 × 200 + 400 × 2,500 + 101 × 8,000
  expect(await paid.bill(customerId)).toMatchObject({
    outcome: 'completed',
    cost_nano: 2_164_800,
    cached_tokens: 1024,
    reasoning_tokens: 96,
  })
})

test.each([
  // 55 × 2,000 + 16 × 8,000
  [false, 238_000],
  // 58 × 2,000 + 17 × 8,000
  [true, 252_000],
])('a response calls a function, streamed: %s', async (stream, cost_nano) => {
  const body = { model: 'gpt-4.1-test', input: 'When is high water?', tools: [{ type: 'function' as const, strict: true, ...tide }] }
  const { output } = stream ? await client.responses.stream(body).finalResponse() : await client.responses.create(body)
  expect(output).toMatchObject([{ type: 'function_call', name: 'look_up_tide', arguments: expect.stringContaining('harbour') }])
  expect(await paid.bill(customerId)).toMatchObject({ outcome: 'completed', cost_nano, estimated: 0 })
})

test('a structured response is parsed by the SDK', async () => {
  const exchange = saying(vendorFixture('openai', 'responses-json'), 'A buoy is in sight.', '{"name":"Meltemi","masts":2}')
  paid.gateway.vendors.openai.play({ exchange })
  const body = { model: 'gpt-4.1-test', input: 'A boat, please.', text: { format: zodTextFormat(Boat, 'boat') } }
  const { output_parsed } = await client.responses.parse(body)
  expect(output_parsed).toEqual({ name: 'Meltemi', masts: 2 })
  expect(sent()).toMatchObject({ text: { format: { type: 'json_schema', name: 'boat', strict: true } } })
  // 12 × 2,000 + 7 × 8,000
  expect(await paid.bill(customerId)).toMatchObject({ outcome: 'completed', cost_nano: 80_000 })
})

test('models of vendors are listed and retrieved beside those of the host, for nothing, and without asking a vendor', async () => {
  const before = paid.gateway.vendors.openai.requests.length
  const ids = (await all(client.models.list())).map(({ id }) => id)
  expect(ids.sort()).toEqual(['claude-test', 'embed-test', 'gpt-4.1-test', 'gpt-6-test', 'instruct-test'])
  expect(await client.models.retrieve('gpt-6-test')).toMatchObject({ id: 'gpt-6-test', object: 'model', owned_by: 'openai' })
  await expect(client.models.retrieve('gpt-none')).rejects.toThrow(OpenAI.NotFoundError)
  expect(paid.gateway.vendors.openai.requests).toHaveLength(before)
})

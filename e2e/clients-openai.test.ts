// The official `openai` SDK, unmodified, against the gateway: what it is answered, and what each call costs.
import OpenAI from 'openai'
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from 'vitest'
import { startTestGateway, type TestGateway } from './harness.ts'
import { expectProved, settled, type UsageRow, usageOf } from './ledger.ts'

let gateway: TestGateway
let client: OpenAI
let customerId: number

beforeAll(async () => {
  gateway = await startTestGateway()
  // In nano-dollars: 1,000,000 a request, 1,000 an input token, 2,000 an output token; 10,000 an embedded one.
  await gateway.setPrice('gemma3:270m', { request: '0.001', input: '1', output: '2' })
  await gateway.setPrice('toy-tools:latest', { request: '0.001', input: '1', output: '2' })
  await gateway.setPrice('embed-small:latest', { request: '0.001', input: '10' })
})
beforeEach(async () => {
  gateway.standIn.reset()
  const customer = await gateway.makeCustomer({ budgetUsd: '1' })
  customerId = customer.id
  client = new OpenAI({ apiKey: customer.key, baseURL: `${gateway.url}/v1`, maxRetries: 0 })
})
afterEach(() => expectProved(gateway.db))
afterAll(() => gateway.stop())

const messages = [{ role: 'user' as const, content: 'Why is the sky blue?' }]
const chat = { model: 'gemma3:270m', messages, max_tokens: 40 }
const weather = {
  name: 'get_weather',
  description: 'The weather in a city',
  parameters: { type: 'object', properties: { city: { type: 'string' } }, required: ['city'], additionalProperties: false },
}

/** The one row of this test's customer. */
async function bill(): Promise<UsageRow | undefined> {
  await settled(gateway.db)
  const rows = await usageOf(gateway.db, customerId)
  expect(rows).toHaveLength(1)
  return rows[0]
}

async function all<T>(stream: AsyncIterable<T>): Promise<T[]> {
  const items: T[] = []
  for await (const item of stream) items.push(item)
  return items
}

test('a chat completion in one piece', async () => {
  const { data, response, request_id } = await client.chat.completions.create(chat).withResponse()
  expect(data).toMatchObject({
    object: 'chat.completion',
    model: 'gemma3:270m',
    choices: [{ index: 0, finish_reason: 'length', message: { role: 'assistant' } }],
    usage: { prompt_tokens: 15, completion_tokens: 40, total_tokens: 55 },
  })
  expect(data.choices[0]?.message.content).toMatch(/\w/)
  // 1,000,000 + 15 × 1,000 + 40 × 2,000
  expect(await bill()).toMatchObject({ id: request_id, dialect: 'openai-chat', outcome: 'completed', cost_nano: 1_095_000, estimated: 0 })
  expect(response.headers.get('x-request-cost')).toBe('0.001095')
  expect(response.headers.get('x-budget-remaining')).toBe('0.998905')
  expect(response.headers.get('x-output-limit')).toBe('40')
})

test('a streamed chat completion has no usage chunk unless it is asked for, and costs the same', async () => {
  const chunks = await all(await client.chat.completions.create({ ...chat, stream: true }))
  expect(chunks.map((chunk) => chunk.choices.length)).toEqual(chunks.map(() => 1))
  expect(chunks.filter((chunk) => chunk.usage != null)).toEqual([])
  expect(chunks.at(-1)?.choices[0]?.finish_reason).toBe('length')
  expect(gateway.standIn.requests.at(-1)?.body).toMatchObject({ stream: true, stream_options: { include_usage: true }, max_tokens: 40 })
  // 1,000,000 + 15 × 1,000 + 40 × 2,000
  expect(await bill()).toMatchObject({ outcome: 'completed', cost_nano: 1_095_000, input_tokens: 15, output_tokens: 40, estimated: 0 })
})

test('a streamed chat completion ends with its usage where that is asked for', async () => {
  const chunks = await all(await client.chat.completions.create({ ...chat, stream: true, stream_options: { include_usage: true } }))
  expect(chunks.at(-1)).toMatchObject({ choices: [], usage: { prompt_tokens: 15, completion_tokens: 40, total_tokens: 55 } })
  // 1,000,000 + 15 × 1,000 + 40 × 2,000
  expect(await bill()).toMatchObject({ outcome: 'completed', cost_nano: 1_095_000 })
})

test("the SDK's stream helper puts the same message together as the call in one piece", async () => {
  const streamed = await client.chat.completions.stream(chat).finalChatCompletion()
  const whole = await client.chat.completions.create(chat)
  expect(streamed.choices[0]?.message.content).toBe(whole.choices[0]?.message.content)
  await settled(gateway.db)
  // twice 1,000,000 + 15 × 1,000 + 40 × 2,000
  expect((await usageOf(gateway.db, customerId)).map((row) => row.cost_nano)).toEqual([1_095_000, 1_095_000])
})

test.each([true, false])('a chat completion calls a tool, streamed: %s', async (stream) => {
  const tools = [{ type: 'function' as const, function: weather }]
  const body = { model: 'toy-tools', messages, tools }
  const completion = stream ? await client.chat.completions.stream(body).finalChatCompletion() : await client.chat.completions.create(body)
  const [choice] = completion.choices
  expect(choice?.finish_reason).toBe('tool_calls')
  expect(choice?.message.tool_calls).toMatchObject([{ type: 'function', function: { name: expect.stringMatching(/\w/) } }])
  const [call] = choice?.message.tool_calls ?? []
  if (call?.type !== 'function') throw new Error('no function is called')
  expect(JSON.parse(call.function.arguments)).toBeTypeOf('object')
  // 1,000,000 + 259 × 1,000 + 28 × 2,000
  expect(await bill()).toMatchObject({ model: 'toy-tools:latest', outcome: 'completed', cost_nano: 1_315_000, estimated: 0 })
})

test('a JSON schema reaches the host, and is held for as two runs and paid as the one that was', async () => {
  const response_format = { type: 'json_schema' as const, json_schema: { name: 'weather', strict: true, schema: weather.parameters } }
  await client.chat.completions.create({ ...chat, response_format })
  expect(gateway.standIn.requests.at(-1)?.body).toMatchObject({ response_format })
  const row = await bill()
  // 1,000,000 + 15 × 1,000 + 40 × 2,000
  expect(row).toMatchObject({ outcome: 'completed', cost_nano: 1_095_000 })
  expect(row?.hold_nano).toBeGreaterThanOrEqual(1_000_000 + 2 * 40 * 2000)
})

test.each([true, false])('a chat completion with log probabilities, streamed: %s', async (stream) => {
  const body = { ...chat, max_tokens: 6, logprobs: true, top_logprobs: 2 }
  const choices = stream
    ? (await all(await client.chat.completions.create({ ...body, stream: true }))).flatMap((chunk) => chunk.choices)
    : (await client.chat.completions.create(body)).choices
  expect(choices.flatMap((choice) => choice.logprobs?.content ?? [])).toHaveLength(6)
  // 1,000,000 + 15 × 1,000 + 6 × 2,000
  expect(await bill()).toMatchObject({ outcome: 'completed', cost_nano: 1_027_000, output_tokens: 6 })
})

test.each([true, false])('reasoning is handed out and counted, streamed: %s', async (stream) => {
  const body = { model: 'toy-tools', messages, reasoning_effort: 'low' as const }
  const said = stream
    ? (await all(await client.chat.completions.create({ ...body, stream: true }))).map((chunk) => chunk.choices[0]?.delta)
    : [(await client.chat.completions.create(body)).choices[0]?.message]
  const reasoning = said.map((each) => (each as { reasoning?: string } | undefined)?.reasoning ?? '').join('')
  expect(reasoning).toMatch(/\w/)
  expect(said.map((each) => each?.content ?? '').join('')).toMatch(/\w/)
  // 1,000,000 + 145 × 1,000 + 24 × 2,000
  expect(await bill()).toMatchObject({ outcome: 'completed', cost_nano: 1_193_000, estimated: 0 })
})

test.each([true, false])('a completion, streamed: %s', async (stream) => {
  const body = { model: 'gemma3:270m', prompt: 'Why is the sky blue?', max_tokens: 12 }
  const parts = stream ? await all(await client.completions.create({ ...body, stream: true })) : [await client.completions.create(body)]
  expect(parts.map((part) => part.choices[0]?.text).join('')).toMatch(/\w/)
  expect(parts.at(-1)?.choices[0]?.finish_reason).toBe('length')
  expect(parts.filter((part) => part.usage != null)).toHaveLength(stream ? 0 : 1)
  // 1,000,000 + 14 × 1,000 + 12 × 2,000
  expect(await bill()).toMatchObject({ dialect: 'openai-completions', outcome: 'completed', cost_nano: 1_038_000, estimated: 0 })
})

test.each([
  ['as the SDK asks by itself', {}],
  ['as numbers', { encoding_format: 'float' as const }],
  ['as base64', { encoding_format: 'base64' as const }],
])('embeddings %s', async (_, format) => {
  const { data, usage } = await client.embeddings.create({ model: 'embed-small', input: ['red', 'blue'], ...format })
  const vectors = data.map(({ embedding }) => embedding as unknown)
  const isText = 'encoding_format' in format && format.encoding_format === 'base64'
  expect(vectors.map((vector) => (isText ? typeof vector : Array.isArray(vector)))).toEqual(isText ? ['string', 'string'] : [true, true])
  expect(usage).toEqual({ prompt_tokens: 6, total_tokens: 6 })
  // 1,000,000 + 6 × 10,000
  expect(await bill()).toMatchObject({ dialect: 'openai-embeddings', outcome: 'completed', cost_nano: 1_060_000, output_tokens: 0 })
})

test.each([true, false])('a response, streamed: %s', async (stream) => {
  const body = { model: 'gemma3:270m', input: 'Why is the sky blue?', max_output_tokens: 40 }
  const response = stream ? await client.responses.stream(body).finalResponse() : await client.responses.create(body)
  expect(response).toMatchObject({ object: 'response', status: 'completed', usage: { input_tokens: 15, output_tokens: 40 } })
  expect(response.output_text).toMatch(/\w/)
  // 1,000,000 + 15 × 1,000 + 40 × 2,000
  expect(await bill()).toMatchObject({ dialect: 'openai-responses', outcome: 'completed', cost_nano: 1_095_000, estimated: 0 })
})

test.each([true, false])('a response calls a function, streamed: %s', async (stream) => {
  const tools = [{ type: 'function' as const, strict: true, ...weather }]
  const body = { model: 'toy-tools', input: 'Weather in Rome?', tools }
  const { output } = stream ? await client.responses.stream(body).finalResponse() : await client.responses.create(body)
  const call = output.find((item) => item.type === 'function_call')
  if (call?.type !== 'function_call') throw new Error('no function is called')
  expect(JSON.parse(call.arguments)).toBeTypeOf('object')
  // 1,000,000 + 259 × 1,000 + 40 × 2,000
  expect(await bill()).toMatchObject({ outcome: 'completed', cost_nano: 1_339_000, estimated: 0 })
})

test('models are listed and retrieved: those that have a price, for nothing', async () => {
  expect((await all(client.models.list())).map(({ id }) => id).sort()).toEqual(['embed-small:latest', 'gemma3:270m', 'toy-tools:latest'])
  expect(await client.models.retrieve('gemma3:270m')).toMatchObject({ id: 'gemma3:270m', object: 'model', owned_by: 'library' })
  await expect(client.models.retrieve('chat-small')).rejects.toThrow(OpenAI.NotFoundError)
  expect(await usageOf(gateway.db, customerId)).toEqual([])
})

// The vendors' stand-ins themselves: what the official SDKs get from them, and what they do not take.
import Anthropic from '@anthropic-ai/sdk'
import AnthropicBefore from 'anthropic-sdk-0'
import OpenAI from 'openai'
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest'
import { startVendor, type VendorServer } from './server.ts'

const KEY = 'sk-madeup-0123456789'
const MESSAGES = [{ role: 'user' as const, content: 'A word, please.' }]
const CHAT = { model: 'gpt-4.1', messages: MESSAGES }
const MESSAGE = { model: 'claude-test', max_tokens: 9, messages: MESSAGES }
const TIDE = { name: 'look_up_tide', parameters: { type: 'object', properties: {} } }

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

async function all<T>(stream: AsyncIterable<T>): Promise<T[]> {
  const items: T[] = []
  for await (const item of stream) items.push(item)
  return items
}

function post(body: unknown, headers: Record<string, string> = {}, path = '/v1/chat/completions'): Promise<Response> {
  const text = typeof body === 'string' ? body : JSON.stringify(body)
  return fetch(openai.url + path, { method: 'POST', headers: { authorization: `Bearer ${KEY}`, ...headers }, body: text })
}

test('a chat is answered in the name of the model that was asked for', async () => {
  const answer = await gpt.chat.completions.create(CHAT)
  expect(answer).toMatchObject({
    model: 'gpt-4.1',
    choices: [{ finish_reason: 'stop' }],
    usage: { prompt_tokens: 14, completion_tokens: 8 },
  })
})

test('a chat streams with usage if it is asked for, and without any if not', async () => {
  const asked = await all(await gpt.chat.completions.create({ ...CHAT, stream: true, stream_options: { include_usage: true } }))
  expect(asked.at(-1)).toMatchObject({ choices: [], usage: { prompt_tokens: 15, completion_tokens: 6 }, model: 'gpt-4.1' })
  const unasked = await all(await gpt.chat.completions.create({ ...CHAT, stream: true }))
  expect(unasked).toHaveLength(asked.length - 1)
  expect(unasked.filter((chunk) => 'usage' in chunk)).toEqual([])
})

test('n choices cost n times the output and the prompt once', async () => {
  const answer = await gpt.chat.completions.create({ ...CHAT, n: 3 })
  expect(answer.choices.map(({ index }) => index)).toEqual([0, 1, 2])
  expect(answer.usage).toMatchObject({ prompt_tokens: 14, completion_tokens: 24, total_tokens: 38 })
  const chunks = await all(await gpt.chat.completions.create({ ...CHAT, n: 2, stream: true, stream_options: { include_usage: true } }))
  expect(new Set(chunks.flatMap(({ choices }) => choices.map(({ index }) => index)))).toEqual(new Set([0, 1]))
  expect(chunks.at(-1)?.usage).toMatchObject({ prompt_tokens: 15, completion_tokens: 12 })
})

test('tools, structures, reasoning and moderation are answered in kind', async () => {
  const tools = [{ type: 'function' as const, function: TIDE }]
  expect((await gpt.chat.completions.create({ ...CHAT, tools })).choices[0]?.message.tool_calls).toHaveLength(1)
  expect((await gpt.chat.completions.stream({ ...CHAT, tools }).finalChatCompletion()).choices[0]?.message.tool_calls).toHaveLength(2)
  expect((await gpt.chat.completions.create({ ...CHAT, tools, tool_choice: 'none' })).choices[0]?.message.tool_calls).toBeUndefined()
  const response_format = { type: 'json_schema' as const, json_schema: { name: 'boat', schema: {} } }
  expect(JSON.parse((await gpt.chat.completions.create({ ...CHAT, response_format })).choices[0]?.message.content ?? '')).toBeTypeOf(
    'object',
  )
  const thought = await gpt.chat.completions.create({ ...CHAT, model: 'gpt-6' })
  expect(thought.usage?.completion_tokens_details?.reasoning_tokens).toBe(128)
  await post({ ...CHAT, stream: true, moderation: {}, stream_options: { include_usage: true } })
  expect(openai.requests.at(-1)?.answer).toBe('chat-stream-usage-not-last')
})

test('completions and embeddings count their prompts', async () => {
  const answer = await gpt.completions.create({ model: 'instruct', prompt: ['a', 'b'], n: 2 })
  expect(answer.choices).toHaveLength(4)
  expect(answer.usage).toMatchObject({ prompt_tokens: 3, completion_tokens: 16 })
  const chunks = await all(await gpt.completions.create({ model: 'instruct', prompt: 'a', n: 2, stream: true }))
  expect(new Set(chunks.map(({ choices }) => choices[0]?.index))).toEqual(new Set([0, 1]))
  // The SDK asks for base64 and decodes it, unless told.
  expect((await gpt.embeddings.create({ model: 'embed', input: 'fog' })).data[0]?.embedding).toEqual([0.5, -0.25, 0.125, 1])
  const floats = await gpt.embeddings.create({ model: 'embed', input: ['fog', 'mist'], encoding_format: 'float' })
  expect(floats.data.map(({ index }) => index)).toEqual([0, 1])
  expect(floats.usage).toEqual({ prompt_tokens: 12, total_tokens: 12 })
})

test('the Responses route answers, streamed and not, with tools and without', async () => {
  const ask = { model: 'gpt-4.1', input: 'A word, please.' }
  const tools = [{ type: 'function' as const, strict: false, ...TIDE }]
  expect((await gpt.responses.create(ask)).output_text).toBe('A buoy is in sight.')
  expect((await gpt.responses.create({ ...ask, tools })).output[0]?.type).toBe('function_call')
  expect((await gpt.responses.stream(ask).finalResponse()).output_text).toBe('Sails are up.')
  const events = await all(await gpt.responses.create({ ...ask, tools, stream: true }))
  expect(events.at(-1)).toMatchObject({ type: 'response.completed', response: { model: 'gpt-4.1', usage: { output_tokens: 17 } } })
})

test('messages are answered, streamed and not, to new SDKs, to older ones and to the beta route', async () => {
  const before = new AnthropicBefore({ apiKey: KEY, baseURL: anthropic.url, maxRetries: 0 })
  expect(await claude.messages.create(MESSAGE)).toMatchObject({ model: 'claude-test', usage: { input_tokens: 12, output_tokens: 7 } })
  expect(await before.messages.create(MESSAGE)).toMatchObject({ model: 'claude-test' })
  const message = await claude.messages.stream(MESSAGE).finalMessage()
  expect(message).toMatchObject({ model: 'claude-test', content: [{ text: 'Mist on the water.' }], usage: { output_tokens: 6 } })
  expect(await before.beta.messages.create({ ...MESSAGE, betas: ['madeup'] })).toMatchObject({ model: 'claude-test' })
  expect(anthropic.requests.map(({ path }) => path)).toEqual(['/v1/messages', '/v1/messages', '/v1/messages', '/v1/messages?beta=true'])
  expect(anthropic.requests.map(({ header }) => [header('authorization'), header('X-API-Key')])).toContainEqual([null, KEY])
  expect(await claude.messages.countTokens({ model: 'claude-test', messages: MESSAGES })).toEqual({ input_tokens: 23 })
})

test('tools, thinking and cache marks of messages are answered in kind', async () => {
  const tools = [{ name: 'look_up_tide', input_schema: { type: 'object' as const } }]
  const thinking = { type: 'enabled' as const, budget_tokens: 1024 }
  const large = { ...MESSAGE, max_tokens: 2048 }
  const system = [{ type: 'text' as const, text: 'The log.', cache_control: { type: 'ephemeral' as const } }]
  const kinds = async (body: Parameters<typeof claude.messages.stream>[0]) =>
    (await claude.messages.stream(body).finalMessage()).content.map(({ type }) => type)
  expect(await kinds({ ...MESSAGE, tools })).toEqual(['text', 'tool_use'])
  expect(await kinds({ ...large, thinking })).toEqual(['thinking', 'text'])
  expect(await kinds({ ...large, thinking, tools })).toEqual(['thinking', 'tool_use'])
  expect((await claude.messages.create({ ...MESSAGE, tools })).stop_reason).toBe('tool_use')
  expect((await claude.messages.create({ ...large, thinking })).content[0]?.type).toBe('thinking')
  expect((await claude.messages.create({ ...MESSAGE, system })).usage.cache_creation).toMatchObject({ ephemeral_1h_input_tokens: 300 })
  expect((await claude.messages.stream({ ...MESSAGE, system }).finalMessage()).usage).toMatchObject({ cache_creation_input_tokens: 1050 })
})

test('models are listed, and found one by one', async () => {
  expect((await all(gpt.models.list())).map(({ id }) => id)).toContain('gpt-6')
  expect((await gpt.models.retrieve('gpt-6')).id).toBe('gpt-6')
  await expect(gpt.models.retrieve('gpt-none')).rejects.toMatchObject({ status: 404, code: 'model_not_found' })
  expect((await all(claude.models.list())).map(({ id }) => id)).toContain('claude-haiku-5-5')
  await expect(claude.models.retrieve('claude-none')).rejects.toMatchObject({ status: 404, type: 'not_found_error' })
})

test('a wrong key is a 401, whose words at OpenAI quote the ends of it', async () => {
  const wrong = { apiKey: 'sk-wrong-key-9999', maxRetries: 0 }
  const refused = await new OpenAI({ ...wrong, baseURL: `${openai.url}/v1` }).chat.completions.create(CHAT).catch((error) => error)
  expect(refused).toMatchObject({ status: 401, code: 'invalid_api_key' })
  expect(refused.message).toMatch(/sk-wron\*+9999/)
  await expect(new Anthropic({ ...wrong, baseURL: anthropic.url }).messages.create(MESSAGE)).rejects.toMatchObject({
    status: 401,
    type: 'authentication_error',
  })
  expect((await post(CHAT, { authorization: '' })).status).toBe(401)
  // One right key does not make up for a wrong one.
  const both = { 'x-api-key': KEY, authorization: 'Bearer other', 'anthropic-version': '2023-06-01' }
  expect((await fetch(`${anthropic.url}/v1/models`, { headers: both })).status).toBe(401)
})

test('what the vendor does not take is a 400', async () => {
  const codes = async (body: unknown, path?: string) => {
    const response = await post(body, {}, path)
    const { error } = (await response.json()) as { error: { param: string | null; code: string | null } }
    return [response.status, error.param, error.code]
  }
  expect(await codes('{"stream":true,')).toEqual([400, null, null])
  expect(await codes({ ...CHAT, num_ctx: 4096 })).toEqual([400, 'num_ctx', 'unknown_parameter'])
  expect(await codes({ model: 'gpt-4.1' })).toEqual([400, 'messages', 'missing_required_parameter'])
  for (const model of ['o4-mini', 'gpt-5.6-sol', 'gpt-6']) {
    expect(await codes({ ...CHAT, model, max_tokens: 9 })).toEqual([400, 'max_tokens', 'unsupported_parameter'])
  }
  expect((await post({ ...CHAT, max_tokens: 9 })).status).toBe(200)
  expect((await post({}, {}, '/v1/audio/speech')).status).toBe(404)
  expect((await fetch(`${openai.url}/v1/embeddings`, { headers: { authorization: `Bearer ${KEY}` } })).status).toBe(405)
})

test('Anthropic wants its version, its limit, and a header for beta fields', async () => {
  const send = async (body: unknown, more: Record<string, string> = { 'anthropic-version': '2023-06-01' }, path = '/v1/messages') => {
    const headers = { 'x-api-key': KEY, ...more }
    const response = await fetch(anthropic.url + path, { method: 'POST', headers, body: JSON.stringify(body) })
    const { error } = (await response.json()) as { error?: { message: string } }
    return `${response.status} ${error?.message}`
  }
  expect(await send(MESSAGE, {})).toBe('400 anthropic-version: header is required')
  expect(await send({ ...MESSAGE, max_tokens: undefined })).toBe('400 max_tokens: Field required')
  expect(await send({ ...MESSAGE, max_tokens: 0 })).toBe('200 undefined')
  expect(await send({ ...MESSAGE, store: false })).toBe('400 store: Extra inputs are not permitted')
  expect(await send(MESSAGE, undefined, '/v1/messages/count_tokens')).toBe('400 max_tokens: Extra inputs are not permitted')
  expect(await send({ ...MESSAGE, fallbacks: [] })).toBe('400 fallbacks: Extra inputs are not permitted')
  expect(await send({ ...MESSAGE, fallbacks: [] }, { 'anthropic-version': '2023-06-01', 'anthropic-beta': 'madeup' })).toBe('200 undefined')
  expect(await send('text')).toMatch(/^400 /)
  expect(await send({}, undefined, '/v1/none')).toBe('404 Not found')
})

test('what reached it is kept as it came', async () => {
  const arrived = openai.nextRequest()
  const text = ` ${JSON.stringify(CHAT)}`
  await post(text, { 'X-Trace': 'a b' })
  const request = await arrived
  expect(openai.requests).toEqual([request])
  expect(request).toMatchObject({ method: 'POST', path: '/v1/chat/completions', text, body: CHAT, answer: 'chat-json', status: 200 })
  expect(request.headers.find(([name]) => name.toLowerCase() === 'x-trace')?.[1]).toBe('a b')
  expect([request.header('X-TRACE'), request.header('cookie')]).toEqual(['a b', null])
  expect(await request.closed).toBe(false)
})

// Every dialect against what a real Ollama said: usage read, answers put together, requests written.
import { expect, test } from 'vitest'
import { GatewayError } from '../errors.ts'
import { isObject, type JsonObject } from '../json.ts'
import { Seen } from '../seen.ts'
import { bodyBytes, CAPTURES, captureOf, dialectOf, framesOf, isStreamed, requestBody } from '../testing/captures.ts'
import { anthropicMessages } from './anthropic-messages.ts'
import type { Dialect } from './dialect.ts'
import { ollamaChat, ollamaGenerate } from './ollama.ts'
import { openaiChat } from './openai-chat.ts'
import { openaiCompletions } from './openai-completions.ts'
import { openaiResponses } from './openai-responses.ts'

function seenIn(name: string): Seen {
  const capture = captureOf(name)
  const dialect = dialectOf(capture)
  if (dialect === undefined) throw new Error(`no dialect for ${name}`)
  const seen = new Seen()
  if (isStreamed(capture)) for (const frame of framesOf(capture, dialect)) dialect.observe(frame, seen)
  else dialect.observe(JSON.parse(new TextDecoder().decode(bodyBytes(capture))) as JsonObject, seen)
  return seen
}

/** Of an answer: what is not new each time it is asked. */
function lasting(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(lasting)
  if (!isObject(value)) return value
  const volatile = /^(id|created|created_at|completed_at|item_id|call_id|.*_duration)$/
  return Object.fromEntries(Object.entries(value).flatMap(([key, each]) => (volatile.test(key) ? [] : [[key, lasting(each)]])))
}

/** Stream and single answer to the same request. */
const PAIRS: [streamed: string, single: string][] = [
  ['api-chat.think-supported.stream', 'api-chat.think-supported.nostream'],
  ['api-chat.tools.stream', 'api-chat.tools.nostream'],
  ['v1-chat.stream.usage', 'v1-chat.nostream'],
  ['v1-chat.tools.stream.usage', 'v1-chat.tools.nostream'],
  ['v1-chat.reasoning.stream.usage', 'v1-chat.reasoning.nostream'],
  ['v1-responses.stream', 'v1-responses.nostream'],
  ['v1-responses.tools.stream', 'v1-responses.tools.nostream'],
  ['v1-messages.stream', 'v1-messages.nostream'],
  ['v1-messages.tools.stream', 'v1-messages.tools.nostream'],
]

test.for(PAIRS)('%s put together is what Ollama says in one piece', ([streamed, single]) => {
  const dialect = dialectOf(captureOf(streamed))
  const put = dialect?.aggregate?.(framesOf(captureOf(streamed), dialect))
  expect(lasting(put)).toEqual(lasting(JSON.parse(new TextDecoder().decode(bodyBytes(captureOf(single))))))
})

test('logprobs, joined text and context of a stream are in the answer put together', () => {
  const chat = ollamaChat.aggregate?.(framesOf(captureOf('api-chat.logprobs.stream'), ollamaChat))
  expect(chat?.logprobs).toHaveLength(6)
  expect(chat).toMatchObject({ message: { content: 'Say yes. mendatanguser\n' }, done_reason: 'length', eval_count: 6 })
  const v1 = openaiChat.aggregate?.(framesOf(captureOf('v1-chat.logprobs.stream'), openaiChat)) as {
    choices: { logprobs: { content: unknown[] } }[]
  }
  expect(v1.choices[0]?.logprobs.content).toHaveLength(6)
  const generate = ollamaGenerate.aggregate?.(framesOf(captureOf('api-generate.stream'), ollamaGenerate))
  expect(generate?.context).toBeInstanceOf(Array)
  expect(generate?.response).toMatch(/^Why is the sky blue\?/)
  const completions = openaiCompletions.aggregate?.(framesOf(captureOf('v1-completions.stream.usage'), openaiCompletions))
  expect(completions).toMatchObject({
    choices: [{ index: 0, finish_reason: 'length' }],
    usage: { prompt_tokens: 14, completion_tokens: 12 },
  })
  const thinking = anthropicMessages.aggregate?.(framesOf(captureOf('v1-messages.thinking.stream'), anthropicMessages))
  expect(thinking?.content).toEqual([
    { type: 'thinking', thinking: 'The user asks for 4+4. That is 8.' },
    { type: 'text', text: 'The answer is 8.iatrics' },
  ])
})

const COUNTS: [name: string, input: number, output: number][] = [
  ['api-chat.stream', 15, 40],
  ['api-chat.tools.stream', 259, 28],
  ['api-generate.stream', 15, 40],
  ['api-embed.many', 13, 0],
  ['v1-embeddings.many-base64', 6, 0],
  ['v1-chat.stream.usage', 15, 40],
  ['v1-completions.stream.usage', 14, 12],
  ['v1-responses.stream', 15, 40],
  ['v1-messages.stream', 15, 40],
  // message_start says 7,501 here
  ['v1-messages.prompt-too-long.stream', 2051, 4],
]

test.for(COUNTS)('%s is read as %d tokens in and %d out', ([name, input, output]) => {
  expect(seenIn(name)).toMatchObject({ input, output, terminated: true, failed: null })
})

test('no recorded stream that broke off, or was cut by the repetition guard, has a terminator', () => {
  const broken = [...CAPTURES.keys()].filter((name) => /^fault\.(runner|server)-.*\.stream$|repetition(-guard)?\.stream$/.test(name))
  expect(broken.length).toBeGreaterThanOrEqual(15)
  for (const name of broken) expect([name, seenIn(name).terminated]).toEqual([name, false])
})

test('the estimate of a recorded stream never falls short of what the host counted', () => {
  for (const [name, capture] of CAPTURES) {
    if (!isStreamed(capture) || capture.chunks_left_out !== undefined) continue
    const seen = seenIn(name)
    // One token may have no text at all: the one that ends the answer.
    if (seen.terminated && seen.output !== null) expect([name, seen.estimate + 1 >= seen.output]).toEqual([name, true])
  }
})

test('for a caller who had not asked for usage, a stream is what the host says without it', () => {
  for (const [dialect, asked, unasked] of [
    [openaiChat, 'v1-chat.stream.usage', 'v1-chat.stream'],
    [openaiCompletions, 'v1-completions.stream.usage', 'v1-completions.stream'],
  ] as const) {
    const frames = framesOf(captureOf(asked), dialect).flatMap((frame) => dialect.withoutUsage?.(frame) ?? [])
    const text = (each: unknown) => (isObject(each) ? lasting(each) : each)
    const plain = framesOf(captureOf(unasked), dialect)
    expect(text(frames.at(-1))).toEqual(text(plain.at(-1)))
    expect(frames.some((frame) => isObject(frame) && 'usage' in frame)).toBe(false)
  }
})

test('control fields are the gateway’s, unknown ones pass', () => {
  const body = {
    model: 'X',
    keep_alive: -1,
    shift: true,
    _debug_render_only: true,
    mystery: 1,
    options: { num_ctx: 8, num_gpu: 1, seed: 3, odd: 'x' },
  }
  expect(ollamaChat.forward(body, 'x:latest', 7)).toEqual({
    model: 'x:latest',
    mystery: 1,
    stream: true,
    options: { seed: 3, odd: 'x', num_predict: 7 },
  })
  expect(openaiChat.forward({ ...body, max_completion_tokens: 9, stream_options: { Include_Usage: false } }, 'x:latest', 7)).toMatchObject({
    model: 'x:latest',
    max_tokens: 7,
    stream: true,
    stream_options: { include_usage: true },
  })
  expect(openaiChat.forward(body, 'x', 7)).not.toHaveProperty('max_completion_tokens')
  expect(openaiResponses.forward(body, 'x', 7)).toMatchObject({ max_output_tokens: 7, stream: true })
  expect(anthropicMessages.forward(body, 'x', 7)).toMatchObject({ max_tokens: 7, stream: true })
  for (const dialect of [ollamaChat, ollamaGenerate, openaiChat, openaiCompletions, openaiResponses, anthropicMessages]) {
    for (const field of ['keep_alive', 'shift', '_debug_render_only']) expect(dialect.forward(body, 'x', 7)).not.toHaveProperty(field)
  }
})

const UNBOUNDED: [param: string, dialect: Dialect, body: JsonObject][] = [
  ['options.num_predict', ollamaChat, { model: 'm', messages: [{ role: 'user', content: 'x' }], options: { num_predict: 0 } }],
  ['options.num_predict', ollamaChat, { model: 'm', messages: [{ role: 'user', content: 'x' }], options: { num_predict: -1 } }],
  ['options.num_predict', ollamaGenerate, { model: 'm', prompt: 'x', options: { num_predict: 2.5 } }],
  ['max_tokens', openaiChat, { model: 'm', messages: [{ role: 'user', content: 'x' }], max_tokens: 0 }],
  ['max_completion_tokens', openaiChat, { model: 'm', messages: [{ role: 'user', content: 'x' }], max_completion_tokens: -1 }],
  ['max_tokens', openaiCompletions, { model: 'm', prompt: 'x', max_tokens: 0 }],
  ['max_output_tokens', openaiResponses, { model: 'm', input: 'x', max_output_tokens: 0 }],
  ['max_tokens', anthropicMessages, { model: 'm', messages: [{ role: 'user', content: 'x' }], max_tokens: 0 }],
]

test.for(UNBOUNDED)('%s that the host takes for no limit is refused', ([param, dialect, body]) => {
  expect(() => dialect.read(body)).toThrow(GatewayError)
  expect(() => dialect.read(body)).toThrow(new RegExp(`^${param}: must be a positive whole number`))
})

test('tools that run on the owner’s account are refused, however their type is spelled', () => {
  const messages = requestBody(captureOf('v1-messages.web-search-tool'))
  expect(() => anthropicMessages.read(messages)).toThrow(/web_search/)
  const responses = requestBody(captureOf('v1-responses.web-search-tool'))
  expect(() => openaiResponses.read(responses)).toThrow(/web_search/)
  expect(() => openaiResponses.read({ ...responses, tools: [{ Type: 'web_search' }] })).toThrow(/spell it exactly/)
})

test('beside tools of the caller’s own, those that run on the owner’s account are left out', () => {
  const own = { type: 'function', name: 'f' }
  const responses = { model: 'm', input: 'x', tools: [own, { type: 'web_search' }] }
  expect(openaiResponses.read(responses).model).toBe('m')
  expect(openaiResponses.forward(responses, 'm', 5).tools).toEqual([own])
  const tools = [{ name: 'f' }, { type: 'web_search_20250305', name: 'web_search' }]
  expect(anthropicMessages.forward({ tools }, 'm', 5).tools).toEqual([{ name: 'f' }])
  expect(openaiChat.forward({ tools: [own, { type: 'web_fetch' }] }, 'm', 5).tools).toEqual([own])
})

test('a request that only loads a model is answered here; one with images is not taken for it', () => {
  expect(ollamaChat.read({ model: 'm', messages: [] }).answer).toMatchObject({ done: true, done_reason: 'load' })
  expect(ollamaGenerate.read({ model: 'm' }).answer).toMatchObject({ response: '', done_reason: 'load' })
  expect(ollamaGenerate.read({ model: 'm', images: ['aGk='] }).answer).toBeUndefined()
})

test('a format on a model that may think counts for two runs', () => {
  const messages = [{ role: 'user', content: 'x' }]
  expect(ollamaChat.read(requestBody(captureOf('api-chat.think-and-format.stream'))).runs).toBe(2)
  expect(ollamaChat.read({ model: 'm', messages, format: 'json', think: false }).runs).toBe(1)
  expect(openaiChat.read({ model: 'm', messages, response_format: { type: 'json_object' } }).runs).toBe(2)
  expect(openaiChat.read({ model: 'm', messages, response_format: { type: 'json_object' }, reasoning_effort: 'none' }).runs).toBe(1)
})

test('a second run cannot be hidden in keys that fold, or in a field that the host does not look at', () => {
  const messages = [{ role: 'user', content: 'x' }]
  const json = { type: 'json_object' }
  expect(openaiChat.read({ model: 'm', messages, response_format: json, reasoning_effort: 'none', reasoning: {} }).runs).toBe(2)
  expect(openaiChat.read({ model: 'm', messages, response_format: json, reasoning: { effort: 'none' } }).runs).toBe(1)
  for (const [dialect, body] of [
    [openaiChat, { messages, response_format: { type: 'text', Type: 'json_object' } }],
    [openaiChat, { messages, response_format: json, reasoning: { effort: 'none', Effort: 'high' } }],
    [openaiResponses, { input: 'x', text: { format: { type: 'text', Type: 'json_schema' } } }],
    [openaiResponses, { input: 'x', text: { Format: json } }],
    [anthropicMessages, { messages, max_tokens: 5, output_config: { Format: {} } }],
  ] as [Dialect, JsonObject][]) {
    expect(() => dialect.read({ model: 'm', ...body })).toThrow(/spell it exactly/)
  }
})

test('a template is the model’s: given with a request it could repeat the prompt without bound', () => {
  expect(() => ollamaGenerate.read({ model: 'm', prompt: 'x', template: '{{.Prompt}}{{.Prompt}}' })).toThrow(
    /^template: belongs to the model/,
  )
  expect(ollamaGenerate.read({ model: 'm', prompt: 'x', template: '' }).model).toBe('m')
})

test('stream: null is as left out', () => {
  expect(ollamaChat.read(requestBody(captureOf('api-chat.stream-null'))).stream).toBe(true)
  expect(openaiChat.read(requestBody(captureOf('v1-chat.stream-null'))).stream).toBe(false)
})

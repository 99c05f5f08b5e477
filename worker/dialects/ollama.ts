// Ollama's own dialect: /api/chat, /api/generate, /api/embed, /api/embeddings. Source: Ollama's docs/api.md and the recorded exchanges.
import * as z from 'zod'
import type { JsonObject } from '../json.ts'
import { isObject } from '../json.ts'
import type { Seen } from '../seen.ts'
import { type Asked, askedToEmbed, type Dialect, type FrameValue, flag, OWNERS_FIELDS, positive, readAs, without } from './dialect.ts'

/** Options that make the host load the model anew: the owner's to set. */
const RELOADING_OPTIONS = ['num_ctx', 'num_batch', 'num_gpu', 'main_gpu', 'use_mmap', 'num_thread', 'draft_num_predict']

const number = z.number().nullish()
const integer = z.int().nullish()
const options = z.looseObject({
  num_predict: positive.nullish(),
  num_keep: integer,
  seed: integer,
  top_k: integer,
  repeat_last_n: integer,
  temperature: number,
  top_p: number,
  min_p: number,
  typical_p: number,
  repeat_penalty: number,
  presence_penalty: number,
  frequency_penalty: number,
  stop: z.array(z.string()).nullish(),
})
const model = z.string().min(1, 'name a model')
const images = z.array(z.string()).nullish()
const keepAlive = z.union([z.string(), z.number()], 'must be a duration').nullish()
const common = { model, options: options.nullish(), keep_alive: keepAlive, stream: flag }
const thinking = {
  think: z.union([z.boolean(), z.string()], 'must be true, false or a level').nullish(),
  format: z.union([z.string(), z.looseObject({})], 'must be "json" or a JSON schema').nullish(),
}
const logprobs = { logprobs: flag, top_logprobs: z.int().min(0).max(20).nullish() }

const chatRequest = z.looseObject({
  ...common,
  ...thinking,
  ...logprobs,
  messages: z.array(z.looseObject({ role: z.string(), content: z.string().nullish(), images })).nullish(),
  tools: z.array(z.looseObject({})).nullish(),
})
const generateRequest = z.looseObject({
  ...common,
  ...thinking,
  ...logprobs,
  prompt: z.string().nullish(),
  suffix: z.string().nullish(),
  system: z.string().nullish(),
  // It repeats and formats the prompt as it likes, so nothing bounds what the host would read.
  template: z.literal('', 'belongs to the model: it cannot be given with a request').nullish(),
  context: z
    .array(z.unknown())
    .refine((list) => list.every(Number.isInteger), 'must be a list of whole numbers')
    .nullish(),
  raw: flag,
  images,
})
const embedRequest = z.looseObject({
  model,
  options: options.nullish(),
  keep_alive: keepAlive,
  input: z.union([z.string(), z.array(z.string())], 'must be a text or a list of texts'),
  truncate: flag,
  dimensions: z.int().min(1).nullish(),
})
const embeddingsRequest = z.looseObject({ model, options: options.nullish(), keep_alive: keepAlive, prompt: z.string('must be a text') })

/** A JSON grammar on a model that may think: the host runs the model once to think and once more to answer, and counts the second run only. */
function runs(body: { think?: unknown; format?: unknown }): number {
  return body.format != null && body.format !== '' && body.think !== false ? 2 : 1
}

function forward(body: JsonObject, model: string, outputLimit: number): JsonObject {
  const asked = isObject(body.options) ? without(body.options, RELOADING_OPTIONS) : {}
  return { ...without(body, OWNERS_FIELDS), model, stream: true, options: { ...asked, num_predict: outputLimit } }
}

/**
 * `load`: set for a request that only loads a model, with what Ollama puts into its answer to it. Nothing is loaded:
 * the host's owner decides what is, and the next request loads what it needs.
 */
function askedFor(request: z.infer<typeof chatRequest | typeof generateRequest>, images: string[], load: JsonObject | null): Asked {
  const { model, stream, options } = request
  const asked = { model, stream: stream ?? true, outputAsked: options?.num_predict ?? null, runs: runs(request), images, usageAsked: true }
  if (load === null) return asked
  return { ...asked, answer: { model, created_at: new Date().toISOString(), ...load, done: true, done_reason: 'load' } }
}

function observe(frame: FrameValue, seen: Seen): void {
  if (frame === '[DONE]') return
  if (typeof frame.error === 'string') seen.fail({ message: frame.error })
  const message = isObject(frame.message) ? frame.message : frame
  seen.text(isObject(frame.message) ? message.content : frame.response)
  seen.text(message.thinking, true)
  seen.toolCalls(message.tool_calls)
  if (frame.done !== true) return
  seen.terminated = true
  seen.counts({ input: frame.prompt_eval_count, cached: frame.prompt_eval_cached_count, output: frame.eval_count })
  seen.gpuTime(Number(frame.prompt_eval_duration ?? 0) + Number(frame.eval_duration ?? 0))
}

/** Text and thinking joined, tool calls and logprobs in order, the rest from the last frame: what the host does for `stream: false`. */
function aggregate(frames: readonly FrameValue[]): JsonObject {
  const objects = frames.filter(isObject)
  const last = objects.at(-1) ?? {}
  const join = (pick: (frame: JsonObject) => unknown) =>
    objects
      .map(pick)
      .filter((piece) => typeof piece === 'string')
      .join('')
  const logprobs = objects.flatMap((frame) => (Array.isArray(frame.logprobs) ? frame.logprobs : []))
  const extra = logprobs.length > 0 ? { logprobs } : {}
  if (!isObject(last.message)) {
    const thinking = join((frame) => frame.thinking)
    return { ...last, response: join((frame) => frame.response), ...(thinking === '' ? {} : { thinking }), ...extra }
  }
  const message = (frame: JsonObject) => (isObject(frame.message) ? frame.message : {})
  const thinking = join((frame) => message(frame).thinking)
  const toolCalls = objects.flatMap((frame) => (Array.isArray(message(frame).tool_calls) ? (message(frame).tool_calls as unknown[]) : []))
  return {
    ...last,
    message: {
      ...last.message,
      content: join((frame) => message(frame).content),
      ...(thinking === '' ? {} : { thinking }),
      ...(toolCalls.length === 0 ? {} : { tool_calls: toolCalls }),
    },
    ...extra,
  }
}

const SHARED_KEYS = ['model', 'stream', 'format', 'options', 'think', 'truncate', 'logprobs', 'top_logprobs', ...OWNERS_FIELDS]

export const ollamaChat: Dialect = {
  name: 'ollama-chat',
  path: '/api/chat',
  family: 'ollama',
  framing: 'ndjson',
  keys: [...SHARED_KEYS, 'messages', 'tools'],
  schema: chatRequest,
  read(body) {
    const request = readAs(chatRequest, body)
    const messages = request.messages ?? []
    const images = messages.flatMap((message) => message.images ?? [])
    return askedFor(request, images, messages.length === 0 ? { message: { role: 'assistant', content: '' } } : null)
  },
  forward,
  observe,
  aggregate,
}

export const ollamaGenerate: Dialect = {
  name: 'ollama-generate',
  path: '/api/generate',
  family: 'ollama',
  framing: 'ndjson',
  keys: [...SHARED_KEYS, 'prompt', 'suffix', 'system', 'template', 'context', 'raw', 'images'],
  schema: generateRequest,
  read(body) {
    const request = readAs(generateRequest, body)
    const images = request.images ?? []
    return askedFor(request, images, (request.prompt ?? '') === '' && images.length === 0 ? { response: '' } : null)
  },
  forward,
  observe,
  aggregate,
}

const EMBED_KEYS = ['model', 'options', 'truncate', 'dimensions', ...OWNERS_FIELDS]

function forwardEmbedding(body: JsonObject, model: string): JsonObject {
  const asked = isObject(body.options) ? { options: without(body.options, RELOADING_OPTIONS) } : {}
  return { ...without(body, OWNERS_FIELDS), model, ...asked }
}

export const ollamaEmbed: Dialect = {
  name: 'ollama-embed',
  path: '/api/embed',
  family: 'ollama',
  framing: null,
  keys: [...EMBED_KEYS, 'input'],
  schema: embedRequest,
  read(body) {
    const asked = readAs(embedRequest, body)
    return askedToEmbed(asked.model, asked.input)
  },
  forward: forwardEmbedding,
  observe(frame, seen) {
    if (frame === '[DONE]') return
    seen.terminated = Array.isArray(frame.embeddings)
    seen.counts({ input: frame.prompt_eval_count, output: 0 })
    seen.gpuTime(Number(frame.total_duration ?? 0) - Number(frame.load_duration ?? 0))
  },
}

/** The old endpoint: the host gives no count, so it is billed by the bytes of the text. */
export const ollamaEmbeddings: Dialect = {
  name: 'ollama-embeddings',
  path: '/api/embeddings',
  family: 'ollama',
  framing: null,
  keys: [...EMBED_KEYS, 'prompt'],
  schema: embeddingsRequest,
  read(body) {
    const asked = readAs(embeddingsRequest, body)
    return askedToEmbed(asked.model, asked.prompt)
  },
  forward: forwardEmbedding,
  observe(frame, seen) {
    if (frame === '[DONE]') return
    seen.terminated = Array.isArray(frame.embedding)
    seen.counts({ output: 0 })
  },
}

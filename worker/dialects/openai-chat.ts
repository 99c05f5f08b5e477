// OpenAI's chat completions, /v1/chat/completions. Source: OpenAI's API reference, and what Ollama's /v1 was recorded to do with it.
import * as z from 'zod'
import { GatewayError } from '../errors.ts'
import { isObject, type JsonObject } from '../json.ts'
import type { Seen } from '../seen.ts'
import {
  checkKeys,
  checkTools,
  type Dialect,
  type FrameValue,
  flag,
  OWNERS_FIELDS,
  positive,
  readAs,
  without,
  withoutServerTools,
} from './dialect.ts'

export const streamOptions = z.looseObject({ include_usage: flag }).nullish()
export const stop = z.union([z.string(), z.array(z.string())], 'must be a text or a list of texts').nullish()

const part = z.looseObject({
  type: z.string(),
  image_url: z.union([z.string(), z.looseObject({ url: z.string() })], 'must hold a url').nullish(),
})
const request = z.looseObject({
  model: z.string().min(1, 'name a model'),
  messages: z
    .array(
      z.looseObject({ role: z.string(), content: z.union([z.string(), z.array(part)], 'must be a text or a list of parts').nullish() }),
      'must be a list of messages',
    )
    .min(1, 'must hold at least one message'),
  stream: flag,
  stream_options: streamOptions,
  max_tokens: positive.nullish(),
  max_completion_tokens: positive.nullish(),
  temperature: z.number().nullish(),
  top_p: z.number().nullish(),
  seed: z.int().nullish(),
  stop,
  frequency_penalty: z.number().nullish(),
  presence_penalty: z.number().nullish(),
  logprobs: flag,
  top_logprobs: z.int().min(0).max(20).nullish(),
  response_format: z.looseObject({ type: z.string() }).nullish(),
  tools: z.array(z.looseObject({})).nullish(),
  reasoning_effort: z.string().nullish(),
  reasoning: z.looseObject({ effort: z.string().nullish() }).nullish(),
})

/** Of chat completions, completions and embeddings. Cached and written tokens are among the prompt's; a vendor reports more than Ollama. */
export function observeUsage(frame: JsonObject, seen: Seen): void {
  if (!isObject(frame.usage)) return
  const prompt = isObject(frame.usage.prompt_tokens_details) ? frame.usage.prompt_tokens_details : {}
  const completion = isObject(frame.usage.completion_tokens_details) ? frame.usage.completion_tokens_details : {}
  seen.counts({
    input: frame.usage.prompt_tokens,
    cached: prompt.cached_tokens,
    cacheWrite: prompt.cache_write_tokens,
    output: frame.usage.completion_tokens,
    reasoning: completion.reasoning_tokens,
  })
}

/** An error within an answer, as the SDKs look for it. */
export function observeError(frame: JsonObject, seen: Seen): void {
  if (isObject(frame.error)) seen.fail(frame.error)
}

export function choicesOf(frame: JsonObject): JsonObject[] {
  return Array.isArray(frame.choices) ? frame.choices.filter(isObject) : []
}

export const openaiChat: Dialect = {
  name: 'openai-chat',
  path: '/v1/chat/completions',
  family: 'openai',
  framing: 'sse',
  keys: [
    ...[
      'model',
      'messages',
      'stream',
      'stream_options',
      'max_tokens',
      'seed',
      'stop',
      'temperature',
      'frequency_penalty',
      'presence_penalty',
    ],
    ...['top_p', 'response_format', 'tools', 'reasoning', 'reasoning_effort', 'logprobs', 'top_logprobs', 'max_completion_tokens'],
    ...OWNERS_FIELDS,
  ],
  schema: request,

  read(body) {
    const asked = readAs(request, body)
    const { max_tokens: tokens, max_completion_tokens: completionTokens } = asked
    if (tokens != null && completionTokens != null && tokens !== completionTokens) {
      throw new GatewayError('invalid_request', 'max_tokens and max_completion_tokens differ: send one of them.', { param: 'max_tokens' })
    }
    checkTools(asked.tools)
    checkKeys(asked.response_format, ['type', 'json_schema'], 'response_format')
    checkKeys(asked.reasoning, ['effort', 'summary'], 'reasoning')
    const format = asked.response_format?.type ?? 'text'
    // Ollama looks at `reasoning` alone where it is there.
    const effort = asked.reasoning == null ? asked.reasoning_effort : asked.reasoning.effort
    const parts = asked.messages.flatMap((message) => (Array.isArray(message.content) ? message.content : []))
    return {
      model: asked.model,
      stream: asked.stream ?? false,
      outputAsked: tokens ?? completionTokens ?? null,
      runs: format !== 'text' && effort !== 'none' ? 2 : 1,
      images: parts.flatMap((item) => {
        const url = typeof item.image_url === 'string' ? item.image_url : item.image_url?.url
        return item.type === 'image_url' && url?.startsWith('data:') ? [url] : []
      }),
      usageAsked: asked.stream_options?.include_usage === true,
    }
  },

  forward(body, model, outputLimit) {
    const rest = without(withoutServerTools(body), [...OWNERS_FIELDS, 'max_completion_tokens'])
    return { ...rest, model, stream: true, stream_options: { include_usage: true }, max_tokens: outputLimit }
  },

  observe(frame, seen) {
    if (frame === '[DONE]') {
      seen.terminated = true
      return
    }
    observeError(frame, seen)
    for (const choice of choicesOf(frame)) {
      if (!isObject(choice.delta)) continue
      seen.text(choice.delta.content)
      seen.text(choice.delta.refusal)
      seen.text(choice.delta.reasoning, true)
      seen.toolCalls(choice.delta.tool_calls)
    }
    observeUsage(frame, seen)
  },

  withoutUsage: (frame) => (frame !== '[DONE]' && isObject(frame.usage) && choicesOf(frame).length === 0 ? null : frame),

  aggregate(frames) {
    const objects = frames.filter(isObject)
    const first = objects.find((frame) => choicesOf(frame).length > 0) ?? {}
    const choices = objects.flatMap(choicesOf)
    const deltas = choices.map((choice) => (isObject(choice.delta) ? choice.delta : {}))
    const join = (field: string) => deltas.map((delta) => (typeof delta[field] === 'string' ? delta[field] : '')).join('')
    const reasoning = join('reasoning')
    const toolCalls = deltas.flatMap((delta) => (Array.isArray(delta.tool_calls) ? (delta.tool_calls as unknown[]) : []))
    const logprobs = choices.flatMap((choice) =>
      isObject(choice.logprobs) && Array.isArray(choice.logprobs.content) ? choice.logprobs.content : [],
    )
    return {
      ...without(first, ['choices', 'usage']),
      object: 'chat.completion',
      choices: [
        {
          index: 0,
          message: {
            role: 'assistant',
            content: join('content'),
            ...(reasoning === '' ? {} : { reasoning }),
            ...(toolCalls.length === 0 ? {} : { tool_calls: toolCalls }),
          },
          finish_reason: choices.findLast((choice) => choice.finish_reason != null)?.finish_reason ?? null,
          ...(logprobs.length === 0 ? {} : { logprobs: { content: logprobs } }),
        },
      ],
      usage: objects.findLast((frame) => isObject(frame.usage))?.usage,
    }
  },
}

/** A frame without its usage, for a caller who had not asked for it; nothing where there was nothing else in it. */
export function dropUsage(frame: FrameValue): FrameValue | null {
  if (frame === '[DONE]' || !('usage' in frame)) return frame
  return choicesOf(frame).length === 0 ? null : without(frame, ['usage'])
}

// OpenAI's responses, /v1/responses.
import * as z from 'zod'
import { isObject } from '../json.ts'
import type { Seen } from '../seen.ts'
import { checkKeys, checkTools, type Dialect, flag, OWNERS_FIELDS, positive, readAs, without, withoutServerTools } from './dialect.ts'

const part = z.looseObject({ type: z.string(), image_url: z.string().nullish() })
const item = z.looseObject({
  type: z.string().nullish(),
  role: z.string().nullish(),
  content: z.union([z.string(), z.array(part)], 'must be a text or a list of parts').nullish(),
})
const request = z.looseObject({
  model: z.string().min(1, 'name a model'),
  input: z.union(
    [z.string().min(1, 'must not be empty'), z.array(item).min(1, 'must hold at least one item')],
    'must be a text or a list of items',
  ),
  instructions: z.string().nullish(),
  stream: flag,
  max_output_tokens: positive.nullish(),
  temperature: z.number().nullish(),
  top_p: z.number().nullish(),
  tools: z.array(z.looseObject({})).nullish(),
  text: z.looseObject({ format: z.looseObject({ type: z.string() }).nullish() }).nullish(),
  reasoning: z.looseObject({ effort: z.string().nullish() }).nullish(),
})

/** Usage of a response. Cached and written tokens are among the input's; of those written the vendor says for how long. */
export function observeResponse(response: unknown, seen: Seen): void {
  if (!isObject(response) || !isObject(response.usage)) return
  const input = isObject(response.usage.input_tokens_details) ? response.usage.input_tokens_details : {}
  const written = isObject(input.cache_write_tokens_details) ? input.cache_write_tokens_details : {}
  const output = isObject(response.usage.output_tokens_details) ? response.usage.output_tokens_details : {}
  seen.counts({
    input: response.usage.input_tokens,
    cached: input.cached_tokens,
    cacheWrite: input.cache_write_tokens,
    cacheWriteLong: written.ttl_12h_tokens,
    output: response.usage.output_tokens,
    reasoning: output.reasoning_tokens,
  })
}

export const openaiResponses: Dialect = {
  name: 'openai-responses',
  path: '/v1/responses',
  family: 'openai',
  framing: 'sse',
  keys: [
    ...['model', 'background', 'conversation', 'include', 'input', 'instructions', 'max_output_tokens', 'reasoning', 'temperature', 'text'],
    ...['tools', 'top_p', 'truncation', 'stream', 'tool_choice', 'previous_response_id', 'store', 'metadata', ...OWNERS_FIELDS],
  ],
  schema: request,

  read(body) {
    const asked = readAs(request, body)
    checkTools(asked.tools)
    const parts = typeof asked.input === 'string' ? [] : asked.input.flatMap((each) => (Array.isArray(each.content) ? each.content : []))
    checkKeys(asked.text, ['format'], 'text')
    checkKeys(asked.text?.format, ['type', 'schema'], 'text.format')
    checkKeys(asked.reasoning, ['effort', 'summary'], 'reasoning')
    const format = asked.text?.format?.type ?? 'text'
    return {
      model: asked.model,
      stream: asked.stream ?? false,
      outputAsked: asked.max_output_tokens ?? null,
      runs: format !== 'text' && asked.reasoning?.effort !== 'none' ? 2 : 1,
      images: parts.flatMap((each) => (each.type === 'input_image' && each.image_url?.startsWith('data:') ? [each.image_url] : [])),
      usageAsked: true,
    }
  },

  forward: (body, model, outputLimit) => ({
    ...without(withoutServerTools(body), OWNERS_FIELDS),
    model,
    stream: true,
    max_output_tokens: outputLimit,
  }),

  observe(frame, seen) {
    if (frame === '[DONE]') return
    switch (frame.type) {
      case 'response.output_text.delta':
      case 'response.refusal.delta':
        return seen.text(frame.delta)
      case 'response.reasoning_summary_text.delta':
      case 'response.reasoning_text.delta':
        return seen.text(frame.delta, true)
      case 'response.output_item.added':
        return isObject(frame.item) && frame.item.type === 'function_call' ? seen.toolCall(frame.item.name, null) : undefined
      case 'response.function_call_arguments.delta':
        return seen.toolCall(null, frame.delta)
      case 'error':
        return seen.fail(isObject(frame.error) ? frame.error : frame)
      case 'response.failed':
        seen.fail(isObject(frame.response) && isObject(frame.response.error) ? frame.response.error : {})
        return observeResponse(frame.response, seen)
      case 'response.completed':
      case 'response.incomplete':
        seen.terminated = true
        return observeResponse(frame.response, seen)
    }
  },

  /** The last event holds the whole answer; only `reasoning.summary: null` is in the stream's form alone. */
  aggregate(frames) {
    const last = frames.findLast((frame) => frame !== '[DONE]' && isObject(frame.response))
    const response = last !== undefined && last !== '[DONE]' && isObject(last.response) ? last.response : {}
    if (!isObject(response.reasoning) || response.reasoning.summary != null) return response
    return { ...response, reasoning: without(response.reasoning, ['summary']) }
  },
}

// Anthropic's messages, /v1/messages.
import * as z from 'zod'
import { isObject, type JsonObject } from '../json.ts'
import type { Seen } from '../seen.ts'
import { checkKeys, checkTools, type Dialect, flag, OWNERS_FIELDS, positive, readAs, without, withoutServerTools } from './dialect.ts'

const block = z.looseObject({
  type: z.string(),
  source: z.looseObject({ type: z.string(), data: z.string().nullish() }).nullish(),
  content: z.unknown().optional(),
})
const request = z.looseObject({
  model: z.string().min(1, 'name a model'),
  max_tokens: z.int('must be a positive whole number').min(1, 'must be a positive whole number'),
  messages: z
    .array(
      z.looseObject({ role: z.string(), content: z.union([z.string(), z.array(block)], 'must be a text or a list of content blocks') }),
      'must be a list of messages',
    )
    .min(1, 'must hold at least one message'),
  system: z.union([z.string(), z.array(z.looseObject({}))], 'must be a text or a list of text blocks').nullish(),
  stream: flag,
  temperature: z.number().nullish(),
  top_p: z.number().nullish(),
  top_k: z.int().nullish(),
  stop_sequences: z.array(z.string()).nullish(),
  tools: z.array(z.looseObject({})).nullish(),
  thinking: z.looseObject({ type: z.string() }).nullish(),
})

/** What `count_tokens` takes: the same without a limit. */
export const countTokensRequest = request.extend({ max_tokens: positive.nullish() })

/** Inline images of a request, tool results included. */
export function imagesOf(messages: readonly { content: unknown }[]): string[] {
  const blocks = messages.flatMap((message) => (Array.isArray(message.content) ? message.content.filter(isObject) : []))
  return blocks.flatMap((each) => {
    if (each.type === 'tool_result') return imagesOf([{ content: each.content }])
    return each.type === 'image' && isObject(each.source) && each.source.type === 'base64' && typeof each.source.data === 'string'
      ? [each.source.data]
      : []
  })
}

/** Everything of a stream's event but its usage, which a vendor means otherwise than Ollama. */
export function observeEvent(frame: JsonObject, seen: Seen): void {
  if (frame.type === 'message_stop') seen.terminated = true
  if (frame.type === 'error') seen.fail(isObject(frame.error) ? frame.error : {})
  if (frame.type === 'content_block_start' && isObject(frame.content_block)) {
    if (frame.content_block.type === 'tool_use') seen.toolCall(frame.content_block.name, null)
    else seen.text(frame.content_block.text)
  }
  if (frame.type === 'content_block_delta' && isObject(frame.delta)) {
    seen.text(frame.delta.text)
    seen.text(frame.delta.thinking, true)
    seen.toolCall(null, frame.delta.partial_json)
  }
}

export const anthropicMessages: Dialect = {
  name: 'anthropic-messages',
  path: '/v1/messages',
  family: 'anthropic',
  framing: 'sse',
  keys: [
    ...['model', 'max_tokens', 'messages', 'system', 'stream', 'temperature', 'top_p', 'top_k', 'stop_sequences', 'tools', 'tool_choice'],
    ...['thinking', 'metadata', 'output_config', ...OWNERS_FIELDS],
  ],
  schema: request,

  read(body) {
    const asked = readAs(request, body)
    checkTools(asked.tools)
    checkKeys(asked.output_config, ['format', 'effort'], 'output_config')
    return {
      model: asked.model,
      stream: asked.stream ?? false,
      outputAsked: asked.max_tokens,
      runs: isObject(asked.output_config) && asked.output_config.format != null ? 2 : 1,
      images: imagesOf(asked.messages),
      usageAsked: true,
    }
  },

  forward: (body, model, outputLimit) => ({
    ...without(withoutServerTools(body), OWNERS_FIELDS),
    model,
    stream: true,
    max_tokens: outputLimit,
  }),

  /** `message_start` holds Ollama's guess at the input, a quarter of its length, and is not looked at. */
  observe(frame, seen) {
    if (frame === '[DONE]') return
    observeEvent(frame, seen)
    if (frame.type === 'message_delta' && isObject(frame.usage))
      seen.counts({ input: frame.usage.input_tokens, output: frame.usage.output_tokens })
  },

  /** `content: null` is what Ollama says where no block came. */
  aggregate(frames) {
    let message: JsonObject = {}
    const blocks: JsonObject[] = []
    const inputs = new Map<JsonObject, string>()
    for (const frame of frames) {
      if (frame === '[DONE]') continue
      if (isObject(frame.message)) message = frame.message
      if (isObject(frame.content_block)) blocks.push({ ...frame.content_block })
      const open = blocks.at(-1)
      if (frame.type === 'content_block_delta' && open !== undefined && isObject(frame.delta)) {
        for (const field of ['text', 'thinking', 'signature']) {
          if (typeof frame.delta[field] === 'string') open[field] = `${open[field] ?? ''}${frame.delta[field]}`
        }
        if (typeof frame.delta.partial_json === 'string') inputs.set(open, (inputs.get(open) ?? '') + frame.delta.partial_json)
      }
      if (frame.type === 'message_delta') message = { ...message, ...(isObject(frame.delta) ? frame.delta : {}), usage: frame.usage }
    }
    for (const [tool, input] of inputs) tool.input = JSON.parse(input || '{}')
    return { ...message, content: blocks.length === 0 ? null : blocks }
  },
}

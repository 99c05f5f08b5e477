// Anthropic's answers, streamed and in one piece. Its counts of input do not hold what was cached or written to the cache, so they are summed here.

import { observeEvent } from '../dialects/anthropic-messages.ts'
import type { FrameValue, Wire } from '../dialects/dialect.ts'
import { isObject, type JsonObject } from '../json.ts'
import type { Seen } from '../seen.ts'

/** What a stream's usage says later replaces what it said before, field by field; a field that is absent or null stays. */
function merge(usage: unknown, seen: Seen): void {
  if (!isObject(usage)) return
  for (const [field, value] of Object.entries(usage)) if (value != null) seen.usage = { ...seen.usage, [field]: value }
  takeCounts(seen)
}

/** Iterations that the counts at the top leave out: billed beside them. */
const UNCOUNTED = ['compaction', 'advisor_message']

function takeCounts(seen: Seen): void {
  const { iterations } = seen.usage
  const beside = Array.isArray(iterations) ? iterations.filter(isObject).filter(({ type }) => UNCOUNTED.includes(String(type))) : []
  const parts = [seen.usage, ...beside]
  const total = (field: string) => sum(parts.map((part) => part[field]))
  const split = parts.map((part) => (isObject(part.cache_creation) ? part.cache_creation.ephemeral_1h_input_tokens : undefined))
  const details = parts.map((part) => (isObject(part.output_tokens_details) ? part.output_tokens_details.thinking_tokens : undefined))
  const cached = total('cache_read_input_tokens')
  const written = total('cache_creation_input_tokens')
  seen.counts({
    input: sum([total('input_tokens') ?? Number.NaN, cached, written]),
    cached: cached ?? 0,
    cacheWrite: written ?? 0,
    cacheWriteLong: sum(split),
    output: total('output_tokens'),
    reasoning: sum(details) ?? 0,
  })
}

/** Undefined where there is nothing to sum; NaN, which is no count, where one of the parts cannot be one. */
function sum(parts: unknown[]): number | undefined {
  const given = parts.filter((part) => part != null)
  if (given.length === 0) return undefined
  return given.reduce<number>((total, part) => total + (typeof part === 'number' && part >= 0 ? part : Number.NaN), 0)
}

export const messagesStreamed: Wire = {
  name: 'anthropic-messages',
  family: 'anthropic',
  framing: 'sse',
  observe(frame: FrameValue, seen: Seen) {
    if (frame === '[DONE]') return
    observeEvent(frame, seen)
    if (frame.type === 'message_start' && isObject(frame.message)) {
      // A second one says the same again, and is not added.
      merge(frame.message.usage, seen)
      seen.provisional = true
    }
    if (frame.type === 'message_delta' && isObject(frame.usage)) {
      merge(frame.usage, seen)
      seen.provisional = false
    }
  },
}

export const messagesWhole: Wire = {
  name: 'anthropic-messages',
  family: 'anthropic',
  framing: null,
  observe(frame: FrameValue, seen: Seen) {
    if (frame === '[DONE]') return
    seen.terminated = Array.isArray(frame.content)
    observeContent(frame, seen)
    if (frame.type === 'error' && isObject(frame.error)) seen.fail(frame.error)
    merge(frame.usage, seen)
  },
}

function observeContent(message: JsonObject, seen: Seen): void {
  for (const block of Array.isArray(message.content) ? message.content.filter(isObject) : []) {
    seen.text(block.text)
    seen.text(block.thinking, true)
    if (block.type === 'tool_use') seen.toolCall(block.name, block.input)
  }
}

// A call as the stand-in sees it, and what it asks for, whatever its dialect.
import { isInference } from './wires.ts'

export interface Call {
  method: string
  /** Without the query. */
  path: string
  /** Names in lower case. */
  headers: Record<string, string>
  /** Parsed JSON, the text when it is none, or null. */
  body: unknown
}

/** The fields that decide about an answer, in all dialects; nothing about them is certain but what has been checked. */
export interface Asked {
  model?: unknown
  name?: unknown
  stream?: unknown
  messages?: unknown
  prompt?: unknown
  input?: unknown
  system?: unknown
  suffix?: unknown
  raw?: unknown
  context?: unknown
  keep_alive?: unknown
  options?: unknown
  tools?: unknown
  think?: unknown
  thinking?: unknown
  reasoning?: unknown
  reasoning_effort?: unknown
  format?: unknown
  response_format?: unknown
  text?: unknown
  logprobs?: unknown
  top_logprobs?: unknown
  stop?: unknown
  stop_sequences?: unknown
  stream_options?: unknown
  max_tokens?: unknown
  max_output_tokens?: unknown
  dimensions?: unknown
  encoding_format?: unknown
  _debug_render_only?: unknown
}

/** The body's fields; none for a body that is no object. */
export function asked(call: Call): Asked {
  return isObject(call.body) ? call.body : {}
}

export function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

export function isNative(path: string): boolean {
  return path.startsWith('/api/')
}

/** Native inference streams unless told not to, `/v1` only when told to. */
export function wantsStream(call: Call): boolean {
  const { stream } = asked(call)
  return typeof stream === 'boolean' ? stream : isNative(call.path) && isInference(call.path)
}

/** Where a route's recorded refusals are found: `error.<kind>.<this>`. */
export function refusalSuffix(path: string): string {
  const known: Record<string, string> = {
    '/api/chat': 'native-chat',
    '/api/generate': 'native-generate',
    '/v1/chat/completions': 'v1-chat',
    '/v1/completions': 'v1-completions',
    '/v1/embeddings': 'v1-embeddings',
    '/v1/messages': 'v1-messages',
    '/v1/responses': 'v1-responses',
  }
  return known[path] ?? 'native-embed'
}

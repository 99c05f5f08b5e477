// What has been seen of an answer so far: the host's own counts where it gave them, and an estimate for where it does not.
import { isObject, type JsonObject } from './json.ts'

const encoder = new TextEncoder()

/** Longer texts are the encoder's. */
const SHORT_CHARS = 64

/** UTF-8 bytes of a text. */
export function byteLength(text: string): number {
  // A token is mostly a few ASCII letters: to count them here takes a tenth of a call of the encoder.
  if (text.length <= SHORT_CHARS && isAscii(text)) return text.length
  return encoder.encode(text).byteLength
}

function isAscii(text: string): boolean {
  for (let at = 0; at < text.length; at++) if (text.charCodeAt(at) > 0x7f) return false
  return true
}

/** Around a tool call a template puts tags and JSON that are tokens, too, but are not in what is delivered. */
const TOOL_CALL_TOKENS = 16
const BYTES_PER_TOKEN = 4
/** A single token is rarely longer; a longer piece is several that were held back, of which each byte may be one. */
const TOKEN_BYTES_MAX = 16
/** No context is as large: a count beyond is no count. */
const COUNT_MAX = 1_000_000_000

/** Counts as they are reported, whatever they are; absent ones leave what was there. */
interface Reported {
  /** All input: cached and written tokens, too. */
  input?: unknown
  cached?: unknown
  /** Written to the cache, of which `cacheWriteLong` for hours. */
  cacheWrite?: unknown
  cacheWriteLong?: unknown
  output?: unknown
  reasoning?: unknown
}

export class Seen {
  /** Reported counts; null until one came that can be one. */
  input: number | null = null
  cached = 0
  cacheWrite = 0
  cacheWriteLong: number | null = null
  output: number | null = null
  reasoning = 0
  /** The counts so far are not the last word. */
  provisional = false
  /** The last report held what cannot be a count. */
  faulty = false
  /** Usage as a vendor reports it piece by piece, each field as it was said last. */
  usage: JsonObject = {}
  /** Reported GPU time, milliseconds. */
  gpuMs: number | null = null
  /** Estimated tokens of what was delivered, of which `thinking`. */
  estimate = 0
  thinking = 0
  /** The frame that ends an answer came. */
  terminated = false
  /** It was said within the answer that it failed; the first such word is the one that tells why. */
  failed: { message: string; code: string } | null = null

  /**
   * A delivered piece of text. A frame is a token at least; four bytes a token is what the recorded answers come to.
   * Text that was held back (for a stop sequence) comes merged: beyond the length of a token each byte counts for one.
   */
  text(piece: unknown, thinking = false): void {
    if (typeof piece !== 'string' || piece === '') return
    const bytes = byteLength(piece)
    const tokens = Math.ceil(Math.min(bytes, TOKEN_BYTES_MAX) / BYTES_PER_TOKEN) + Math.max(0, bytes - TOKEN_BYTES_MAX)
    this.estimate += tokens
    if (thinking) this.thinking += tokens
  }

  /** A tool call or a part of its arguments: dense in tokens, and delivered whole, so counted by the byte. */
  toolCall(name: unknown, callArguments: unknown): void {
    if (typeof name === 'string' && name !== '') this.estimate += byteLength(name) + TOOL_CALL_TOKENS
    const text = typeof callArguments === 'string' ? callArguments : callArguments == null ? '' : JSON.stringify(callArguments)
    this.estimate += byteLength(text)
  }

  /** Tool calls as Ollama and OpenAI list them, each with its `function`. */
  toolCalls(calls: unknown): void {
    if (!Array.isArray(calls)) return
    for (const call of calls) if (isObject(call?.function)) this.toolCall(call.function.name, call.function.arguments)
  }

  /** An error within the answer, as it was put: OpenAI's and Ollama's codes, Anthropic's types. */
  fail({ message, code, type }: JsonObject): void {
    this.failed ??= { message: String(message ?? 'error'), code: String(code ?? type ?? '') }
  }

  /** GPU time as reported, nanoseconds; nothing is taken from what cannot be one. */
  gpuTime(nanoseconds: number): void {
    if (Number.isFinite(nanoseconds) && nanoseconds > 0) this.gpuMs = Math.ceil(nanoseconds / 1e6)
  }

  /** Takes counts as reported: whole and not negative, or they are not taken. */
  counts({ input, cached, cacheWrite, cacheWriteLong, output, reasoning }: Reported): void {
    const reported = [input, cached, cacheWrite, cacheWriteLong, output, reasoning]
    const parts = [cached, cacheWrite].reduce<number>((sum, part) => sum + (isCount(part) ? part : 0), 0)
    this.faulty = reported.some((count) => count != null && !isCount(count)) || (isCount(input) && parts > input)
    if (isCount(input)) this.input = input
    if (isCount(output)) this.output = output
    const most = this.input ?? 0
    if (isCount(cached)) this.cached = Math.min(cached, most)
    if (isCount(cacheWrite)) this.cacheWrite = Math.min(cacheWrite, most - this.cached)
    if (isCount(cacheWriteLong)) this.cacheWriteLong = Math.min(cacheWriteLong, this.cacheWrite)
    if (isCount(reasoning)) this.reasoning = Math.min(reasoning, this.output ?? 0)
  }
}

function isCount(value: unknown): value is number {
  return typeof value === 'number' && Number.isInteger(value) && value >= 0 && value <= COUNT_MAX
}

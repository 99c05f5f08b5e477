// A request as a vendor that bills for it reads it: a closed list of fields, and what decides how much it can cost.
import type * as z from 'zod'
import type { JsonObject } from '../json.ts'

export const VENDORS = ['openai', 'anthropic'] as const
export type Vendor = (typeof VENDORS)[number]

/**
 * What a request can write to the vendor's cache. `automatic`: the vendor decides, and a price row without a price for it means that it costs
 * what input does. `short` (minutes) and `long` (hours): the caller asks for it, so that a price for it must be known.
 */
export const CACHE_WRITES = ['none', 'automatic', 'short', 'long'] as const
export type CacheWrite = (typeof CACHE_WRITES)[number]

/** What a request for a vendor asks for, as far as prices and limits go. */
export interface VendorAsked {
  /** As the caller spelled it. */
  model: string
  stream: boolean
  /** The caller wants the usage that the gateway asks for in any case. */
  usageAsked: boolean
  /** Output tokens of each answer. null: nothing was said. 0: the request has no output. */
  outputAsked: number | null
  /** The fewest output tokens of each answer that the vendor takes for this request, where that is more than usual. */
  outputLeast?: number
  /** How many answers are billed for it: n, or best_of, times the number of prompts. 1 to ANSWERS_MAX. */
  answers: number
  /** Inline media, base64: bytes that are not tokens; `tokens` is the most that each is billed as. */
  media: readonly { base64: string; tokens: number }[]
  /** What the vendor adds unseen, tokens at most. */
  marginTokens: number
  cacheWrite: CacheWrite
}

/** The ledger's limit of `runs`. */
export const ANSWERS_MAX = 100

/** What the gateway decides of the body that a vendor gets. */
export interface Decided {
  /** The model's name there. */
  model: string
  /** Output tokens of each answer; 0 where the request has no output. */
  outputLimit: number
  /** How OpenAI and those that speak like it spell the limit of a chat. */
  limitField: 'max_completion_tokens' | 'max_tokens'
}

/** The fields of a request at its top level: what is in none of these is refused, too. */
export interface FieldList {
  /** Reaches the vendor as it came, once it has this shape. */
  passed: z.ZodRawShape
  /** Reaches the vendor with this value, whatever the caller says. */
  pinned: Readonly<Record<string, unknown>>
  /** Refused with these words, unless it asks for nothing: null, false, or an empty list or object. */
  refused: Readonly<Record<string, string>>
  /** May be said in this shape and goes no further: what a pinned field may ask for, and what clients send that the vendor can do without. */
  taken?: z.ZodRawShape
}

export interface VendorRequest {
  fields: FieldList
  /** Throws invalid_request, with the field as `param`. */
  read(body: JsonObject): VendorAsked
  /** The body for the vendor: listed fields alone, with what the gateway decides in its place. */
  forward(body: JsonObject, decided: Decided): JsonObject
}

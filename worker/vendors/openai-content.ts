// What OpenAI's dialects have in common: inline images, marks for the prompt cache, and the fields that mean the same in several of them.
import * as z from 'zod'
import { isObject } from '../json.ts'
import { refusal } from './field-list.ts'
import type { CacheWrite, VendorAsked } from './vendor-request.ts'

export const flag = z.boolean().nullish()
export const number = z.number().nullish()
export const text = z.string().nullish()
export const model = z.string().min(1, 'name a model.')
export const count = z.int('must be a whole number, 0 or more.').min(0, 'must be a whole number, 0 or more.')
export const metadata = z.record(z.string(), z.string()).nullish()
export const stop = z.union([z.string(), z.array(z.string())], 'must be a text or a list of texts.').nullish()
export const logitBias = z.record(z.string(), z.number()).nullish()
export const jsonObject = z.looseObject({})
/** The effort is the model's to know, and lies within the limit. */
export const effort = z.string().nullish()

export const cacheOptions = z.strictObject({ mode: z.enum(['implicit', 'explicit']).optional(), ttl: z.enum(['30m', '12h']).optional() })
export const cacheRetention = z.literal('in_memory', 'there is no price for it here: leave it out, or say "in_memory".').nullish()
export const cacheBreakpoint = z.strictObject({ mode: z.literal('explicit'), ttl: z.enum(['30m', '12h']).optional() }).nullish()
export const detail = z.enum(['low', 'high', 'auto', 'original']).nullish()
export const moderation = z.strictObject({ model: z.string(), policy: jsonObject.nullish() }).nullish()

/** The tier is forced, for another one has other prices. */
export const defaultTier = z.enum(['auto', 'default'], 'only the default tier is offered here: leave it out.').nullish()

export const INLINE_IMAGE = 'only inline images are offered: send the image itself, as "data:image/png;base64,…" (png, jpeg, webp or gif).'
const DATA_URL = /^data:image\/(?:png|jpe?g|webp|gif);base64,/
export const inlineImage = z.string(INLINE_IMAGE).refine((url) => DATA_URL.test(url), INLINE_IMAGE)

/**
 * The most that one image is billed as. gpt-4o-mini counts 2,833 for an image and 5,667 for each of up to 8 tiles: 48,169. Models that count
 * patches of 32 × 32 pixels stay below: at most 10,000 of them × 2.46. Source: OpenAI's guide to images.
 */
const IMAGE_TOKENS = 50_000
/** 2,833 with gpt-4o-mini; but models that count patches were seen to bill `low` as `high`: 2,500 patches × 2.46 = 6,150. */
const LOW_IMAGE_TOKENS = 8_000

export function imageOf(url: string, level: string | null | undefined): VendorAsked['media'][number] {
  return { base64: url.slice(url.indexOf(',') + 1), tokens: level === 'low' ? LOW_IMAGE_TOKENS : IMAGE_TOKENS }
}

/** OpenAI writes to its cache unasked; a lifetime or a mark is the caller's wish. */
export function cacheWriteOf(options: { ttl?: string | undefined } | null | undefined, marked: unknown): CacheWrite {
  const ttls = [...(options?.ttl === undefined ? [] : [options.ttl]), ...breakpoints(marked)]
  if (ttls.includes('12h')) return 'long'
  return ttls.length > 0 ? 'short' : 'automatic'
}

/** The lifetimes of the marks in checked messages; a mark without one has the default, 30 minutes. */
function breakpoints(value: unknown): string[] {
  if (Array.isArray(value)) return value.flatMap(breakpoints)
  if (!isObject(value)) return []
  const mark = value.prompt_cache_breakpoint
  return [
    ...(isObject(mark) ? [typeof mark.ttl === 'string' ? mark.ttl : '30m'] : []),
    ...breakpoints(value.content),
    ...breakpoints(value.output),
  ]
}

/** Refuses what would be more answers than one request may be billed for. Throws invalid_request. */
export function checkAnswers(answers: number, most: number, param: string): number {
  if (answers <= most) return answers
  throw refusal(
    [param],
    `the request asks for ${answers} answers, and at most ${most} are offered: ask for fewer, or send several requests.`,
  )
}

// The catalogue: vendors' models and prices as a file, read strictly and written one model a line.
import * as z from 'zod'
import type { prices } from '../../worker/schema.ts'

export const VENDORS = ['openai', 'anthropic'] as const
export type Vendor = (typeof VENDORS)[number]
export const MODES = ['chat', 'responses', 'completion', 'embedding'] as const

/** $10,000 per million tokens: the most that a price row takes. */
export const PICO_MAX = 10_000_000_000
/** An id at a vendor. Without a colon it is never a model of the host, whose names always have a tag. */
export const ID = /^[a-z0-9][a-z0-9._-]{0,127}$/

const pico = z.int().min(0).max(PICO_MAX)

/** Pico-dollars a token, as a row of `prices` has them. */
export type Prices = Pick<
  typeof prices.$inferSelect,
  | 'inputPico'
  | 'cachedInputPico'
  | 'cacheWritePico'
  | 'cacheWriteLongPico'
  | 'outputPico'
  | 'aboveTokens'
  | 'aboveInputPico'
  | 'aboveCachedInputPico'
  | 'aboveCacheWritePico'
  | 'aboveCacheWriteLongPico'
  | 'aboveOutputPico'
>

const modelSchema = z
  .strictObject({
    vendor: z.enum(VENDORS),
    id: z.string().regex(ID, 'has to be an id as the vendor has it, in small letters, digits and . _ -'),
    mode: z.enum(MODES),
    input_pico: pico,
    cached_input_pico: pico.optional(),
    cache_write_pico: pico.optional(),
    cache_write_long_pico: pico.optional(),
    output_pico: pico,
    above_tokens: z.int().min(1).max(1_000_000_000).optional(),
    above_input_pico: pico.optional(),
    above_cached_input_pico: pico.optional(),
    above_cache_write_pico: pico.optional(),
    above_cache_write_long_pico: pico.optional(),
    above_output_pico: pico.optional(),
    context_tokens: z.int().min(1).optional(),
    output_max: z.int().min(1).max(1_000_000).optional(),
    retires: z.iso.date().optional(),
  })
  .refine((model) => model.mode === 'embedding' || model.output_max !== undefined, {
    path: ['output_max'],
    error: 'is missing: a model that writes needs the most tokens that it can write',
  })
  .refine(hasWholeTier, { path: ['above_tokens'], error: 'and above_input_pico and above_output_pico go together: give all three or none' })

/** One model: prices in pico-dollars a token, a field that is missing being a price that there is not; `retires` is the first day on which the vendor serves it no more. */
export type CatalogueModel = z.infer<typeof modelSchema>

export const catalogueSchema = z.strictObject({
  /** Of this file, not of its content. */
  format: z.literal(1),
  source: z.string(),
  /** Of the source, and the day it was taken; null: it does not say. */
  version: z.string().nullable(),
  date: z.iso.date().nullable(),
  licence: z.string(),
  models: z.array(modelSchema).superRefine((models, check) => {
    const seen = new Set<string>()
    for (const [index, { id }] of models.entries()) {
      if (seen.has(id)) check.addIssue({ code: 'custom', path: [index, 'id'], message: `comes twice: ${id}` })
      seen.add(id)
    }
  }),
})
export type Catalogue = z.infer<typeof catalogueSchema>

type Tier = {
  [field in `above_${'tokens' | 'input_pico' | 'cached_input_pico' | 'cache_write_pico' | 'cache_write_long_pico' | 'output_pico'}`]?: unknown
}

function hasWholeTier(model: Tier): boolean {
  const parts = [model.above_tokens, model.above_input_pico, model.above_output_pico]
  const rest = [model.above_cached_input_pico, model.above_cache_write_pico, model.above_cache_write_long_pico]
  return parts.every((part) => part !== undefined) || [...parts, ...rest].every((part) => part === undefined)
}

/** As a price row has it: a vendor without a price for cached input bills it as input. */
export function pricesOf(model: CatalogueModel): Prices {
  const above = model.above_input_pico ?? null
  return {
    inputPico: model.input_pico,
    cachedInputPico: model.cached_input_pico ?? model.input_pico,
    cacheWritePico: model.cache_write_pico ?? null,
    cacheWriteLongPico: model.cache_write_long_pico ?? null,
    outputPico: model.output_pico,
    aboveTokens: model.above_tokens ?? null,
    aboveInputPico: above,
    aboveCachedInputPico: model.above_cached_input_pico ?? above,
    aboveCacheWritePico: model.above_cache_write_pico ?? null,
    aboveCacheWriteLongPico: model.above_cache_write_long_pico ?? null,
    aboveOutputPico: model.above_output_pico ?? null,
  }
}

/** The file's text: one line a model, sorted, so that a change of prices is a change of lines. */
export function catalogueText({ models, ...head }: Catalogue): string {
  const lines = [...models].sort(order).map((model) => `    ${JSON.stringify(model)}`)
  return `${JSON.stringify(head, null, 2).slice(0, -2)},\n  "models": [\n${lines.join(',\n')}\n  ]\n}\n`
}

function order(a: CatalogueModel, b: CatalogueModel): number {
  const [left, right] = [`${a.vendor} ${a.id}`, `${b.vendor} ${b.id}`]
  return left < right ? -1 : left > right ? 1 : 0
}

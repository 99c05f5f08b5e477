// What a request costs: exact integers, rounded up once, at the end.
import { MONEY_MAX_NANO, type NanoUsd, nanoUsdOf } from './money.ts'
import type { prices } from './schema.ts'

/** The columns of a price row that a cost is made of: nano-dollars per request and per GPU second, pico-dollars per token. */
export const PRICE_FIELDS = [
  'requestNano',
  'modelNano',
  'inputPico',
  'cachedInputPico',
  'outputPico',
  'gpuSecondNano',
  'cacheWritePico',
  'cacheWriteLongPico',
  'aboveTokens',
  'aboveInputPico',
  'aboveCachedInputPico',
  'aboveCacheWritePico',
  'aboveCacheWriteLongPico',
  'aboveOutputPico',
] as const

export type Price = Pick<typeof prices.$inferSelect, (typeof PRICE_FIELDS)[number]>

/** What was used: whole tokens and milliseconds of GPU. */
export interface Used {
  /** All of them: `cached` ones and those written to the cache, too. */
  input: number
  cached: number
  /** Written to the cache for minutes, and for hours. */
  cacheWrite: number
  cacheWriteLong: number
  /** All of them: `reasoning`, too. */
  output: number
  reasoning: number
  gpuMs: number
}

export const UNUSED: Used = { input: 0, cached: 0, cacheWrite: 0, cacheWriteLong: 0, output: 0, reasoning: 0, gpuMs: 0 }

export const PART_NAMES = ['request', 'model', 'input', 'cached', 'cache_write', 'cache_write_long', 'output', 'gpu'] as const
export type PartName = (typeof PART_NAMES)[number]

/** `count` units (tokens, milliseconds of GPU, one request or use) at `pico` pico-dollars each. */
export interface Part {
  name: PartName
  count: number
  pico: number
}

/**
 * What a cost is the sum of: per request + per model use + tokens of each kind × their price + GPU time × its price.
 * A nano-dollar a second is a pico-dollar a millisecond, so each is an integer number of pico-dollars.
 */
export function partsOf(price: Price, used: Used): Part[] {
  const token = tokenPrices(price, used.input)
  const { cached, cacheWrite, cacheWriteLong } = used
  return [
    { name: 'request', count: 1, pico: price.requestNano * 1000 },
    { name: 'model', count: 1, pico: price.modelNano * 1000 },
    { name: 'input', count: used.input - cached - cacheWrite - cacheWriteLong, pico: token.input },
    { name: 'cached', count: cached, pico: token.cached },
    { name: 'cache_write', count: cacheWrite, pico: token.cacheWrite },
    { name: 'cache_write_long', count: cacheWriteLong, pico: token.cacheWriteLong },
    { name: 'output', count: used.output, pico: token.output },
    { name: 'gpu', count: used.gpuMs, pico: price.gpuSecondNano },
  ]
}

/** The sum of the parts, rounded up to a whole nano-dollar. */
export function costOf(price: Price, used: Used): NanoUsd {
  const pico = partsOf(price, used).reduce((sum, part) => sum + BigInt(part.count) * BigInt(part.pico), 0n)
  const nano = (pico + 999n) / 1000n
  return nanoUsdOf(nano > BigInt(MONEY_MAX_NANO) ? MONEY_MAX_NANO : Number(nano))
}

/** Whether a request of so much input costs what the row says above its threshold. */
export function isAbove(price: Price, inputTokens: number): boolean {
  return price.aboveTokens !== null && inputTokens > price.aboveTokens
}

/**
 * Pico-dollars a token for a request of so much input: above the row's threshold all of its tokens cost what they do there.
 * A cache write without a price costs what input does; one for hours without a price, what one for minutes does.
 */
export function tokenPrices(price: Price, inputTokens: number) {
  const above = isAbove(price, inputTokens)
  const input = (above ? price.aboveInputPico : null) ?? price.inputPico
  const cacheWrite = (above ? price.aboveCacheWritePico : price.cacheWritePico) ?? input
  return {
    input,
    cached: (above ? price.aboveCachedInputPico : null) ?? price.cachedInputPico,
    cacheWrite,
    cacheWriteLong: (above ? price.aboveCacheWriteLongPico : price.cacheWriteLongPico) ?? cacheWrite,
    output: (above ? price.aboveOutputPico : null) ?? price.outputPico,
  }
}

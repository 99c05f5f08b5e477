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

/**
 * cost = per request + per model use + Σ tokens × token price + GPU seconds × price a second, rounded up to a whole nano-dollar.
 * A nano-dollar a second is a pico-dollar a millisecond, so everything is an integer number of pico-dollars until then.
 */
export function costOf(price: Price, used: Used): NanoUsd {
  const token = tokenPrices(price, used.input)
  const plain = used.input - used.cached - used.cacheWrite - used.cacheWriteLong
  const pico =
    BigInt(price.requestNano + price.modelNano) * 1000n +
    BigInt(plain) * BigInt(token.input) +
    BigInt(used.cached) * BigInt(token.cached) +
    BigInt(used.cacheWrite) * BigInt(token.cacheWrite) +
    BigInt(used.cacheWriteLong) * BigInt(token.cacheWriteLong) +
    BigInt(used.output) * BigInt(token.output) +
    BigInt(used.gpuMs) * BigInt(price.gpuSecondNano)
  const nano = (pico + 999n) / 1000n
  return nanoUsdOf(nano > BigInt(MONEY_MAX_NANO) ? MONEY_MAX_NANO : Number(nano))
}

/**
 * Pico-dollars a token for a request of so much input: above the row's threshold all of its tokens cost what they do there.
 * A cache write without a price costs what input does; one for hours without a price, what one for minutes does.
 */
export function tokenPrices(price: Price, inputTokens: number) {
  const isAbove = price.aboveTokens !== null && inputTokens > price.aboveTokens
  const input = (isAbove ? price.aboveInputPico : null) ?? price.inputPico
  const cacheWrite = (isAbove ? price.aboveCacheWritePico : price.cacheWritePico) ?? input
  return {
    input,
    cached: (isAbove ? price.aboveCachedInputPico : null) ?? price.cachedInputPico,
    cacheWrite,
    cacheWriteLong: (isAbove ? price.aboveCacheWriteLongPico : price.cacheWriteLongPico) ?? cacheWrite,
    output: (isAbove ? price.aboveOutputPico : null) ?? price.outputPico,
  }
}

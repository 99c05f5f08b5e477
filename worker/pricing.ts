// What a request costs: exact integers, rounded up once, at the end.
import { MONEY_MAX_NANO, type NanoUsd, nanoUsdOf } from './money.ts'
import type { prices } from './schema.ts'

/** The prices of one row: nano-dollars per request and per GPU second, pico-dollars per token. */
export type Price = Pick<
  typeof prices.$inferSelect,
  'requestNano' | 'modelNano' | 'inputPico' | 'cachedInputPico' | 'outputPico' | 'gpuSecondNano'
>

/** What was used: whole tokens (`input` holds the `cached` ones too) and milliseconds of GPU. */
export interface Used {
  input: number
  cached: number
  output: number
  gpuMs: number
}

/**
 * cost = per request + per model use + Σ tokens × token price + GPU seconds × price a second, rounded up to a whole nano-dollar.
 * A nano-dollar a second is a pico-dollar a millisecond, so everything is an integer number of pico-dollars until then.
 */
export function costOf(price: Price, used: Used): NanoUsd {
  const pico =
    BigInt(price.requestNano + price.modelNano) * 1000n +
    BigInt(used.input - used.cached) * BigInt(price.inputPico) +
    BigInt(used.cached) * BigInt(price.cachedInputPico) +
    BigInt(used.output) * BigInt(price.outputPico) +
    BigInt(used.gpuMs) * BigInt(price.gpuSecondNano)
  const nano = (pico + 999n) / 1000n
  return nanoUsdOf(nano > BigInt(MONEY_MAX_NANO) ? MONEY_MAX_NANO : Number(nano))
}

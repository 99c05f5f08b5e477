// What tokens would have cost, at the prices that they are sold at.
import { DAY_MS } from '../../worker/ledger/periods.ts'
import type { PriceRow } from './prices.ts'
import { KINDS, type Kind, type Tokens } from './vendor-export.ts'

/** Of prices newest first, the one in force at the end of a day; a withdrawal is no price. */
export function priceOn(prices: PriceRow[], day: number): PriceRow | null {
  return prices.find(({ validFromMs, withdrawn }) => validFromMs < (day + 1) * DAY_MS && withdrawn === 0) ?? null
}

/**
 * Whole pico-dollars; negative where tokens are. Not the Worker's `costOf`: that is of one request, chooses the tier by its whole input, which a
 * day's sum does not tell, and rounds up, which a difference must not. So this is the base price, and without fees a request.
 */
export function picoOf(price: PriceRow, tokens: Tokens): bigint {
  const { inputPico, cachedInputPico, outputPico } = price
  const write = price.cacheWritePico ?? inputPico
  const each: Record<Kind, number> = {
    input: inputPico,
    cached: cachedInputPico,
    write,
    writeLong: price.cacheWriteLongPico ?? write,
    output: outputPico,
  }
  return KINDS.reduce((sum, kind) => sum + BigInt(tokens[kind]) * BigInt(each[kind]), 0n)
}

/** The nearest nano-dollar, half away from zero. */
export function nearestNano(pico: bigint): bigint {
  const half = pico < 0n ? -500n : 500n
  return (pico + half) / 1000n
}

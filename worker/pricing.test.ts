// What tokens of each kind cost, below a row's threshold and above it.
import { expect, test } from 'vitest'
import { costOf, UNUSED } from './pricing.ts'
import { priceOf } from './testing/price.ts'

// Pico-dollars a token are micro-dollars per million: $2, $0.2, $2.5, $4 and $8 per Mtok, and twice as much above 100,000 tokens of input.
const PRICE = priceOf({
  ...{ inputPico: 2_000_000, cachedInputPico: 200_000, cacheWritePico: 2_500_000, cacheWriteLongPico: 4_000_000, outputPico: 8_000_000 },
  ...{ aboveTokens: 100_000, aboveInputPico: 4_000_000, aboveCachedInputPico: 400_000, aboveOutputPico: 12_000_000 },
  ...{ aboveCacheWritePico: 5_000_000, aboveCacheWriteLongPico: 8_000_000 },
})

test('each kind of input has its own price, and reasoning is output', () => {
  const used = { ...UNUSED, input: 1000, cached: 400, cacheWrite: 300, cacheWriteLong: 200, output: 50, reasoning: 40 }
  // 100 × $2 + 400 × $0.2 + 300 × $2.5 + 200 × $4 + 50 × $8 = 200 + 80 + 750 + 800 + 400 = $2,230 per Mtok = 2,230,000 nano-dollars
  expect(costOf(PRICE, used)).toBe(2_230_000)
})

test('above the threshold all tokens of the request cost what they do there; at it none does', () => {
  expect(costOf(PRICE, { ...UNUSED, input: 100_000, output: 10 })).toBe(200_080_000)
  // 100,001 × $4 + 10 × $12 per Mtok
  expect(costOf(PRICE, { ...UNUSED, input: 100_001, output: 10 })).toBe(400_124_000)
  // Cached and written tokens count towards it: 60,000 × $0.4 + 41,000 × $5
  expect(costOf(PRICE, { ...UNUSED, input: 101_000, cached: 60_000, cacheWrite: 41_000 })).toBe(229_000_000)
})

test('a cache write without a price costs what input does, one for hours what one for minutes does', () => {
  const used = { ...UNUSED, input: 300, cacheWrite: 100, cacheWriteLong: 100 }
  expect(costOf(priceOf({ inputPico: 2_000_000 }), used)).toBe(600_000)
  expect(costOf(priceOf({ inputPico: 2_000_000, cacheWritePico: 3_000_000 }), used)).toBe(800_000)
})

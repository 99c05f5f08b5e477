// Test support: a price in a line.
import type { Price } from '../pricing.ts'

/** Free but for what is given; nothing has a tier, nor a price for cache writes. */
export function priceOf(price: Partial<Price> = {}): Price {
  return {
    ...{ requestNano: 0, modelNano: 0, inputPico: 0, cachedInputPico: 0, outputPico: 0, gpuSecondNano: 0 },
    ...{ cacheWritePico: null, cacheWriteLongPico: null, aboveTokens: null, aboveInputPico: null, aboveCachedInputPico: null },
    ...{ aboveCacheWritePico: null, aboveCacheWriteLongPico: null, aboveOutputPico: null },
    ...price,
  }
}

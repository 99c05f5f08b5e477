// Grouped rows of usage → the lines of an invoice, each with the figures of the price that it was charged at.
import { formatDecimal } from '../../worker/money.ts'
import { type Price, tokenPrices } from '../../worker/pricing.ts'
import type { AdjustmentLine, Line, LinePrice } from './document.ts'
import { formatAmount } from './sums.ts'

/** What was used of a model at one price, by requests above and below its threshold. */
export interface UsedLine extends Omit<Line, 'price' | 'over' | 'amount'> {
  price: (Price & { id: number; since: string; isAbove: boolean }) | null
  overNano: bigint
  nano: bigint
}

export interface Adjustment extends Omit<AdjustmentLine, 'amount'> {
  nano: bigint
}

export function lineOf({ price, overNano, nano, ...used }: UsedLine): Line {
  return { ...used, price: price === null ? null : priceOf(price), over: formatAmount(overNano), amount: formatAmount(nano) }
}

function priceOf(price: NonNullable<UsedLine['price']>): LinePrice {
  const { id, since, isAbove, aboveTokens } = price
  const token = tokenPrices(price, isAbove && aboveTokens !== null ? aboveTokens + 1 : 0)
  return {
    id,
    since,
    per_request: formatDecimal(price.requestNano + price.modelNano, 9),
    input: formatDecimal(token.input, 6),
    cached_input: formatDecimal(token.cached, 6),
    cache_write: formatDecimal(token.cacheWrite, 6),
    cache_write_long: formatDecimal(token.cacheWriteLong, 6),
    output: formatDecimal(token.output, 6),
    gpu_second: formatDecimal(price.gpuSecondNano, 9),
    input_above: isAbove ? aboveTokens : null,
    input_up_to: isAbove ? null : aboveTokens,
  }
}

export function adjustmentLineOf({ nano, ...adjustment }: Adjustment): AdjustmentLine {
  return { ...adjustment, amount: formatAmount(nano) }
}

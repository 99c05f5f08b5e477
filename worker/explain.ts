// Why a request cost what it did: its price, counts, formula with the numbers in it, ending, hold and times. Pure: rows in, words out.
import { type EndingFacts, endingRule, estimateReason } from './ending-words.ts'
import { formatDecimal, formatUsd } from './money.ts'
import { costOf, isAbove, type Part, type PartName, partsOf, type Used } from './pricing.ts'
import type { adjustments, holds, prices, usage } from './schema.ts'

type UsageRow = typeof usage.$inferSelect
type HoldRow = typeof holds.$inferSelect
type PriceRow = typeof prices.$inferSelect
export type AdjustmentRow = Pick<typeof adjustments.$inferSelect, 'id' | 'amountNano' | 'reason' | 'createdMs'>

interface FormulaPart {
  what: PartName
  /** Tokens, milliseconds of GPU, or 1. */
  count: number
  /** Dollars a million tokens, a GPU second, a request or a use of the model. */
  price_usd: string
  amount_usd: string
  /** 22 input × $2.4/Mtok = $0.0000528 */
  text: string
}

export interface Explanation {
  price: { id: number; valid_from: string; tier: string | null }
  /** null: what was used is not kept in full, or nothing was charged. */
  formula: FormulaPart[] | null
  /** Of the formula, before it is rounded up to a whole nano-dollar. */
  sum_usd: string | null
  cost: string
  hold: string
  output_limit: string
  /** null: it runs. */
  ending: string | null
  estimated: string | null
  times: string
  adjustments: { id: string; amount_usd: string; reason: string; created_at: string }[]
  /** What was charged, and what was posted for it later. */
  total_usd: string | null
}

export function explainEnded(row: UsageRow, price: PriceRow, posted: readonly AdjustmentRow[]): Explanation {
  const used = usedOf(row)
  const fullNano = row.costNano + row.overNano
  const nothing = fullNano === 0 && Object.values(used).every((count) => count === 0)
  const facts: EndingFacts = { outcome: row.outcome, upstream: row.upstream, estimated: row.estimated === 1, nothing }
  const parts = nothing || row.outcome === 'expired' ? null : partsOf(price, used)
  const sumPico = parts?.reduce((sum, part) => sum + amountOf(part), 0n) ?? null
  const total = posted.reduce((sum, { amountNano }) => sum + BigInt(amountNano), BigInt(row.costNano))
  return {
    ...about(row, price),
    formula: parts?.filter(isTold).map((part) => formulaPart(part, used)) ?? null,
    sum_usd: sumPico === null ? null : formatDecimal(sumPico, 12),
    cost: [sourceWords(row, price, used, sumPico, nothing), chargeWords(row)].join(' '),
    ending: endingRule(facts),
    estimated: estimateReason(facts),
    times: `Admitted ${iso(row.createdMs)}; ${row.firstMs === null ? 'no token was delivered' : `first token ${row.firstMs.toLocaleString('en-US')} ms later`}; settled ${iso(row.settledMs)}.`,
    adjustments: posted.map(({ id, amountNano, reason, createdMs }) => ({
      id,
      amount_usd: formatUsd(amountNano),
      reason,
      created_at: iso(createdMs),
    })),
    total_usd: formatDecimal(total, 9),
  }
}

export function explainRunning(row: HoldRow, price: PriceRow): Explanation {
  return {
    ...about(row, price),
    ...{ formula: null, sum_usd: null, ending: null, estimated: null, adjustments: [], total_usd: null },
    cost: 'It runs: nothing is charged yet, and no more than the hold will be where there is a budget.',
    times: `Admitted ${iso(row.createdMs)}; its lease runs until ${iso(row.expiresMs)}.`,
  }
}

/** For people, a line each. */
export function explanationLines({ price, formula, sum_usd, ...words }: Explanation): string[] {
  return [
    `Price ${price.id}, in force from ${price.valid_from}${price.tier === null ? '' : `; ${price.tier}`}.`,
    ...(formula ?? []).map(({ text }) => `  ${text}`),
    ...(sum_usd === null ? [] : [`  sum = $${sum_usd}`]),
    ...[words.cost, words.ending, words.estimated, words.hold, words.output_limit, words.times].filter((line) => line !== null),
    ...words.adjustments.map(
      ({ id, amount_usd, reason, created_at }) => `Adjustment ${id}: ${dollars(amount_usd)}, ${reason}, ${created_at}.`,
    ),
    ...(words.adjustments.length === 0 ? [] : [`Together: ${dollars(words.total_usd ?? '0')}.`]),
  ]
}

function about(row: UsageRow | HoldRow, price: PriceRow): Pick<Explanation, 'price' | 'hold' | 'output_limit'> {
  const input = 'inputTokens' in row && row.outcome !== 'expired' ? row.inputTokens : 0
  return {
    price: {
      id: price.id,
      valid_from: iso(price.validFromMs),
      tier: isAbove(price, input) ? `above ${count(price.aboveTokens ?? 0)} tokens of input: the upper prices` : null,
    },
    hold: `$${formatUsd(row.holdNano)} was held before it was forwarded: the most that at most ${count(row.inputBound)} tokens of input and the output limit can cost.`,
    output_limit: `Output limit ${count(row.outputLimit)} tokens an answer: what was asked for, or the price's default of ${count(price.outputDefault)}, at most ${count(price.outputMax)}, and lowered to what the budgets and limits left. What was asked for is not kept.`,
  }
}

function usedOf(row: UsageRow): Used {
  return {
    ...{ input: row.inputTokens, cached: row.cachedTokens, cacheWrite: row.cacheWriteTokens, cacheWriteLong: row.cacheWriteLongTokens },
    ...{ output: row.outputTokens, reasoning: row.reasoningTokens, gpuMs: row.gpuMs },
  }
}

/** Where the amount that the request is worth comes from. */
function sourceWords(row: UsageRow, price: PriceRow, used: Used, sumPico: bigint | null, nothing: boolean): string {
  const fullNano = row.costNano + row.overNano
  if (nothing) return 'It cost nothing.'
  if (sumPico === null)
    return `A checkpoint of $${formatUsd(fullNano)} had been written down, with ${count(used.input)} tokens of input and ${count(used.output)} of output. How many of them were cached, written to a cache or reasoning is not kept, so there is no formula.`
  const costNano = costOf(price, used)
  if (costNano !== fullNano)
    return `These counts come to $${formatUsd(costNano)} at this price; the row says $${formatUsd(fullNano)}, and that is what holds.`
  if (sumPico > BigInt(costNano) * 1000n) return `No request costs more than $${formatUsd(costNano)}.`
  return sumPico % 1000n === 0n ? `It cost $${formatUsd(costNano)}.` : `Rounded up to a whole nano-dollar, it cost $${formatUsd(costNano)}.`
}

function chargeWords({ costNano, overNano, holdNano }: UsageRow): string {
  const charged = `$${formatUsd(costNano)} was charged`
  if (overNano > 0) return `${charged}, the hold: there is a budget, and $${formatUsd(overNano)} was over and is not charged.`
  return costNano > holdNano ? `${charged}, more than the hold: there is no budget.` : `${charged}.`
}

const UNITS: Record<PartName, [what: string, unit: string]> = {
  request: ['request', ''],
  model: ['use of the model', ''],
  input: ['input', '/Mtok'],
  cached: ['cached input', '/Mtok'],
  cache_write: ['cache write (minutes)', '/Mtok'],
  cache_write_long: ['cache write (hours)', '/Mtok'],
  output: ['output', '/Mtok'],
  gpu: ['GPU seconds', '/s'],
}

/** What there is none of, or costs nothing and is no token, says nothing. */
function isTold({ name, count, pico }: Part): boolean {
  return count !== 0 && (pico !== 0 || name === 'input' || name === 'output')
}

function formulaPart(part: Part, used: Used): FormulaPart {
  const { name } = part
  const [what, unit] = UNITS[name]
  const price = unit === '/Mtok' ? formatDecimal(part.pico, 6) : unit === '/s' ? formatDecimal(part.pico, 9) : formatDecimal(part.pico, 12)
  const counted = name === 'gpu' ? formatDecimal(part.count, 3) : count(part.count)
  const of = name === 'output' && used.reasoning > 0 ? ` (of which ${count(used.reasoning)} reasoning)` : ''
  const amount = formatDecimal(amountOf(part), 12)
  return {
    what: name,
    count: part.count,
    price_usd: price,
    amount_usd: amount,
    text: `${counted} ${what}${of} × $${price}${unit} = $${amount}`,
  }
}

function amountOf({ count, pico }: Part): bigint {
  return BigInt(count) * BigInt(pico)
}

function dollars(text: string): string {
  return `$${text}`.replace('$-', '-$')
}

function count(tokens: number): string {
  return tokens.toLocaleString('en-US')
}

function iso(ms: number): string {
  return new Date(ms).toISOString()
}

// A request's cost explained: the numbers that are shown are those of the bill, and what is not known is not pretended.
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { explainEnded, explainRunning, explanationLines } from './explain.ts'
import { MONEY_MAX_NANO, parseDecimal } from './money.ts'
import { costOf, type Price, UNUSED, type Used } from './pricing.ts'
import type { holds, prices, usage } from './schema.ts'
import { priceOf } from './testing/price.ts'

const AT = Date.UTC(2026, 10, 24, 12)

function priceRow(price: Partial<Price> = {}): typeof prices.$inferSelect {
  return {
    ...priceOf(price),
    ...{ id: 7, model: 'gpt-6', upstream: 'openai', upstreamModel: null, variant: '', outputDefault: 2048, outputMax: 8192 },
    ...{ withdrawn: 0, validFromMs: AT - 1000, createdMs: 0 },
  }
}

const ADMITTED = {
  ...{ customerId: 1, id: 'r', keyId: 2, priceId: 7, model: 'gpt-6', dialect: 'openai-chat', upstream: 'openai' as const },
  ...{ holdNano: 1_000_000_000, inputBound: 300, outputLimit: 400, createdMs: AT },
}

function usageRow(used: Used, costNano: number, more: Partial<typeof usage.$inferSelect> = {}): typeof usage.$inferSelect {
  return {
    ...ADMITTED,
    ...{ inputTokens: used.input, cachedTokens: used.cached, cacheWriteTokens: used.cacheWrite, cacheWriteLongTokens: used.cacheWriteLong },
    ...{ outputTokens: used.output, reasoningTokens: used.reasoning, gpuMs: used.gpuMs, costNano, overNano: 0 },
    ...{ outcome: 'completed', estimated: 0, firstMs: 70, settledMs: AT + 900, ...more },
  }
}

const nano = fc.nat(1e12)
const pico = fc.nat(1e10)
const maybe = fc.option(pico)
const anyPrice = fc
  .record({
    ...{ requestNano: nano, modelNano: nano, gpuSecondNano: nano, inputPico: pico, cachedInputPico: pico, outputPico: pico },
    ...{ cacheWritePico: maybe, cacheWriteLongPico: maybe, aboveTokens: fc.option(fc.integer({ min: 1, max: 2e6 })) },
    ...{
      aboveInputPico: pico,
      aboveCachedInputPico: pico,
      aboveOutputPico: pico,
      aboveCacheWritePico: maybe,
      aboveCacheWriteLongPico: maybe,
    },
  })
  .map(priceRow)
const anyUse = fc
  .tuple(fc.nat(1e6), fc.nat(1e6), fc.nat(1e6), fc.nat(1e6), fc.nat(1e6), fc.nat(1e6))
  .map(([plain, cached, cacheWrite, cacheWriteLong, output, gpuMs]) => {
    const input = plain + cached + cacheWrite + cacheWriteLong
    return { input, cached, cacheWrite, cacheWriteLong, output, reasoning: Math.floor(output / 2), gpuMs }
  })

/** A decimal of dollars as pico-dollars. */
function picoOf(text: string): bigint {
  const [whole = '', fraction = ''] = text.split('.')
  return BigInt(whole + fraction.padEnd(12, '0'))
}

test('the numbers that are shown sum up to the cost exactly, whatever the prices and the use', () => {
  fc.assert(
    fc.property(anyPrice, anyUse, (price, used) => {
      const cost = costOf(price, used)
      const { formula, sum_usd } = explainEnded(usageRow(used, cost), price, [])
      const amounts = (formula ?? []).map(({ text }) => {
        const [, counted = '', unitPrice = '', unit = '', amount = ''] =
          /^([\d,.]+) .* × \$([\d.]+)(\/Mtok|\/s|) = \$([\d.]+)$/.exec(text) ?? []
        // The line is true by itself: count × price = amount.
        const count = BigInt(parseDecimal(counted.replaceAll(',', ''), 3, Number.MAX_SAFE_INTEGER) ?? -1)
        const divisor = unit === '/Mtok' ? 1_000_000n : 1n
        expect(count * picoOf(unitPrice)).toBe(picoOf(amount) * divisor * 1000n)
        return picoOf(amount)
      })
      const sum = amounts.reduce((total, amount) => total + amount, 0n)
      expect(sum).toBe(picoOf(sum_usd ?? ''))
      if (cost < MONEY_MAX_NANO) expect((sum + 999n) / 1000n).toBe(BigInt(cost))
    }),
  )
})

const PRICE = priceRow({
  inputPico: 2_400_000,
  cachedInputPico: 240_000,
  cacheWritePico: 3_000_000,
  outputPico: 12_000_001,
  requestNano: 5,
})

test('each kind of token has its line, with what was reasoned among the output', () => {
  const used = { ...UNUSED, input: 1022, cached: 800, cacheWrite: 200, output: 3, reasoning: 2 }
  const lines = explanationLines(explainEnded(usageRow(used, costOf(PRICE, used)), PRICE, []))
  expect(lines.slice(0, 9)).toEqual([
    'Price 7, in force from 2026-11-24T11:59:59.000Z.',
    '  1 request × $0.000000005 = $0.000000005',
    '  22 input × $2.4/Mtok = $0.0000528',
    '  800 cached input × $0.24/Mtok = $0.000192',
    '  200 cache write (minutes) × $3/Mtok = $0.0006',
    '  3 output (of which 2 reasoning) × $12.000001/Mtok = $0.000036000003',
    '  sum = $0.000880805003',
    'Rounded up to a whole nano-dollar, it cost $0.000880806. $0.000880806 was charged.',
    "The answer is whole: the vendor's counts are charged.",
  ])
  expect(lines.at(-1)).toBe('Admitted 2026-11-24T12:00:00.000Z; first token 70 ms later; settled 2026-11-24T12:00:00.900Z.')
})

test('above the threshold the upper prices are said and used; GPU time is seconds', () => {
  const price = priceRow({ aboveTokens: 272_000, aboveInputPico: 4_800_000, aboveOutputPico: 0, inputPico: 1, gpuSecondNano: 3_000_000 })
  const used = { ...UNUSED, input: 272_001, gpuMs: 1500 }
  const { price: told, formula } = explainEnded(usageRow(used, costOf(price, used)), price, [])
  expect(told.tier).toBe('above 272,000 tokens of input: the upper prices')
  expect(formula?.map(({ text }) => text)).toEqual(['272,001 input × $4.8/Mtok = $1.3056048', '1.5 GPU seconds × $0.003/s = $0.0045'])
})

test('with a budget what was over the hold is told, without one that more was charged', () => {
  const used = { ...UNUSED, input: 10 }
  const price = priceRow({ inputPico: 1_000_000_000 })
  // 10 × $1,000/Mtok = $0.01
  const over = explainEnded(usageRow(used, 4_000_000, { overNano: 6_000_000, holdNano: 4_000_000 }), price, [])
  expect(over.cost).toBe('It cost $0.01. $0.004 was charged, the hold: there is a budget, and $0.006 was over and is not charged.')
  const free = explainEnded(usageRow(used, 10_000_000, { holdNano: 4_000_000 }), price, [])
  expect(free.cost).toContain('$0.01 was charged, more than the hold: there is no budget.')
})

test('an expired request is its checkpoint, without a formula; what came later stands beside it', () => {
  const used = { ...UNUSED, input: 100, output: 7 }
  const posted = [{ id: 'late:r', amountNano: 500, reason: 'ended after its lease', createdMs: AT }]
  const told = explainEnded(usageRow(used, 1000, { outcome: 'expired', estimated: 1 }), PRICE, posted)
  expect(told).toMatchObject({ formula: null, sum_usd: null, total_usd: '0.0000015' })
  expect(told.cost).toContain('cached, written to a cache or reasoning is not kept')
  expect(told.estimated).toBe('The counts are those of the last checkpoint.')
  expect(explanationLines(told).slice(-2)).toEqual([
    'Adjustment late:r: $0.0000005, ended after its lease, 2026-11-24T12:00:00.000Z.',
    'Together: $0.0000015.',
  ])
  expect(explainEnded(usageRow(UNUSED, 0, { outcome: 'expired' }), PRICE, []).ending).toContain('nothing is charged')
})

test.each(['completed', 'abandoned', 'failed', 'expired'] as const)('nothing used and nothing charged has no formula (%s)', (outcome) => {
  const told = explainEnded(usageRow(UNUSED, 0, { outcome, firstMs: null }), PRICE, [])
  expect(told).toMatchObject({ formula: null, sum_usd: null, total_usd: '0' })
  expect(told.ending).toContain('nothing is charged')
  expect(told.times).toContain('no token was delivered')
})

test('a row that its counts do not come to is said to be so', () => {
  expect(explainEnded(usageRow({ ...UNUSED, input: 10 }, 9), PRICE, []).cost).toContain('the row says $0.000000009, and that is what holds')
})

test('each ending, of the host and of vendors, has its rule and its reason to estimate', () => {
  const words = (['ollama', 'openai'] as const).flatMap((upstream) =>
    (['completed', 'abandoned', 'failed'] as const).map((outcome) => {
      const { ending, estimated } = explainEnded(usageRow({ ...UNUSED, output: 1 }, 9, { upstream, outcome, estimated: 1 }), PRICE, [])
      return [ending, estimated]
    }),
  )
  expect(new Set(words.map(([ending]) => ending)).size).toBe(6)
  expect(words.every(([, estimated]) => estimated !== null)).toBe(true)
})

test('a request that runs is its hold', () => {
  const hold: typeof holds.$inferSelect = {
    ...ADMITTED,
    ...{ runs: 1, checkpointNano: 0, checkpointInput: 0, checkpointOutput: 0, checkpointGpuMs: 0, checkpointFirstMs: null },
    ...{ expiresMs: AT + 130_000, standing: null, killedMs: null },
  }
  const lines = explanationLines(explainRunning(hold, PRICE))
  expect(lines).toContain('$1 was held before it was forwarded: the most that at most 300 tokens of input and the output limit can cost.')
  expect(lines.at(-1)).toBe('Admitted 2026-11-24T12:00:00.000Z; its lease runs until 2026-11-24T12:02:10.000Z.')
})

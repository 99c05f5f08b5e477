// Exact money: what is written is what is read, and rounding happens once, upwards.
import * as fc from 'fast-check'
import { expect, test } from 'vitest'
import { formatDecimal, formatUsd, MONEY_MAX_NANO, parseDecimal, parseUsd } from './money.ts'
import { costOf, UNUSED } from './pricing.ts'
import { priceOf } from './testing/price.ts'

const nano = fc.integer({ min: 0, max: MONEY_MAX_NANO })

test('every amount survives writing and reading', () => {
  fc.assert(
    fc.property(nano, (amount) => {
      expect(parseUsd(formatUsd(amount))).toBe(amount)
    }),
  )
})

test('amounts are the shortest exact decimals', () => {
  expect([0, 1, 3_000_000, 1_500_000_000, -20_000_000_000].map(formatUsd)).toEqual(['0', '0.000000001', '0.003', '1.5', '-20'])
  expect(formatDecimal(123n, 2)).toBe('1.23')
})

test.for([
  '',
  ' ',
  '-1',
  '+1',
  '1e3',
  '0x1',
  'NaN',
  'Infinity',
  '1,5',
  '1.2.3',
  '.5',
  '5.',
  '0.0000000001',
  '9000001',
  '99999999999999999999',
  '١',
])('"%s" is no amount', (text) => expect(parseUsd(text)).toBeNull())

test('a decimal of too many digits is refused, not cut; zeros at the end are none', () => {
  expect(parseDecimal('0.1234567', 6, 1e9)).toBeNull()
  expect(parseDecimal('0.1234560', 6, 1e9)).toBe(123456)
})

const price = fc
  .record({
    requestNano: fc.nat(1e12),
    modelNano: fc.nat(1e12),
    inputPico: fc.nat(1e10),
    cachedInputPico: fc.nat(1e10),
    outputPico: fc.nat(1e10),
    gpuSecondNano: fc.nat(1e12),
  })
  .map(priceOf)
const used = fc
  .record({ input: fc.nat(1e8), output: fc.nat(1e8), gpuMs: fc.nat(1e8) })
  .chain((counts) => fc.nat(counts.input).map((cached) => ({ ...UNUSED, ...counts, cached })))

test('a cost is the exact sum, rounded up to a nano-dollar, and never past the largest amount', () => {
  fc.assert(
    fc.property(price, used, (p, u) => {
      const pico =
        (BigInt(p.requestNano) + BigInt(p.modelNano)) * 1000n +
        BigInt(u.input - u.cached) * BigInt(p.inputPico) +
        BigInt(u.cached) * BigInt(p.cachedInputPico) +
        BigInt(u.output) * BigInt(p.outputPico) +
        BigInt(u.gpuMs) * BigInt(p.gpuSecondNano)
      const cost = BigInt(costOf(p, u))
      if (cost === BigInt(MONEY_MAX_NANO)) return
      expect(cost * 1000n >= pico && (cost - 1n) * 1000n < pico).toBe(true)
    }),
  )
})

test('more of anything never costs less', () => {
  fc.assert(
    fc.property(price, used, fc.nat(1000), (p, u, more) => {
      expect(costOf(p, { ...u, output: u.output + more })).toBeGreaterThanOrEqual(costOf(p, u))
      expect(costOf(p, { ...u, input: u.input + more })).toBeGreaterThanOrEqual(costOf(p, u))
    }),
  )
})

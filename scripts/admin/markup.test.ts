import fc from 'fast-check'
import { expect, test } from 'vitest'
import { marked, markup } from './markup.ts'

test('a markup is a percentage, exactly', () => {
  expect(['0%', '20%', '12.5%', '0.0001%', '1000%'].map(markup)).toEqual([0, 200_000, 125_000, 1, 10_000_000])
  for (const bad of ['', '%', '20', '0.2', '-5%', '+5%', '1e2%', ' 20%', '20 %', '20%%', '1000.0001%', '0.00001%', 'NaN%', '٢٠%']) {
    expect(() => markup(bad), bad).toThrow('a percentage such as 20% or 12.5%')
  }
})

test('a marked-up price is rounded up to the next pico-dollar', () => {
  // $2.5 and 20 % = $3; 1 pico-dollar and 0.0001 % = 2
  expect([marked(2_500_000, markup('20%')), marked(1, markup('0.0001%')), marked(0, markup('1000%')), marked(7, 0)]).toEqual([
    3_000_000, 2, 0, 7,
  ])
})

test('a marked-up price is the least whole one that is not below the exact one', () => {
  fc.assert(
    fc.property(fc.integer({ min: 0, max: 10_000_000_000 }), fc.integer({ min: 0, max: 10_000_000 }), (pico, by) => {
      const exact = BigInt(pico) * BigInt(1_000_000 + by)
      const got = BigInt(marked(pico, by)) * 1_000_000n
      return got >= exact && got - exact < 1_000_000n
    }),
    { numRuns: 2000 },
  )
})

import fc from 'fast-check'
import { expect, test } from 'vitest'
import { picoOf } from './exact.ts'

test('dollars a token are pico-dollars, by their digits', () => {
  const cases: [number, number][] = [
    [0, 0],
    [1e-6, 1_000_000],
    [1.25e-7, 125_000],
    [3.75e-6, 3_750_000],
    [0.00018, 180_000_000],
    [5e-9, 5_000],
    [1e-12, 1],
    [1, 1_000_000_000_000],
    [1.5625e-5, 15_625_000],
  ]
  for (const [dollars, pico] of cases) expect([dollars, picoOf(dollars)]).toEqual([dollars, pico])
})

test('what is no whole number of pico-dollars is refused', () => {
  for (const dollars of [-1e-6, 1e-13, 1.5e-12, 0.1 + 0.2, 1e-6 / 3, Number.NaN, Infinity, -Infinity, 1e300]) {
    expect([dollars, picoOf(dollars)]).toEqual([dollars, null])
  }
})

test('every price a row can hold survives being written as dollars, and agrees with rounding', () => {
  fc.assert(
    fc.property(fc.integer({ min: 0, max: 10_000_000_000 }), (pico) => {
      const dollars = Number(`${pico}e-12`)
      return picoOf(dollars) === pico && Math.round(dollars * 1e12) === pico
    }),
    { numRuns: 2000 },
  )
})

test('a digit below a pico-dollar is never rounded away', () => {
  fc.assert(
    fc.property(fc.integer({ min: 0, max: 10_000_000_000 }), fc.integer({ min: 1, max: 9 }), (pico, digit) => {
      return picoOf(Number(`${pico}${digit}e-13`)) === null
    }),
  )
})

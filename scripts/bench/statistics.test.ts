import { expect, test } from 'vitest'
import { figure, median, quantile, times } from './statistics.ts'

test('a quantile is the value of the nearest rank', () => {
  const values = Array.from({ length: 100 }, (_, index) => 100 - index)
  expect([quantile(values, 0), quantile(values, 0.5), quantile(values, 0.99), quantile(values, 1)]).toEqual([1, 50, 99, 100])
  expect(quantile([7], 0.99)).toBe(7)
})

test('a median is the middle one, or the mean of the middle two, whatever the order', () => {
  expect(median([9, 1, 5])).toBe(5)
  expect(median([10, 1, 4, 2])).toBe(3)
})

test('of nothing there is neither, and it is shown as a dash', () => {
  expect([quantile([], 0.5), median([])]).toEqual([Number.NaN, Number.NaN])
  expect([figure(median([])), times(1, 0), times(Number.NaN, 1)]).toEqual(['–', '–', '–'])
})

test('figures have three significant digits', () => {
  const shown = [0, 0.0004, 0.04604, 0.6, 4.6, 19.44, 116.55, 999.7, 2678, 1_234_567].map(figure)
  expect(shown).toEqual(['0', '0.0004', '0.0460', '0.600', '4.60', '19.4', '117', '1,000', '2,680', '1,230,000'])
})

test('ratios have two decimals while they are small', () => {
  expect([times(115, 100), times(9.96, 1), times(268_000, 466)]).toEqual(['1.15 ×', '10.0 ×', '575 ×'])
})

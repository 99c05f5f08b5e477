import { expect, test } from 'vitest'
import { linearScale, linearTicks, logScale, logTicks, text } from './svg.ts'

test('a log scale gives each doubling the same room', () => {
  const x = logScale([1, 2, 4, 8, 16], 100, 500)
  expect([x(1), x(2), x(4), x(16)]).toEqual([100, 200, 300, 500])
})

test('a scale can run upwards, as that of heights does', () => {
  const y = linearScale([0, 1, 2], 300, 100)
  expect([y(0), y(0.5), y(2)]).toEqual([300, 250, 100])
})

test('ticks stand around all of the values', () => {
  expect(logTicks([0.77, 143])).toEqual([0.5, 1, 2, 5, 10, 20, 50, 100, 200])
  expect(logTicks([10])).toEqual([10, 20])
  expect(linearTicks([0.3, 6.8])).toEqual([0, 1, 2, 3, 4, 5, 6, 7])
  expect(linearTicks([1])).toEqual([0, 0.2, 0.4, 0.6, 0.8, 1])
})

test('text is escaped', () => {
  expect(text(1, 2, 'a < b & c > d')).toBe('<text x="1" y="2">a &lt; b &amp; c &gt; d</text>')
})

import { expect, test } from 'vitest'
import type { Level } from './effort.ts'
import type { LoadPoint } from './load.ts'
import { bestWithin } from './within-limit.ts'

function point(inFlight: Level, p99Ms: number, requestsPerSecond: number, streaming = true): LoadPoint {
  return { subject: 'gateway', streaming, inFlight, firstMs: 1, wholeMs: 2, p99Ms, requestsPerSecond, cpuMs: 1 }
}

const ladder = [point(1, 6, 150), point(2, 9, 260), point(4, 11, 300), point(8, 9.5, 250), point(16, 49, 480), point(64, 130, 645)]

test('the best throughput is found among the levels that keep the limit, not the highest level', () => {
  expect(bestWithin(ladder, 'gateway', 10)).toMatchObject({ inFlight: 2, requestsPerSecond: 260 })
  expect(bestWithin(ladder, 'gateway', 50)).toMatchObject({ inFlight: 16, requestsPerSecond: 480 })
})

test('a level at the limit keeps it', () => {
  expect(bestWithin(ladder, 'gateway', 6)).toMatchObject({ inFlight: 1 })
})

test('where no level keeps it there is none', () => {
  expect(bestWithin(ladder, 'gateway', 5)).toBeNull()
  expect(bestWithin(ladder, 'floor', 50)).toBeNull()
  expect(bestWithin([point(1, Number.NaN, Number.NaN)], 'gateway', 50)).toBeNull()
})

test('answers in one piece do not count', () => {
  expect(bestWithin([point(1, 1, 900, false)], 'gateway', 10)).toBeNull()
})

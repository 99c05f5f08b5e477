import { expect, test } from 'vitest'
import { FIRST_COLUMNS, FIRST_LE_MS, firstSqls, firstTokenOf } from './first-token.ts'

test('the average is exact, and the 95th of a hundred is told by the bound that holds it', () => {
  // 94 of 100 within 50 ms, 6 within 400.
  expect(firstTokenOf({ first_requests: 100, first_ms_sum: 3950, first_le_50: 94, first_le_400: 6 })).toEqual({
    averageMs: 39.5,
    p95AtMostMs: 400,
  })
  expect(firstTokenOf({ first_requests: 100, first_ms_sum: 100, first_le_50: 95, first_le_400: 5 }).p95AtMostMs).toBe(50)
  expect(firstTokenOf({ first_requests: 1, first_ms_sum: 51_200, first_le_51200: 1 }).p95AtMostMs).toBe(51_200)
})

test('what took longer than any column has no bound, and sums of before have nothing', () => {
  expect(firstTokenOf({ first_requests: 1, first_ms_sum: 60_000 })).toEqual({ averageMs: 60_000, p95AtMostMs: null })
  expect(firstTokenOf({ requests: 5 })).toEqual({ averageMs: null, p95AtMostMs: null })
})

test('there is an aggregate for each column', () => {
  expect(firstSqls).toHaveLength(FIRST_COLUMNS.length)
  expect(FIRST_COLUMNS).toHaveLength(2 + FIRST_LE_MS.length)
})

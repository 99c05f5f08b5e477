// The plan of a month: the same for a seed, in order, within the month.
import { expect, test } from 'vitest'
import { DAY_MS } from '../../worker/ledger/periods.ts'
import { month } from '../admin/month.ts'
import { planMonth } from './plan.ts'

const FEBRUARY = month('2026-02')

test('the same seed gives the same month, another seed another', () => {
  expect(planMonth(FEBRUARY, 300, 7)).toEqual(planMonth(FEBRUARY, 300, 7))
  expect(planMonth(FEBRUARY, 300, 8)).not.toEqual(planMonth(FEBRUARY, 300, 7))
})

test.each([60, 900, 5000])('%i requests come one minute after the other, within the month', (requests) => {
  const times = planMonth(FEBRUARY, requests, 1).map(({ atMs }) => atMs)
  expect(times.every((atMs, index) => index === 0 || atMs - (times[index - 1] ?? 0) >= 60_000)).toBe(true)
  expect(times.every((atMs) => atMs >= FEBRUARY.first * DAY_MS && atMs < (FEBRUARY.last + 1) * DAY_MS)).toBe(true)
})

import { readFileSync } from 'node:fs'
import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { NIGHTLY_CRON } from '../../worker/nightly.ts'
import { WRANGLER_TOML } from './project.ts'
import { nights, startSchedule } from './schedule.ts'

beforeEach(() => void vi.useFakeTimers())
afterEach(() => void vi.useRealTimers())

test('the job runs every period', async () => {
  const job = vi.fn(async () => {})
  const schedule = startSchedule(60_000, job, () => {})
  await vi.advanceTimersByTimeAsync(180_000)
  expect(job).toHaveBeenCalledTimes(3)
  await schedule.stop()
  await vi.advanceTimersByTimeAsync(180_000)
  expect(job).toHaveBeenCalledTimes(3)
})

test('a run that takes longer than a period is not joined by a second', async () => {
  const job = vi.fn(() => new Promise<void>((resolve) => setTimeout(resolve, 150_000)))
  const schedule = startSchedule(60_000, job, () => {})
  // Begun at 1:00, over at 3:30; the next begins at 4:00.
  await vi.advanceTimersByTimeAsync(239_000)
  expect(job).toHaveBeenCalledTimes(1)
  await vi.advanceTimersByTimeAsync(1_000)
  expect(job).toHaveBeenCalledTimes(2)
  const stopped = schedule.stop()
  await vi.advanceTimersByTimeAsync(150_000)
  await stopped
})

test('a run that fails is told and does not end the schedule', async () => {
  const errors: unknown[] = []
  const job = vi.fn(async () => {
    throw new Error('database is locked')
  })
  startSchedule(60_000, job, (error) => errors.push(error))
  await vi.advanceTimersByTimeAsync(120_000)
  expect(job).toHaveBeenCalledTimes(2)
  expect(errors).toEqual([new Error('database is locked'), new Error('database is locked')])
})

test('a night comes once a day, at the first look after 23:45', () => {
  const at = (day: number, hour: number, minute: number) => Date.UTC(2026, 10, day, hour, minute)
  const isNight = nights(at(24, 23, 44))
  expect(
    [at(24, 23, 44), at(24, 23, 45), at(24, 23, 46), at(25, 23, 44), at(25, 23, 50), at(28, 12, 0), at(28, 12, 1)].map(isNight),
  ).toEqual([
    ...[false, true, false, false, true],
    // The machine slept for two nights: one is made up for.
    ...[true, false],
  ])
})

test('wrangler.toml has the cron that the Worker knows as the night', () => {
  expect(readFileSync(WRANGLER_TOML, 'utf8')).toContain(`crons = ["* * * * *", "${NIGHTLY_CRON}"]`)
})

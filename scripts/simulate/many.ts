// Runs schedule after schedule until one breaks a promise.
import { drawSchedule } from './draw.ts'
import { formatPath } from './path.ts'
import { type Outcome, runSchedule } from './run-schedule.ts'
import { shrink } from './shrink.ts'
import type { Store } from './store.ts'

interface Found {
  /** What replays it: all of it, and the smallest part of it that fails in the same way. */
  seed: number
  step: number
  message: string
  replay: string
  shrunkTo: number
  shrunkMessage: string
}

export interface Many {
  from: number
  schedules: number
  requests: number
  admitted: number
  seconds: number
  found: Found | null
}

/** `seeds` schedules from `from` on, or as many as `forMs` have room for. `progress` is told of each. */
export async function runMany(
  store: Store,
  { from, seeds, forMs = Number.POSITIVE_INFINITY }: { from: number; seeds: number; forMs?: number },
  progress: (many: Many, outcome: Outcome) => void = () => {},
): Promise<Many> {
  const startMs = performance.now()
  const many: Many = { from, schedules: 0, requests: 0, admitted: 0, seconds: 0, found: null }
  while (many.schedules < seeds && many.found === null && performance.now() - startMs < forMs) {
    const schedule = drawSchedule((from + many.schedules) % 2 ** 32)
    const outcome = await runSchedule(store, schedule)
    many.schedules++
    many.requests += outcome.requests
    many.admitted += outcome.admitted
    if (outcome.broken !== null) many.found = await smallest(store, schedule, outcome.broken)
    many.seconds = (performance.now() - startMs) / 1000
    progress(many, outcome)
  }
  return many
}

async function smallest(store: Store, schedule: ReturnType<typeof drawSchedule>, broken: NonNullable<Outcome['broken']>): Promise<Found> {
  const { only, message } = await shrink(store, schedule, broken)
  const { seed } = schedule
  const replay = formatPath(seed, only)
  return { seed, step: broken.step, message: broken.message, replay, shrunkTo: only.length, shrunkMessage: message }
}

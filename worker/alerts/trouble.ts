// When something is down, and when it is fine again: pure steps from one look to the next, so that a single failure alarms nobody.

/** How often in a row a trouble is seen before it is told. */
const TIMES = 2
/** Two looks closer together than this are one (two schedules that overlap), milliseconds. */
export const LOOK_LEAST_MS = 30_000

/** A row of `alert_state`: something that is wrong. */
export interface Trouble {
  seen: string
  times: number
  told: string | null
  since_ms: number
  updated_ms: number
}

export interface Step {
  /** The trouble from now on; null: it is fine. `same`: nothing is to be written. */
  trouble: Trouble | null | 'same'
  /** What is to be told: a new cause, or that it is fine again. */
  tell: 'down' | 'fine' | null
}

/** @param seen the cause of what is wrong; null: all is well. */
export function step(before: Trouble | null, seen: string | null, nowMs: number): Step {
  if (seen === null) {
    if (before === null) return { trouble: 'same', tell: null }
    return { trouble: null, tell: before.told === null ? null : 'fine' }
  }
  if (before === null) return { trouble: { seen, times: 1, told: null, since_ms: nowMs, updated_ms: nowMs }, tell: null }
  if (seen === before.told && seen === before.seen) return { trouble: 'same', tell: null }
  if (nowMs - before.updated_ms < LOOK_LEAST_MS) return { trouble: 'same', tell: null }
  // Before the first alert two failures are enough, whatever each was; after it another cause has to last.
  const times = seen === before.seen || before.told === null ? before.times + 1 : 1
  const isTold = times >= TIMES && seen !== before.told
  return {
    trouble: { seen, times, told: isTold ? seen : before.told, since_ms: before.since_ms, updated_ms: nowMs },
    tell: isTold ? 'down' : null,
  }
}

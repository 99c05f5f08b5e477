// Makes a failing schedule small: steps are left out for as long as it still fails in the same way.
import type { Vow } from './broken.ts'
import { runSchedule } from './run-schedule.ts'
import type { Schedule } from './steps.ts'
import type { Store } from './store.ts'

const RUNS_MAX = 1000

export interface Shrunk {
  /** The places of the steps that are left: without any of them it does not fail. */
  only: number[]
  message: string
  runs: number
}

/** Halves, quarters and so on down to single steps, round after round until nothing more can go. `broken`: how it failed, and at which step. */
export async function shrink(store: Store, schedule: Schedule, broken: { kind: Vow; message: string; step: number }): Promise<Shrunk> {
  const shrunk: Shrunk = { only: schedule.steps.map((_, place) => place).slice(0, broken.step + 1), message: broken.message, runs: 0 }
  for (let size = Math.ceil(shrunk.only.length / 2); size >= 1; ) {
    let less = false
    for (let at = shrunk.only.length - size; at > -size && shrunk.runs < RUNS_MAX; at -= size) {
      const start = Math.max(0, at)
      const only = shrunk.only.toSpliced(start, at + size - start)
      if (only.length === shrunk.only.length) continue
      shrunk.runs++
      const again = await runSchedule(store, schedule, only)
      if (again.broken?.kind !== broken.kind) continue
      shrunk.only = only
      shrunk.message = again.broken.message
      less = true
    }
    if (size > 1) size = Math.ceil(size / 2)
    else if (!less || shrunk.runs >= RUNS_MAX) break
  }
  return shrunk
}

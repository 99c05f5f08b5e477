// How long an answer may be silent, when it must have ended, and whether the operator ends it: time is looked at when the first limit can be reached, since each look wakes JavaScript.
import type { PumpLimits } from './pump.ts'

export interface Watch {
  /** Something has come. */
  heard(nowMs: number): void
  end(): void
}

/** Calls `reached` once, for the first limit that is, unless it is ended before. */
export function watch(
  { idleTimeoutMs, deadlineMs, killed }: PumpLimits,
  reached: (limit: 'silent' | 'deadline' | 'killed') => void,
): Watch {
  let lastMs = Date.now()
  let timer = setTimeout(look, leftMs(lastMs))

  function leftMs(nowMs: number): number {
    return Math.min(lastMs + idleTimeoutMs, deadlineMs ?? Number.POSITIVE_INFINITY) - nowMs
  }

  function look(): void {
    const nowMs = Date.now()
    if (leftMs(nowMs) > 0) timer = setTimeout(look, leftMs(nowMs))
    else reached(deadlineMs !== null && nowMs >= deadlineMs ? 'deadline' : 'silent')
  }
  function kill(): void {
    clearTimeout(timer)
    reached('killed')
  }

  function end(): void {
    clearTimeout(timer)
    killed.removeEventListener('abort', kill)
  }

  killed.addEventListener('abort', kill)
  if (killed.aborted) kill()
  return {
    heard(nowMs) {
      lastMs = nowMs
    },
    end,
  }
}

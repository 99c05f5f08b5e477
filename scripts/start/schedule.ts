// The local stand-in for cron triggers.

export interface Schedule {
  /** No further run; resolves once a run in progress has ended. */
  stop(): Promise<void>
}

/** Runs `job` every `periodMs`, never two at once; what it throws goes to `onError` and stops nothing. */
export function startSchedule(periodMs: number, job: () => Promise<void>, onError: (error: unknown) => void): Schedule {
  let running: Promise<void> | null = null
  const timer = setInterval(() => {
    running ??= job()
      .catch(onError)
      .finally(() => {
        running = null
      })
  }, periodMs)
  timer.unref()
  return {
    async stop() {
      clearInterval(timer)
      await running
    },
  }
}

/** When the day of NIGHTLY_CRON in worker/nightly.ts turns: 23:45, UTC. */
const NIGHT_MS = (23 * 60 + 45) * 60_000

/** Says once a day, at the first question after the hour has come, that it has. */
export function nights(startMs: number): (nowMs: number) => boolean {
  const nightOf = (nowMs: number) => Math.floor((nowMs - NIGHT_MS) / 86_400_000)
  let last = nightOf(startMs)
  return (nowMs) => {
    const night = nightOf(nowMs)
    if (night <= last) return false
    last = night
    return true
  }
}

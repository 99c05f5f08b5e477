// The local stand-in for a cron trigger.

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

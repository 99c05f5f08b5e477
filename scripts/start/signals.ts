// Ctrl-C and its kin.

/** A terminal's Ctrl-C reaches this process twice, by itself and passed on by whoever started it; that is one wish. */
const ECHO_MS = 250

/** Calls `say` and aborts at the first signal that asks to stop; a Ctrl-C after that ends the process. */
export function abortOnStopSignal(say: () => void): AbortController {
  const stop = new AbortController()
  onStopSignal(
    () => {
      say()
      stop.abort()
    },
    () => process.exit(130),
  )
  return stop
}

/** Calls `onFirst` for the first signal that asks to stop, and `onSecond` for a Ctrl-C after that. */
export function onStopSignal(onFirst: () => void, onSecond: () => void): void {
  let firstMs: number | null = null
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
    process.on(signal, () => {
      if (firstMs === null) {
        firstMs = performance.now()
        onFirst()
      } else if (signal === 'SIGINT' && performance.now() - firstMs > ECHO_MS) onSecond()
    })
  }
}

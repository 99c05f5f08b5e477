// When a caller has left, and when that ends the work for them: at once, or a while later where a vendor bills on and the rest is read for its counts.

export interface HangUp {
  /** Aborted when the work for the caller is to stop. */
  signal: AbortSignal
  /** Whether the caller has left, though the work may go on. */
  readonly happened: boolean
  /** Told by whoever sees it first; for work that does not stop at once. */
  happen?: () => void
}

/** The caller's own signal, and nothing else: the work stops when they leave. */
export function stopsAtOnce(caller: AbortSignal): HangUp {
  return {
    signal: caller,
    get happened() {
      return caller.aborted
    },
  }
}

/** The work goes on for `graceMs` after the caller has left. */
export function stopsAfter(caller: AbortSignal, graceMs: number): Required<HangUp> {
  const work = new AbortController()
  let happened = false
  function happen(): void {
    if (happened) return
    happened = true
    setTimeout(() => work.abort(), graceMs)
  }
  if (caller.aborted) happen()
  else caller.addEventListener('abort', happen, { once: true })
  return {
    signal: work.signal,
    get happened() {
      return happened
    },
    happen,
  }
}

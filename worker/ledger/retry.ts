// Which failures of D1 pass, and how idempotent batches are asked again.

/** Said by D1 when a call got lost on the way; whether it was carried out is not known. Source: D1's list of errors to retry. */
const TRANSIENT =
  /Network connection lost|storage caused object to be reset|reset because its code was updated|SQLITE_BUSY|database is locked/i
const OVERLOADED = /overloaded|Too many requests queued/i
/** Said since 2026-09 on the free plan. Source: D1's changelog. */
const DAY_USED_UP = /free tier daily row (read|write) limit/i

/** What a D1 error means for a caller: gone in a moment, back at 00:00 UTC, or a fault of ours. */
export function d1Trouble(error: unknown): 'busy' | 'day_used_up' | 'fault' {
  const message = error instanceof Error ? `${error.message} ${error.cause instanceof Error ? error.cause.message : ''}` : String(error)
  if (DAY_USED_UP.test(message)) return 'day_used_up'
  return OVERLOADED.test(message) || TRANSIENT.test(message) ? 'busy' : 'fault'
}

/** Runs an idempotent call once more if its failure was a passing one. An overloaded database is not asked again. */
export async function retryTransient<T>(call: () => Promise<T>): Promise<T> {
  try {
    return await call()
  } catch (error) {
    if (!TRANSIENT.test(String(error))) throw error
    return call()
  }
}

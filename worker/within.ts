// Waiting, but not for ever.

/** What the first of `events` gives; null where none has within `ms`. Rejects where the first to happen does. */
export async function within<T>(ms: number, ...events: Promise<T>[]): Promise<T | null> {
  const { promise: over, resolve } = Promise.withResolvers<null>()
  const timer = setTimeout(resolve, ms, null)
  try {
    return await Promise.race([...events, over])
  } finally {
    clearTimeout(timer)
  }
}

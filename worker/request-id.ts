// Request ids are UUIDv7: their order is that of time, so a range of time is a range of the keys that usage is clustered by.

/** A request's id is made when it arrives, its time is the database's when it is admitted: the body comes in between, and two clocks differ. */
export const ID_MARGIN_MS = 3_600_000

/** What the ids of a millisecond begin with: a UUIDv7's first 48 bits. */
export function idAt(ms: number): string {
  const hex = Math.max(0, ms).toString(16).padStart(12, '0')
  return `${hex.slice(0, 8)}-${hex.slice(8)}`
}

/** Small letters; null: it is no id of a request. */
export function readRequestId(text: string): string | null {
  const id = text.trim().toLowerCase()
  return /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/.test(id) ? id : null
}

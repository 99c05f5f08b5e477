// The database's clock: what is written and what is compared go by one, wherever a command runs.
import { sql } from 'drizzle-orm'

/** Milliseconds since 1970, in SQL. */
export const NOW_MS = "CAST(unixepoch('subsec') * 1000 AS INTEGER)"

/** The same as a drizzle value. */
export const nowMs = sql.raw(NOW_MS).mapWith(Number)

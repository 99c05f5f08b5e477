// Appends price rows, all or none, and only if nobody has changed one of these prices since it was looked at.
import { getTableColumns } from 'drizzle-orm'
import { prices } from '../../worker/schema.ts'
import type { Database } from '../database/database.ts'
import { rowJson } from './audit.ts'
import { NOW_MS } from './clock.ts'
import { PRICE_COLUMNS, type PriceRow } from './prices.ts'

export interface NewRow {
  /** The id of the model's newest row when it was looked at; null: it had none. */
  seen: number | null
  /** All of the row but its id and times. */
  row: Omit<PriceRow, 'id' | 'validFromMs' | 'createdMs'>
}

const { id: _id, validFromMs: _validFromMs, createdMs: _createdMs, ...written } = getTableColumns(prices)
const COLUMNS = Object.values(written).map(({ name }) => name)

/** Nobody has changed one of these prices since. */
const AS_SEEN = `NOT EXISTS (
  SELECT 1 FROM json_each(?1) AS new WHERE new.value ->> 'seen' IS NOT (
    SELECT p.id FROM prices p WHERE p.model = new.value ->> 'model' AND p.variant = new.value ->> 'variant' AND p.valid_from_ms <= ${NOW_MS}
    ORDER BY p.valid_from_ms DESC, p.id DESC LIMIT 1))`

/** A note for each model; `?2` is who does it. */
const NOTE = `INSERT INTO audit_log (who, command, target, before, after, created_ms)
SELECT ?2, 'import-prices', 'price ' || (value ->> 'model'), (SELECT ${rowJson(PRICE_COLUMNS)} FROM prices p WHERE p.id = j.value ->> 'seen'),
  json_remove(value, '$.seen'), ${NOW_MS} FROM json_each(?1) j WHERE ${AS_SEEN}`

/** `?1` is the rows as JSON, whose integers stay integers; D1 binds numbers as REAL. */
const APPEND = `INSERT INTO prices (${COLUMNS.join(', ')}, valid_from_ms, created_ms)
SELECT ${COLUMNS.map((name) => `value ->> '${name}'`).join(', ')}, ${NOW_MS}, ${NOW_MS} FROM json_each(?1)
WHERE ${AS_SEEN}
RETURNING id`

/** Returns whether they were written: all, or none, since a price is another one by now. Throws DatabaseError. */
export async function appendPrices(db: Database, who: string, rows: readonly NewRow[]): Promise<boolean> {
  const named = rows.map(({ seen, row }) => ({
    seen,
    ...Object.fromEntries(Object.entries(written).map(([field, { name }]) => [name, row[field as keyof typeof row]])),
  }))
  const json = JSON.stringify(named)
  const [, appended] = await db.batch([
    { sql: NOTE, params: [json, who] },
    { sql: APPEND, params: [json] },
  ])
  return appended?.length === rows.length
}

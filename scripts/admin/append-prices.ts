// Appends price rows, all or none, and only if nobody has changed one of these prices since it was looked at.
import { getTableColumns } from 'drizzle-orm'
import { prices } from '../../worker/schema.ts'
import type { Database } from '../database/database.ts'
import { NOW_MS } from './clock.ts'
import type { PriceRow } from './prices.ts'

export interface NewRow {
  /** The id of the model's newest row when it was looked at; null: it had none. */
  seen: number | null
  /** All of the row but its id and times. */
  row: Omit<PriceRow, 'id' | 'validFromMs' | 'createdMs'>
}

const { id: _id, validFromMs: _validFromMs, createdMs: _createdMs, ...written } = getTableColumns(prices)
const COLUMNS = Object.values(written).map(({ name }) => name)

/** `?1` is the rows as JSON, whose integers stay integers; D1 binds numbers as REAL. */
const APPEND = `INSERT INTO prices (${COLUMNS.join(', ')}, valid_from_ms, created_ms)
SELECT ${COLUMNS.map((name) => `value ->> '${name}'`).join(', ')}, ${NOW_MS}, ${NOW_MS} FROM json_each(?1)
WHERE NOT EXISTS (
  SELECT 1 FROM json_each(?1) AS new WHERE new.value ->> 'seen' IS NOT (
    SELECT p.id FROM prices p WHERE p.model = new.value ->> 'model' AND p.variant = new.value ->> 'variant' AND p.valid_from_ms <= ${NOW_MS}
    ORDER BY p.valid_from_ms DESC, p.id DESC LIMIT 1))
RETURNING id`

/** Returns whether they were written: all, or none, since a price is another one by now. Throws DatabaseError. */
export async function appendPrices(db: Database, rows: readonly NewRow[]): Promise<boolean> {
  const named = rows.map(({ seen, row }) => ({
    seen,
    ...Object.fromEntries(Object.entries(written).map(([field, { name }]) => [name, row[field as keyof typeof row]])),
  }))
  return (await db.all(APPEND, [JSON.stringify(named)])).length === rows.length
}

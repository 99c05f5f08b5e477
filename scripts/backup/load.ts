// Brings the rows of a checked backup into a marked, empty database. The keys come last: until then the gateway admits nobody.
import type { Database, Statement } from '../database/database.ts'
import { type Checked, type RowBatch, rowBatches } from './check-file.ts'
import type { BackupHead, Snapshot } from './format.ts'
import { endKeysStatement, type KeyEnd } from './revocations.ts'
import { plain } from './tables.ts'

/** Loads all rows; keys that have ended since are ended in the batch that loads them. Returns how many were. Throws DatabaseError. */
export async function loadRows(
  db: Database,
  path: string,
  { head }: Checked<BackupHead>,
  ends: readonly KeyEnd[],
  progress: (rows: number) => void,
): Promise<number> {
  const last = new Set(head.last)
  const paged = new Set(head.paged.filter((table) => !last.has(table)))
  let rows = 0
  let ended = 0
  const load = async (wanted: (table: string) => boolean) => {
    for await (const batch of rowBatches(path, wanted)) {
      const isKeys = batch.table === 'api_keys' && ends.length > 0
      const results = await db.batch([insertRows(batch), ...(isKeys ? [endKeysStatement(ends)] : [])])
      ended += isKeys ? (results[1]?.length ?? 0) : 0
      rows += batch.rows.length
      progress(rows)
    }
  }
  // What others refer to; then the many rows that nothing refers to; then who may ask for more.
  await load((table) => !paged.has(table) && !last.has(table))
  await load((table) => paged.has(table))
  await load((table) => last.has(table))
  return ended
}

/** One statement and one parameter, whatever the row is like: JSON keeps integers exact, where a bound number would be REAL. */
function insertRows({ table, columns, rows }: RowBatch): Statement {
  const names = columns.map((name) => `"${name}"`).join(', ')
  const values = columns.map((_, index) => `value ->> ${index}`).join(', ')
  return { sql: `INSERT INTO "${table}" (${names}) SELECT ${values} FROM json_each(?1)`, params: [`[${rows.join(',')}]`] }
}

/** Ids go on where they stopped, also where the last row is gone. */
export async function setSequences(db: Database, { sequences }: Snapshot): Promise<void> {
  const statements = Object.entries(sequences).flatMap(([name, seq]) => [
    {
      sql: 'INSERT INTO sqlite_sequence (name, seq) SELECT ?1, 0 WHERE NOT EXISTS (SELECT 1 FROM sqlite_sequence WHERE name = ?1)',
      params: [name],
    },
    { sql: 'UPDATE sqlite_sequence SET seq = max(seq, CAST(?2 AS INTEGER)) WHERE name = ?1', params: [name, seq] },
  ])
  if (statements.length > 0) await db.batch(statements)
}

/** What was in flight ended with the machine: its lease is over, and the sweep settles it at what was written down. */
export const END_LEASES = plain('UPDATE holds SET expires_ms = 0')

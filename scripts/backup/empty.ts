// Whether a database may be restored into, and making it as if it were new.
import type { Database } from '../database/database.ts'
import { plain, readTables } from './tables.ts'

/** Where this table is, a restore has begun and not ended: nothing but what it wrote is there. */
export const MARKER = 'restore_in_progress'

export async function isHalfRestored(db: Database): Promise<boolean> {
  return (await db.all('SELECT name FROM sqlite_master WHERE name = ?', [MARKER])).length > 0
}

/** The tables that have rows. */
export async function tablesInUse(db: Database): Promise<string[]> {
  const tables = await readTables(db)
  if (tables.length === 0) return []
  const found = await db.batch(tables.map(({ name }) => plain(`SELECT EXISTS (SELECT 1 FROM "${name}") AS used`)))
  return tables.map(({ name }) => name).filter((_, index) => found[index]?.[0]?.used === 1)
}

/** Marks the database and drops every table in it, in one transaction. */
export async function markAndClear(db: Database): Promise<void> {
  // Triggers keep rows from being deleted, not tables from being dropped; those that refer to others go first.
  const names = (await readTables(db)).map(({ name }) => name).reverse()
  await db.batch([
    plain(`CREATE TABLE IF NOT EXISTS ${MARKER} (started_ms INTEGER NOT NULL) STRICT`),
    plain(`INSERT INTO ${MARKER} SELECT unixepoch() * 1000`),
    ...[...names, 'd1_migrations'].map((name) => plain(`DROP TABLE IF EXISTS "${name}"`)),
  ])
}

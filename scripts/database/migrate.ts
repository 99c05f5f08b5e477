// Brings a local database up to date, the way wrangler does it (same table, same splitting, one batch a file), but through the open database:
// no second process on it, and no 2.5 seconds for wrangler to start. Remote databases are migrated by wrangler itself.
import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { PROJECT_ROOT } from '../start/project.ts'
import { quietWrangler } from './wrangler.ts'

const MIGRATIONS_DIR = join(PROJECT_ROOT, 'd1-migrations')

/** Applies what is missing, in order, each file whole or not at all. Returns the names of what was applied. */
export async function migrate(db: D1Database): Promise<string[]> {
  await db
    .prepare(
      'CREATE TABLE IF NOT EXISTS d1_migrations (id INTEGER PRIMARY KEY AUTOINCREMENT, name TEXT UNIQUE, applied_at TIMESTAMP DEFAULT CURRENT_TIMESTAMP NOT NULL)',
    )
    .run()
  const { results } = await db.prepare('SELECT name FROM d1_migrations').all<{ name: string }>()
  const applied = new Set(results.map((row) => row.name))
  const files = (await readdir(MIGRATIONS_DIR)).filter((name) => name.endsWith('.sql')).sort()
  const { unstable_splitSqlQuery: splitSql } = await quietWrangler()
  const missing = files.filter((name) => !applied.has(name))
  for (const name of missing) {
    const statements = splitSql(await readFile(join(MIGRATIONS_DIR, name), 'utf8'))
    const done = db.prepare('INSERT INTO d1_migrations (name) VALUES (?)').bind(name)
    await db.batch([...statements.map((sql) => db.prepare(sql)), done])
  }
  return missing
}

// Which migrations a deploy applies: those that add, at any time; those that take away, only when nothing that runs needs it any more.
//
// Expand and contract: a change is two releases. The first adds what is new and uses it; the second, once the first is what runs, takes away what
// is old. A migration of the second kind begins with `-- contract: since 0.2.0`, the first release that does without. So the version before the
// running one still works on the new schema, and a deploy that fails can go back to it.
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { Failure } from '../admin/context.ts'
import type { Database } from '../database/database.ts'
import { migrationNames } from '../database/migrate.ts'
import { PROJECT_ROOT } from '../start/project.ts'

export interface Migration {
  name: string
  sql: string
}

const MARK = /^-- contract: since (\d+\.\d+\.\d+)\s*$/m
/** What can take away from a version that runs. A trigger and an index are no data; the ledger's proofs miss a trigger that should be there. */
const TAKES_AWAY: readonly [RegExp, string][] = [
  [/\bDROP\s+TABLE\b/i, 'DROP TABLE'],
  [/\bALTER\s+TABLE\s+\S+\s+DROP\b/i, 'DROP COLUMN'],
  [/\bALTER\s+TABLE\s+\S+\s+RENAME\b/i, 'RENAME'],
]

export async function allMigrations(): Promise<Migration[]> {
  const read = async (name: string) => ({ name, sql: await readFile(join(PROJECT_ROOT, 'd1-migrations', name), 'utf8') })
  return Promise.all((await migrationNames()).map(read))
}

/** The names of the migrations that the database has; none where it is new. Throws DatabaseError, and Failure for one that is half restored. */
export async function appliedMigrations(db: Database): Promise<string[]> {
  const tables = (await db.all("SELECT name FROM sqlite_master WHERE name IN ('d1_migrations', 'restore_in_progress')")).map(
    ({ name }) => name,
  )
  if (tables.includes('restore_in_progress')) {
    throw new Failure('A restore into the deployed database did not come to its end: run the same restore again, with --yes.')
  }
  if (!tables.includes('d1_migrations')) return []
  return (await db.all('SELECT name FROM d1_migrations ORDER BY name')).map(({ name }) => String(name))
}

/**
 * What is to be applied, in order.
 * @param running the version that serves; null: none does; '': one whose version nobody knows
 * Throws Failure where the database is newer than `all`, or the running version needs what would be taken away.
 */
export function pendingMigrations(all: readonly Migration[], applied: readonly string[], running: string | null): Migration[] {
  const strange = applied.find((name) => !all.some((one) => one.name === name))
  if (strange !== undefined) {
    throw new Failure(
      `The deployed database is newer than this checkout: it has the migration ${strange}. Update the checkout (git pull), then deploy.`,
    )
  }
  const pending = all.filter(({ name }) => !applied.includes(name))
  for (const migration of pending) checkContract(migration, running, applied.length === 0)
  return pending
}

function checkContract({ name, sql }: Migration, running: string | null, fresh: boolean): void {
  const since = MARK.exec(sql)?.[1]
  if (since === undefined) {
    const taken = TAKES_AWAY.find(([pattern]) => pattern.test(withoutComments(sql)))?.[1]
    if (taken === undefined) return
    throw new Failure(
      `${name} has ${taken}, which a version that runs may need: begin it with "-- contract: since X.Y.Z", the first version that does without.`,
    )
  }
  // What nobody uses yet, nobody misses.
  if (running === null || fresh) return
  if (running === '') {
    throw new Failure(
      `${name} takes away what versions before ${since} use, and nobody knows which version runs: deploy ${since} first, then this one.`,
    )
  }
  if (isBefore(running, since)) {
    throw new Failure(
      `${name} takes away what versions before ${since} use, and ${running} runs: deploy ${since} first, then this one. Nothing was changed.`,
    )
  }
}

function withoutComments(sql: string): string {
  return sql.replace(/--.*$/gm, '')
}

/** By numbers: 0.9.0 is before 0.10.0. What is no version is before all. */
function isBefore(one: string, other: string): boolean {
  const numbers = (text: string) => text.split('.').map((part) => Number.parseInt(part, 10) || 0)
  const [a, b] = [numbers(one), numbers(other)]
  const index = b.findIndex((part, at) => part !== (a[at] ?? 0))
  return index >= 0 && (a[index] ?? 0) < (b[index] ?? 0)
}

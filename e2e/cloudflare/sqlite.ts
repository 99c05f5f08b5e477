// A D1 database behind the stand-in's REST API: SQLite in memory, as D1 is SQLite.
import { DatabaseSync, type SQLInputValue } from 'node:sqlite'

export interface SqlStatement {
  sql: string
  params?: unknown[]
}

/** Rows as arrays, in the order of `columns`. */
export interface SqlResult {
  columns: string[]
  rows: unknown[][]
  changes: number
}

/** What runs a database's statements, all as one transaction. Throws what SQLite says. */
export interface SqlEngine {
  run(statements: readonly SqlStatement[]): Promise<SqlResult[]>
  close(): void
}

export function sqliteInMemory(): SqlEngine {
  const db = new DatabaseSync(':memory:')
  return {
    async run(statements) {
      db.exec('BEGIN')
      try {
        const results = statements.flatMap((statement) => runAll(db, statement))
        db.exec('COMMIT')
        return results
      } catch (error) {
        db.exec('ROLLBACK')
        throw error
      }
    },
    close: () => db.close(),
  }
}

/** All statements of a text: SQLite itself finds where each ends. */
function runAll(db: DatabaseSync, { sql, params = [] }: SqlStatement): SqlResult[] {
  const results: SqlResult[] = []
  let rest = sql
  while (rest.replace(/--[^\n]*/g, '').trim() !== '') {
    const statement = db.prepare(rest)
    statement.setReturnArrays(true)
    const before = changes(db)
    const rows = statement.all(...(params as SQLInputValue[])) as unknown as unknown[][]
    const columns = statement.columns().map(({ name }) => name)
    results.push({ columns, rows, changes: changes(db) - before })
    rest = rest.slice(statement.sourceSQL.length)
  }
  return results
}

function changes(db: DatabaseSync): number {
  return (db.prepare('SELECT total_changes() AS n').get() as { n: number }).n
}

// SQLite in this process, with D1's manners: a batch is a transaction, numbers are bound as REAL, foreign keys are on.
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { DatabaseSync, type SQLInputValue, type StatementSync } from 'node:sqlite'
import type { Mutation } from './mutations.ts'
import type { Result, Row, Statement, Store } from './store.ts'

const MIGRATIONS = join(import.meta.dirname, '..', '..', 'd1-migrations')

/** The tables as the migrations make them. */
function migratedSqlite(): DatabaseSync {
  const db = new DatabaseSync(':memory:')
  for (const name of readdirSync(MIGRATIONS).sort()) if (name.endsWith('.sql')) db.exec(readFileSync(join(MIGRATIONS, name), 'utf8'))
  return db
}

/**
 * Each schedule runs in one outer transaction that is rolled back, so that the next one finds the tables as migrated without making them anew;
 * D1's transactions are savepoints in it.
 */
export class SqliteStore implements Store {
  readonly #db = migratedSqlite()
  readonly #prepared = new Map<string, StatementSync>()
  readonly #mutation: Mutation | null
  #nowMs: () => number = () => 0

  /** `mutation`: a ledger that is broken on purpose. */
  constructor(mutation: Mutation | null = null) {
    this.#mutation = mutation
    // Without an argument, or with one, which is 'subsec': the clock. With more, which is arithmetic of days, SQLite's own stays.
    // A number is a REAL here, and whole seconds are none.
    this.#db.function('unixepoch', () => BigInt(Math.floor(this.#nowMs() / 1000)))
    this.#db.function('unixepoch', (_modifier: unknown) => this.#nowMs() / 1000)
  }

  async begin(nowMs: () => number): Promise<void> {
    this.#nowMs = nowMs
    if (this.#db.isTransaction) this.#db.exec('ROLLBACK')
    this.#db.exec('BEGIN')
  }

  async batch(statements: readonly Statement[]): Promise<Result[]> {
    this.#db.exec('SAVEPOINT batch')
    try {
      const results = statements.map((statement) => this.#run(statement))
      this.#db.exec('RELEASE batch')
      return results
    } catch (error) {
      this.#db.exec('ROLLBACK TO batch')
      this.#db.exec('RELEASE batch')
      throw error
    }
  }

  async all(sql: string, params: unknown[] = []): Promise<Row[]> {
    return this.#run({ sql, params }).results
  }

  sent(statements: readonly Statement[]): void {
    for (const statement of statements) this.#mutation?.sent?.(this.#db, statement)
  }

  failed(statements: readonly Statement[]): void {
    if (this.#mutation?.torn && statements[0] !== undefined) this.#run(statements[0])
  }

  rest(): Promise<void> {
    return new Promise((resolve) => setImmediate(resolve))
  }

  #run(statement: Statement): Result {
    const results = (this.#mutation?.run?.(this.#db, statement) ?? this.#rows(statement)) as Row[]
    return { success: true, results, meta: { changes: 0, rows_read: 0, rows_written: 0 } }
  }

  #rows({ sql, params }: Statement) {
    let statement = this.#prepared.get(sql)
    if (statement === undefined) {
      statement = this.#db.prepare(this.#mutation?.sql?.(sql) ?? sql)
      this.#prepared.set(sql, statement)
    }
    // node:sqlite binds a JavaScript number as REAL, as D1 does.
    return statement.all(...(params as SQLInputValue[]))
  }
}

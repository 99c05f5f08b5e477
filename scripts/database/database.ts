// What every command sees of a database: drizzle for single statements, and a batch that is one transaction, whatever lies between.
import { drizzle, type SqliteRemoteDatabase } from 'drizzle-orm/sqlite-proxy'

/** SQL with `?` or `?1` parameters: strings, numbers and null. D1 binds numbers as REAL: CAST(? AS INTEGER) where one is reckoned with. */
export interface Statement {
  sql: string
  params: unknown[]
}

/** Rows by position. Without rows, the columns may be missing. */
export interface RawResult {
  columns: string[]
  rows: unknown[][]
}

/** A way to a database. */
export interface Transport {
  /** Runs the statements in order, as one transaction. Throws DatabaseError. */
  run(statements: Statement[]): Promise<RawResult[]>
  /** What to do where the tables are missing: a sentence. */
  migrateHint: string
  close(): Promise<void>
}

export type Row = Record<string, string | number | null>

export interface Database {
  /** Each call is a transaction of its own: of drizzle's `batch` and `transaction` neither works, `batch` below does. */
  orm: SqliteRemoteDatabase
  /** All or nothing, in order; the rows of each statement by column name. Throws DatabaseError. */
  batch(statements: Statement[]): Promise<Row[][]>
  /** The rows of one statement by column name; two columns of one name are refused. Throws DatabaseError. */
  all(sql: string, params?: unknown[]): Promise<Row[]>
  close(): Promise<void>
}

/** The database failed, or cannot be reached; the message is for the operator, and holds neither parameters nor secrets. */
export class DatabaseError extends Error {
  override name = 'DatabaseError'
}

/** What D1 said, without the codes around it. */
export function d1Message(error: unknown): string {
  const message = error instanceof Error ? error.message : String(error)
  return message.replace(/^D1_\w+: /, '').replace(/: SQLITE_\w+( \(extended: \w+\))?$/, '')
}

/** The DatabaseError in an error's causes: drizzle wraps it in one whose message holds every parameter. */
export function databaseErrorIn(error: unknown): DatabaseError | null {
  for (let inner = error; inner instanceof Error; inner = inner.cause) if (inner instanceof DatabaseError) return inner
  return null
}

export function databaseOver(transport: Transport): Database {
  const run = async (statements: Statement[]): Promise<RawResult[]> => {
    try {
      return await transport.run(statements)
    } catch (error) {
      if (error instanceof DatabaseError && /no such table/.test(error.message)) {
        throw new DatabaseError(`The database has no tables yet: ${transport.migrateHint}`)
      }
      if (error instanceof DatabaseError && /no such column|has no column named/.test(error.message)) {
        throw new DatabaseError(`The database is of an older version: ${transport.migrateHint}`)
      }
      throw error
    }
  }
  const batch = async (statements: Statement[]) => (await run(statements)).map(rowsByName)
  return {
    orm: drizzle(async (sql, params, method) => {
      const [result] = await run([{ sql, params }])
      const rows = result?.rows ?? []
      return { rows: method === 'get' ? (rows[0] as unknown[]) : rows }
    }),
    batch,
    all: async (sql, params = []) => (await batch([{ sql, params }]))[0] ?? [],
    close: () => transport.close(),
  }
}

function rowsByName({ columns, rows }: RawResult): Row[] {
  const twice = columns.find((name, index) => columns.indexOf(name) !== index)
  if (twice !== undefined) throw new DatabaseError(`two columns are called ${twice}: give them names with AS`)
  return rows.map((row) => Object.fromEntries(columns.map((name, index) => [name, row[index] as Row[string]])))
}

// Runs statements on a D1 binding, with rows as arrays.
import { DatabaseError, d1Message, type RawResult, type Statement } from './database.ts'

/**
 * Runs the statements as one transaction. Throws DatabaseError.
 *
 * One statement goes through `raw`, which keeps every column in its place. Several go through `batch`, which gives objects: columns of one name
 * fall together there, and names that are numbers change places, so those rows are to be read by name. drizzle, which reads by place, sends one.
 */
export async function runOnD1(db: D1Database, statements: readonly Statement[]): Promise<RawResult[]> {
  try {
    const prepared = statements.map(({ sql, params }) => db.prepare(sql).bind(...params))
    const [only] = prepared
    if (only === undefined) return []
    if (prepared.length === 1) {
      const [columns = [], ...rows] = await only.raw<unknown[]>({ columnNames: true })
      return [{ columns, rows }]
    }
    return (await db.batch<Record<string, unknown>>(prepared)).map(({ results }) => {
      const columns = Object.keys(results[0] ?? {})
      return { columns, rows: results.map((row) => columns.map((name) => row[name])) }
    })
  } catch (error) {
    throw new DatabaseError(d1Message(error))
  }
}

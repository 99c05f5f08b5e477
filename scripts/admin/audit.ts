// The audit log: a change and the note of who made it are one transaction, with what was there before and after.
import type { Database, Row, Statement } from '../database/database.ts'
import { NOW_MS } from './clock.ts'

export interface Change {
  /** Who asks for it: `who` of the command's context. */
  who: string
  /** The command's name. */
  command: string
  /** What is changed, in words: 'customer 1', 'key 7', 'price gpt-6-sol'. */
  target: string
  /** A SELECT of one JSON text, as it is before and after the change; null: there is nothing to tell. No secret may be in it. */
  before: Statement | null
  after: Statement | null
}

/** Runs the statements as one transaction with their note; returns their rows. Throws DatabaseError. */
export async function audited(db: Database, change: Change, statements: readonly Statement[]): Promise<Row[][]> {
  const { who, command, target, before, after } = change
  const note = {
    sql: `INSERT INTO audit_log (who, command, target, before, created_ms) VALUES (?, ?, ?, ${before === null ? 'NULL' : `(${before.sql})`}, ${NOW_MS})`,
    params: [who, command, target, ...(before?.params ?? [])],
  }
  const end =
    after === null
      ? []
      : [{ sql: `UPDATE audit_log SET after = (${after.sql}) WHERE id = (SELECT max(id) FROM audit_log)`, params: after.params }]
  const results = await db.batch([note, ...statements, ...end])
  return results.slice(1, 1 + statements.length)
}

/** A row of a table as JSON, by its `id`; `columns` are those that may be told. */
export function rowState(table: string, columns: readonly string[], id: number): Statement {
  return { sql: `SELECT json_object(${columns.map((name) => `'${name}', ${name}`).join(', ')}) FROM ${table} WHERE id = ?`, params: [id] }
}

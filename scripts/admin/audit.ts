// The audit log: a change and the note of who made it are one transaction, with what was there before and after.
import type { Database, Row, Statement } from '../database/database.ts'
import { NOW_MS } from './clock.ts'

/** The parameters of every statement here are plain `?`: they are put together. */
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
  /** A SELECT that gives a row where there will be a change; without one, there always is. */
  only?: Statement
}

export interface Creation {
  who: string
  command: string
  /** A SELECT of what was made: its target in words and its JSON, as `rowMade` gives it. No row: nothing was made. */
  made: Statement
}

/** Runs the statements as one transaction with a note for each change; returns their rows. Throws DatabaseError. */
export async function audited(
  db: Database,
  change: Change | Creation | readonly (Change | Creation)[],
  statements: readonly Statement[],
): Promise<Row[][]> {
  const changes: readonly (Change | Creation)[] = 'who' in change ? [change] : change
  const first = changes.flatMap((each) => ('made' in each ? [] : [beginning(each)]))
  const last = changes.flatMap((each) => ('made' in each ? [creation(each)] : each.after === null ? [] : [end(each, each.after)]))
  const results = await db.batch([...first, ...statements, ...last])
  return results.slice(first.length, first.length + statements.length)
}

function beginning({ who, command, target, before, only }: Change): Statement {
  return {
    sql: `INSERT INTO audit_log (who, command, target, before, created_ms) SELECT ?, ?, ?, ${before === null ? 'NULL' : `(${before.sql})`}, ${NOW_MS}
${only === undefined ? '' : `WHERE EXISTS (${only.sql})`}`,
    params: [who, command, target, ...(before?.params ?? []), ...(only?.params ?? [])],
  }
}

/** A note that has its `after` is one of an earlier change: this one was not `only`. */
function end({ command, target }: Change, after: Statement): Statement {
  return {
    sql: `UPDATE audit_log SET after = (${after.sql})
WHERE id = (SELECT max(id) FROM audit_log WHERE command = ? AND target = ?) AND after IS NULL`,
    params: [...after.params, command, target],
  }
}

function creation({ who, command, made }: Creation): Statement {
  return {
    sql: `INSERT INTO audit_log (who, command, target, after, created_ms) SELECT ?, ?, made.target, made.row, ${NOW_MS} FROM (${made.sql}) AS made`,
    params: [who, command, ...made.params],
  }
}

/** Columns that hold JSON, and go into a note as such. */
const JSON_COLUMNS = new Set(['models', 'kinds', 'thresholds'])

/** D1 gives a function at most 32 arguments. */
const COLUMNS_PER_CALL = 15

/** SQL that makes a JSON object of these columns of a row. */
export function rowJson(columns: readonly string[]): string {
  const value = (name: string) => (JSON_COLUMNS.has(name) ? `json(${name})` : name)
  let sql = `json_object(${columns
    .slice(0, COLUMNS_PER_CALL)
    .map((name) => `'${name}', ${value(name)}`)
    .join(', ')})`
  for (let at = COLUMNS_PER_CALL; at < columns.length; at += COLUMNS_PER_CALL) {
    const more = columns.slice(at, at + COLUMNS_PER_CALL)
    sql = `json_set(${sql}, ${more.map((name) => `'$.${name}', ${value(name)}`).join(', ')})`
  }
  return sql
}

/** A row of a table as JSON, by its `id`; `columns` are those that may be told. */
export function rowState(table: string, columns: readonly string[], id: number): Statement {
  return { sql: `SELECT ${rowJson(columns)} FROM ${table} WHERE id = ?`, params: [id] }
}

/** What was made, by a column that only it has: `kind` and its id are the target. */
export function rowMade(
  kind: string,
  table: string,
  columns: readonly string[],
  [column, value]: [column: string, value: string],
): Statement {
  return { sql: `SELECT '${kind} ' || id AS target, ${rowJson(columns)} AS row FROM ${table} WHERE ${column} = ?`, params: [value] }
}

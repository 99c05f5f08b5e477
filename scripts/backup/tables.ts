// What a database has: its tables, their columns, and which refers to which. Whatever a later migration adds is found by itself.
import type { Database, Statement } from '../database/database.ts'

export interface Table {
  name: string
  columns: string[]
  /** The columns of its primary key, in order. */
  key: string[]
  refersTo: string[]
}

/** Made by D1, by its migrations, or by a restore that is under way. */
const NOT_DATA = ['d1_migrations', 'restore_in_progress']

/** All tables with data, those that others refer to first. */
export async function readTables(db: Database): Promise<Table[]> {
  const found = await db.all(
    `SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite\\_%' ESCAPE '\\' AND name NOT LIKE '\\_cf\\_%' ESCAPE '\\' ORDER BY rowid`,
  )
  const names = found.map(({ name }) => String(name)).filter((name) => !NOT_DATA.includes(name))
  if (names.length === 0) return []
  const [columns = [], references = []] = chunked(
    await db.batch([
      ...names.map((name) => plain(`SELECT name, pk FROM pragma_table_info('${name}')`)),
      ...names.map((name) => plain(`SELECT "table" AS name FROM pragma_foreign_key_list('${name}')`)),
    ]),
    names.length,
  )
  const tables = names.map((name, index) => ({
    name,
    columns: (columns[index] ?? []).map((column) => String(column.name)),
    key: (columns[index] ?? [])
      .filter(({ pk }) => Number(pk) > 0)
      .sort((a, b) => Number(a.pk) - Number(b.pk))
      .map((column) => String(column.name)),
    refersTo: (references[index] ?? []).map((reference) => String(reference.name)),
  }))
  return inOrder(tables)
}

/** A statement without parameters. */
export function plain(sql: string): Statement {
  return { sql, params: [] }
}

/** `names`, and every table that refers to one of them, by however many steps. */
export function withDependants(tables: readonly Table[], names: readonly string[]): string[] {
  const found = new Set(names)
  // A table comes after those it refers to.
  for (const { name, refersTo } of tables) if (refersTo.some((to) => found.has(to))) found.add(name)
  return tables.map(({ name }) => name).filter((name) => found.has(name))
}

/** D1 takes 32 arguments for a function. */
const ARGUMENTS = 30

/** SQL for a row as a JSON array, as SQLite writes it: integers exact, NULL as null. A BLOB is an error. */
export function rowSql(columns: readonly string[]): string {
  const parts: string[] = []
  for (let from = 0; from < columns.length; from += ARGUMENTS) {
    const quoted = columns.slice(from, from + ARGUMENTS).map((name) => `json_quote("${name}")`)
    parts.push(`concat_ws(',', ${quoted.join(', ')})`)
  }
  return `'[' || ${parts.join(` || ',' || `)} || ']'`
}

function inOrder(tables: readonly Table[]): Table[] {
  const ordered: Table[] = []
  const place = (table: Table) => {
    if (ordered.includes(table)) return
    for (const other of tables) if (other !== table && table.refersTo.includes(other.name)) place(other)
    ordered.push(table)
  }
  for (const table of tables) place(table)
  return ordered
}

function chunked<T>(values: readonly T[], size: number): T[][] {
  const chunks: T[][] = []
  for (let from = 0; from < values.length; from += size) chunks.push(values.slice(from, from + size))
  return chunks
}

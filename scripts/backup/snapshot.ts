// A whole ledger as of one moment, read without stopping it. D1 has no transaction over several calls, so the moment is that of the last call:
// rows that were final when the backup began are read first, page by page; one batch, which is one transaction, then reads all that is left.
// A row is final where it never changes and no other can come before it: see FINAL.
import { DAY_MS } from '../../worker/ledger/periods.ts'
import { ID_MARGIN_MS, idAt } from '../../worker/request-id.ts'
import type { Database, Statement } from '../database/database.ts'
import { FORMAT_VERSION, LineMaker } from './format.ts'
import { plain, readTables, rowSql, type Table, withDependants } from './tables.ts'

const PAGE_ROWS = 500

interface Marks {
  now: number
  /** Ids of requests that may still end, or be admitted, are not before this one. */
  usageId: string
  /** Nothing is written to sums of days before this one. */
  day: number
}

/**
 * What is final, of tables that grow: a condition on a row. `usage`: rows never change, and one that comes later was in flight at the mark or
 * admitted after it, so its id is not before the mark's. `usage_daily`: the same by the day of admission. The others: rows never change, and
 * ids count up.
 */
const FINAL: Record<string, (marks: Marks) => Promise<Statement> | Statement> = {
  usage: ({ usageId }) => ({ sql: 'id < ?1', params: [usageId] }),
  usage_daily: ({ day }) => ({ sql: 'day < CAST(?1 AS INTEGER)', params: [day] }),
}
const COUNTS_UP = ['invoices', 'audit_log']

export interface TakenBackup {
  counts: Record<string, number>
  asOf: string
  migration: string
}

/** Writes the lines of a backup. `progress` hears how many rows there are so far. Throws DatabaseError, and what `write` throws. */
export async function takeBackup(
  db: Database,
  write: (text: string) => Promise<void>,
  progress: (rows: number) => void,
): Promise<TakenBackup> {
  const lines = new LineMaker()
  const tables = await readTables(db)
  const names = tables.map(({ name }) => name)
  const migrations = (await db.all('SELECT name FROM d1_migrations ORDER BY name')).map(({ name }) => String(name))
  const marks = await readMarks(db)
  const final = await finalRows(db, marks, names)
  const head = {
    ...{ format: 'gateway-backup', version: FORMAT_VERSION, writtenAt: new Date(marks.now).toISOString(), migrations },
    ...{ paged: [...final.keys()], last: withDependants(tables, ['api_keys']) },
  }
  await write(lines.object(head))
  let rows = 0
  for (const table of tables) {
    const condition = final.get(table.name)
    if (condition === undefined) continue
    await write(lines.section({ table: table.name, columns: table.columns }))
    for await (const page of pages(db, table, condition)) {
      await write(lines.rows(page))
      rows += page.length
      progress(rows)
    }
  }
  const [clock, sequences = [], ...rest] = await db.batch([
    plain(`SELECT CAST(unixepoch('subsec') * 1000 AS INTEGER) AS now`),
    plain('SELECT name, seq FROM sqlite_sequence ORDER BY name'),
    ...tables.map((table) => restOf(table, final.get(table.name))),
  ])
  const asOf = new Date(Number(clock?.[0]?.now)).toISOString()
  const sequenceOf = sequences.filter(({ name }) => names.includes(String(name))).map(({ name, seq }) => [name, seq])
  await write(lines.object({ asOf, sequences: Object.fromEntries(sequenceOf) }))
  for (const [index, table] of tables.entries()) {
    await write(lines.section({ table: table.name, columns: table.columns }))
    await write(lines.rows((rest[index] ?? []).map(({ row }) => String(row))))
  }
  await write(lines.proof())
  return { counts: lines.counts, asOf, migration: migrations.at(-1) ?? '' }
}

async function readMarks(db: Database): Promise<Marks> {
  const [row] = await db.all(
    `SELECT CAST(unixepoch('subsec') * 1000 AS INTEGER) AS now, (SELECT min(id) FROM holds) AS id, (SELECT min(created_ms) FROM holds) AS ms`,
  )
  const now = Number(row?.now)
  // Who was admitted just now sent the request before, and two clocks differ.
  const [usageId = ''] = [idAt(now - ID_MARGIN_MS), ...(row?.id == null ? [] : [String(row.id)])].sort()
  const oldestMs = Math.min(now, row?.ms == null ? now : Number(row.ms)) - ID_MARGIN_MS
  return { now, usageId, day: Math.floor(oldestMs / DAY_MS) }
}

async function finalRows(db: Database, marks: Marks, names: readonly string[]): Promise<Map<string, Statement>> {
  const final = new Map<string, Statement>()
  for (const [name, of] of Object.entries(FINAL)) if (names.includes(name)) final.set(name, await of(marks))
  for (const name of COUNTS_UP.filter((one) => names.includes(one))) {
    const [row] = await db.all(`SELECT coalesce(max(id), 0) AS id FROM "${name}"`)
    final.set(name, { sql: 'id <= CAST(?1 AS INTEGER)', params: [row?.id ?? 0] })
  }
  return final
}

/** The final rows of a table, along its key. */
async function* pages(db: Database, { name, columns, key }: Table, final: Statement): AsyncGenerator<string[]> {
  const keys = key.map((column) => `"${column}"`).join(', ')
  const named = key.map((column, index) => `"${column}" AS k${index}`).join(', ')
  // A number is bound as REAL, which compares with an integer as it should: keys are below 2^53.
  const after = `(${keys}) > (${key.map((_, index) => `?${index + 2}`).join(', ')})`
  let last: unknown[] | null = null
  for (;;) {
    const where: string = last === null ? final.sql : `${final.sql} AND ${after}`
    const page: Awaited<ReturnType<Database['all']>> = await db.all(
      `SELECT ${rowSql(columns)} AS "row", ${named} FROM "${name}" WHERE ${where} ORDER BY ${keys} LIMIT ${PAGE_ROWS}`,
      [...final.params, ...(last ?? [])],
    )
    if (page.length > 0) yield page.map(({ row }) => String(row))
    if (page.length < PAGE_ROWS) return
    last = key.map((_, index) => page.at(-1)?.[`k${index}`])
  }
}

function restOf({ name, columns, key }: Table, final: Statement | undefined): Statement {
  const where = final === undefined ? '' : ` WHERE NOT (${final.sql})`
  const order = key.length === 0 ? '' : ` ORDER BY ${key.map((column) => `"${column}"`).join(', ')}`
  return { sql: `SELECT ${rowSql(columns)} AS "row" FROM "${name}"${where}${order}`, params: final?.params ?? [] }
}

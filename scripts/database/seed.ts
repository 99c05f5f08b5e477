// Test support: rows for any table, made from what the database itself says of it, so that a table of a later migration is covered by itself.
import { plain, readTables, type Table } from '../backup/tables.ts'
import { type Database, DatabaseError } from './database.ts'

interface Column {
  name: string
  type: string
  required: boolean
  key: boolean
  /** It is another row's id. */
  refers: boolean
}

const TRIES = 1000

/** Two rows in every table: one with all that can be there, one with NULL wherever it can be. Throws where it finds none. */
export async function seedEveryTable(db: Database): Promise<void> {
  for (const table of await readTables(db)) {
    const columns = await columnsOf(db, table)
    await insertSome(db, table, columns, 1)
    await insertSome(
      db,
      table,
      columns.filter(({ required, key }) => required || key),
      2,
    )
  }
}

async function columnsOf(db: Database, { name }: Table): Promise<Column[]> {
  const [rows = [], references = []] = await db.batch([
    plain(`SELECT name, type, "notnull" AS required, pk FROM pragma_table_info('${name}')`),
    plain(`SELECT "from" AS name FROM pragma_foreign_key_list('${name}')`),
  ])
  return rows.map((row) => ({
    name: String(row.name),
    type: String(row.type),
    required: row.required === 1,
    key: Number(row.pk) > 0,
    refers: references.some((one) => one.name === row.name),
  }))
}

/** Inserts a row; where a CHECK refuses it, tries other values for the columns that the CHECK is about. */
async function insertSome(db: Database, table: Table, columns: readonly Column[], number: number): Promise<void> {
  const [made] = await db.all("SELECT sql FROM sqlite_master WHERE type = 'table' AND name = ?", [table.name])
  const offers = columns.map((column) => candidates(column, String(made?.sql), number))
  const chosen = columns.map(() => 0)
  const names = columns.map(({ name }) => `"${name}"`).join(', ')
  for (let tried = 0; tried < TRIES; tried++) {
    const values = chosen.map((choice, index) => offers[index]?.[choice % (offers[index]?.length ?? 1)])
    const refused = await db.batch([plain(`INSERT INTO "${table.name}" (${names}) VALUES (${values.join(', ')})`)]).then(
      () => null,
      (error) => (error instanceof DatabaseError ? error.message : String(error)),
    )
    if (refused === null) return
    const concerned = columns
      .map(({ name }, index) => (new RegExp(`\\b${name}\\b`).test(refused) ? index : -1))
      .filter((index) => index >= 0)
    if (!/CHECK constraint failed/.test(refused) || concerned.length === 0) throw new Error(`${table.name}: ${refused}`)
    // As a counter: the first column turns, and carries over to the next.
    for (const index of concerned) {
      chosen[index] = (chosen[index] ?? 0) + 1
      if ((chosen[index] ?? 0) % (offers[index]?.length ?? 1) !== 0) break
    }
  }
  throw new Error(`no row fits into ${table.name}: teach ${import.meta.filename} what its CHECKs ask for`)
}

/** SQL literals, the likeliest first. Ids are the row's number, so that what refers to another row finds it. */
function candidates({ name, type, key, refers }: Column, tableSql: string, number: number): string[] {
  const listed = new RegExp(`\\b${name}\\b[^,\\n]*\\bIN \\(([^)]*)\\)`).exec(tableSql)?.[1]?.split(',') ?? []
  if (type === 'INTEGER') return [...listed, key || refers ? `${number}` : `${number + 2}`, '0', '1', '9000000000000000', '2026', '20000']
  const hash = `'${String(number).repeat(64)}'`
  const texts = [`'${name} ${number}: é\u{1F600} "''\n'`, hash, `'["a",${number}]'`, "''", "'1'"]
  return [...listed, ...texts]
}

// Each migration meets a database that is in use: of what stands there nothing may be lost, neither a row, a value, an index nor a trigger.
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest'
import { proveLedger } from '../../worker/ledger/proofs.ts'
import { type TestDatabase, testDatabase } from '../admin/testing.ts'
import { markAndClear } from '../backup/empty.ts'
import { plain, readTables, type Table } from '../backup/tables.ts'
import { DatabaseError } from './database.ts'
import { applyMigrations, migrationNames, migrationStatements } from './migrate.ts'
import { seedEveryTable } from './seed.ts'
import { seedLedger } from './seed-ledger.ts'

let t: TestDatabase
beforeAll(async () => {
  t = await testDatabase()
})
afterAll(() => t.close())
beforeEach(async () => {
  await markAndClear(t.db)
  await t.db.all('DROP TABLE restore_in_progress')
})

const names = await migrationNames()

interface State {
  tables: readonly Table[]
  /** Every value as SQLite writes it, by table. */
  rows: Map<string, string[]>
  /** Indexes and triggers, each with its table. */
  guards: string[]
}

/** @param of the tables and columns to look at; all that there are unless told */
async function stateOf(of?: readonly Table[]): Promise<State> {
  const tables = of ?? (await readTables(t.db))
  const found = await t.db.batch([
    ...tables.map(({ name, columns }) =>
      plain(`SELECT ${columns.map((one) => `quote("${one}")`).join(` || ',' || `)} AS line FROM "${name}" ORDER BY 1`),
    ),
    plain(
      "SELECT type || ' ' || name || ' on ' || tbl_name AS line FROM sqlite_master WHERE type IN ('index', 'trigger') AND sql IS NOT NULL ORDER BY 1",
    ),
  ])
  const lines = found.map((rows) => rows.map(({ line }) => String(line)))
  return { tables, rows: new Map(tables.map(({ name }, index) => [name, lines[index] ?? []])), guards: lines.at(-1) ?? [] }
}

/** What is not as it was, in words; a guard may go if a statement says so. */
async function lost(before: State, statements: readonly string[]): Promise<string[]> {
  const dropped = statements.flatMap((sql) => /^\s*DROP (?:TRIGGER|INDEX) (?:IF EXISTS )?"?(\w+)/i.exec(sql)?.[1] ?? [])
  const after = await stateOf(before.tables)
  return [
    ...before.tables
      .filter(({ name }) => after.rows.get(name)?.join('\n') !== before.rows.get(name)?.join('\n'))
      .map(({ name }) => `rows of ${name}`),
    ...before.guards.filter((guard) => !after.guards.includes(guard) && !dropped.includes(guard.split(' ')[1] ?? '')),
  ]
}

/** The findings of all proofs; those that ask for what is not there yet find nothing. */
async function findings(): Promise<unknown[]> {
  const all = (sql: string) =>
    t.db.all(sql).catch((error) => {
      if (error instanceof DatabaseError && /of an older version|no tables yet|no such (column|table)/.test(error.message)) return []
      throw error
    })
  return (await proveLedger(all)).filter(({ disagreeing }) => disagreeing.length > 0)
}
/** Of a database that lacks what a later migration makes. */
const NOT_YET = ['what is posted cannot be changed', 'every table has the columns that the migrations gave it']

test.each(names.slice(1))('%s loses nothing of what any table may hold', async (name) => {
  await applyMigrations(t.db, names.slice(0, names.indexOf(name)))
  await seedEveryTable(t.db)
  const before = await stateOf()
  expect([...before.rows.values()].every((rows) => rows.length >= 2)).toBe(true)
  await applyMigrations(t.db, names.slice(0, names.indexOf(name) + 1))
  expect(await lost(before, await migrationStatements(name))).toEqual([])
})

test.each(names.slice(1))('a ledger that agrees before %s agrees after it, and after all that follow', async (name) => {
  await applyMigrations(t.db, names.slice(0, names.indexOf(name)))
  await seedLedger(t.db)
  expect((await findings()).filter((found) => !NOT_YET.includes((found as { proof: string }).proof))).toEqual([])
  const before = await stateOf()
  await applyMigrations(t.db, names)
  expect(await lost(before, (await Promise.all(names.map(migrationStatements))).flat())).toEqual([])
  const { code, out } = await t.admin('verify-ledger')
  expect(code, out).toBe(0)
})

test('a migration that loses something would be found', async () => {
  await applyMigrations(t.db, names)
  await seedEveryTable(t.db)
  const before = await stateOf()
  const rebuilt = [
    'CREATE TABLE copy AS SELECT * FROM prices',
    'DROP TABLE holds',
    'DROP TABLE usage',
    'DROP TABLE prices',
    'ALTER TABLE copy RENAME TO prices',
    'CREATE TABLE holds AS SELECT * FROM usage_daily WHERE false',
    'CREATE TABLE usage (customer_id INTEGER)',
  ]
  await t.db.batch([...rebuilt, 'UPDATE spend SET spent_nano = spent_nano + 1'].map(plain))
  expect(await lost(before, rebuilt)).toEqual([
    'rows of holds',
    'rows of usage',
    'rows of spend',
    'index holds_killed on holds',
    'index prices_by_model on prices',
    'index usage_over on usage',
    'trigger prices_frozen on prices',
    'trigger prices_kept on prices',
    'trigger usage_frozen on usage',
    'trigger usage_kept on usage',
  ])
})

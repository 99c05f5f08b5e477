// The migrations and the drizzle schema are two spellings of one thing.
import { getTableConfig, type SQLiteTable } from 'drizzle-orm/sqlite-core'
import { beforeAll, expect, test } from 'vitest'
import * as schema from './schema.ts'
import { db, migrate } from './testing/ledger.ts'

beforeAll(migrate)

const tables = Object.values(schema).filter(
  (value): value is SQLiteTable & typeof value => typeof value === 'object' && !Array.isArray(value),
)

test('every table has the columns, types and nullability that the migrations gave it', async () => {
  expect(tables.length).toBe(16)
  for (const table of tables) {
    const { name, columns } = getTableConfig(table)
    const { results } = await db
      .prepare('SELECT name, type, "notnull" AS required, pk FROM pragma_table_info(?)')
      .bind(name)
      .all<{ name: string; type: string; required: number; pk: number }>()
    const migrated = results.map((column) => [column.name, column.type, column.required === 1 || column.pk > 0])
    const declared = columns.map((column) => [column.name, column.getSQLType().toUpperCase(), column.notNull])
    expect([name, declared.sort()]).toEqual([name, migrated.sort()])
  }
})

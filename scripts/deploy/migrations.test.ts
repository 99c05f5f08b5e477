import { expect, test } from 'vitest'
import { allMigrations, type Migration, pendingMigrations } from './migrations.ts'

const FIRST: Migration = { name: '0001_a.sql', sql: 'CREATE TABLE a (x INTEGER);' }
const EXPAND: Migration = {
  name: '0002_b.sql',
  sql: 'ALTER TABLE a ADD COLUMN y INTEGER; -- instead of x, which 0003 drops: DROP COLUMN x',
}
const CONTRACT: Migration = {
  name: '0003_c.sql',
  sql: '-- Nobody reads x any more.\n-- contract: since 0.10.0\nALTER TABLE a DROP COLUMN x;',
}
const ALL = [FIRST, EXPAND, CONTRACT]

const pending = (applied: string[], running: string | null, all = ALL) => pendingMigrations(all, applied, running).map(({ name }) => name)

test('what adds is applied at any time, in order', () => {
  expect(pending(['0001_a.sql'], '0.1.0', [FIRST, EXPAND])).toEqual(['0002_b.sql'])
  expect(pending(['0001_a.sql'], '', [FIRST, EXPAND])).toEqual(['0002_b.sql'])
  expect(pending(['0001_a.sql', '0002_b.sql'], '0.1.0', [FIRST, EXPAND])).toEqual([])
})

test('what takes away is applied once a version that does without is the one that runs', () => {
  expect(pending(['0001_a.sql', '0002_b.sql'], '0.10.0')).toEqual(['0003_c.sql'])
  expect(pending(['0001_a.sql', '0002_b.sql'], '1.0.0')).toEqual(['0003_c.sql'])
  expect(() => pending(['0001_a.sql', '0002_b.sql'], '0.9.3')).toThrow(
    '0003_c.sql takes away what versions before 0.10.0 use, and 0.9.3 runs: deploy 0.10.0 first, then this one. Nothing was changed.',
  )
  expect(() => pending(['0001_a.sql', '0002_b.sql'], '')).toThrow(/nobody knows which version runs: deploy 0\.10\.0 first/)
})

test('where nothing runs yet, and in a new database, everything is applied', () => {
  expect(pending([], null)).toHaveLength(3)
  expect(pending(['0001_a.sql'], null)).toHaveLength(2)
  expect(pending([], '0.1.0')).toHaveLength(3)
})

test('what takes away without saying so is refused', () => {
  for (const sql of [
    'DROP TABLE a;',
    'ALTER TABLE a DROP COLUMN x;',
    'alter table "a" drop x;',
    'CREATE TABLE new_a (y INTEGER); ALTER TABLE new_a RENAME TO a;',
    'ALTER TABLE a RENAME COLUMN x TO y;',
  ]) {
    expect(() => pending(['0001_a.sql'], '0.1.0', [FIRST, { name: '0002_b.sql', sql }]), sql).toThrow(
      /^0002_b\.sql has .*begin it with "-- contract: since X\.Y\.Z"/,
    )
  }
})

test('a database that has a migration which this checkout does not have is newer', () => {
  expect(() => pending(['0001_a.sql', '0004_d.sql'], '0.1.0')).toThrow(
    /newer than this checkout: it has the migration 0004_d\.sql\. Update the checkout/,
  )
})

test('the migrations that there are pass', async () => {
  const all = await allMigrations()
  expect(pendingMigrations(all, [], null)).toEqual(all)
  expect(pendingMigrations(all, [String(all[0]?.name)], '0.0.1')).toHaveLength(all.length - 1)
})

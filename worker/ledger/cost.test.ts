// What a request costs at the ledger, counted: D1 calls, statements, rows. A change that makes it dearer fails here, on any machine.
import { beforeAll, expect, test } from 'vitest'
import { askOf, db, endingOf, makeCustomer, makeKey, migrate, setPrice, type TestKey } from '../testing/ledger.ts'
import { ADMIT } from './admission-sql.ts'
import { Group } from './group.ts'

beforeAll(async () => {
  await migrate()
  await setPrice('m:latest', { input: '1', output: '1' })
})

/** The database with what goes through it counted, each call answered in the next turn at the soonest, as over a network. */
function counted() {
  const cost = { calls: 0, statements: 0, written: 0, read: 0 }
  const database = {
    prepare: (sql: string) => db.prepare(sql),
    async batch<T>(statements: D1PreparedStatement[]) {
      cost.calls++
      cost.statements += statements.length
      const results = await db.batch<T>(statements)
      for (const { meta } of results) {
        cost.written += meta.rows_written
        cost.read += meta.rows_read
      }
      return results
    },
  } as unknown as D1Database
  return { db: database, cost }
}

const defer = () => {}

test('of a prepaid customer it writes one row more, the balance, and reads that row twice', async () => {
  const read: number[] = []
  for (const limits of [{}, { prepaid: '1' }]) {
    const key = await makeKey(await makeCustomer({ budget: '1', ...limits }))
    const { db: database, cost } = counted()
    for (let count = 0; count < 2; count++) await request(new Group(database), key)
    read.push(cost.read)
  }
  // Two requests: the balance is read where it decides, and where it is written.
  expect((read[1] ?? 0) - (read[0] ?? 0)).toBeLessThanOrEqual(4)

  const key = await makeKey(await makeCustomer({ prepaid: '1', rpm: 100 }))
  const { db: database, cost } = counted()
  const group = new Group(database)
  for (let count = 1; count <= 3; count++) {
    await request(group, key)
    expect([cost.calls, cost.statements, cost.written]).toEqual([2 * count, 5 * count, 6 * count])
  }
})

async function request(group: Group, key: TestKey): Promise<void> {
  const ask = askOf(key, { inputBound: 1000 })
  await group.admit(ask, defer)
  await group.settle(endingOf(key, ask.id, 500), defer)
}

/** A customer with so many requests of the last 30 days behind them. */
async function withHistory(rows: number): Promise<TestKey> {
  const key = await makeKey(await makeCustomer({ budget: '1000', rpm: 100_000, tpm: 100_000_000 }))
  await db
    .prepare(
      `WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < ?3)
       INSERT INTO usage SELECT ?1, printf('01900000-0000-7000-8000-%012d', i), ?2, 1, 'm:latest', 'test', 'ollama', 'completed', 0, 10, 10, 0, 1, 0, 1, 0, 1, 1, 1,
         CAST(unixepoch() * 1000 AS INTEGER) - 2592000000 + i, 0, 0, 0, 0 FROM n`,
    )
    .bind(key.customerId, key.id, rows)
    .run()
  return key
}

test('a request alone is two calls, five statements and five written rows', async () => {
  const key = await makeKey(await makeCustomer({ budget: '1', rpm: 100 }))
  const { db: database, cost } = counted()
  const group = new Group(database)
  for (let count = 1; count <= 3; count++) {
    await request(group, key)
    expect([cost.calls, cost.statements, cost.written]).toEqual([2 * count, 5 * count, 5 * count])
  }
})

test('of requests that meet, 64 at once, each is less than a third of a call, and writes less than four rows', async () => {
  const key = await makeKey(await makeCustomer({ budget: '1000' }))
  const { db: database, cost } = counted()
  const group = new Group(database)
  const story = async () => {
    for (let count = 0; count < 5; count++) await request(group, key)
  }
  await Promise.all(Array.from({ length: 64 }, story))
  expect(cost.calls).toBeLessThan(320 / 3)
  // A hold written and deleted, a usage row; the sums are written once a batch.
  expect(cost.written).toBeLessThan(320 * 4)
  expect(cost.written).toBeGreaterThan(320 * 3)
})

test('an admission reads the same few rows after 100 requests as after 20,000', async () => {
  const read: number[] = []
  for (const rows of [100, 20_000]) {
    const key = await withHistory(rows)
    const { db: database, cost } = counted()
    await request(new Group(database), key)
    read.push(cost.read)
  }
  expect(read[1]).toBe(read[0])
  expect(read[0]).toBeLessThan(80)
})

test('the program that SQLite makes of an admission does not work out the same value again and again', async () => {
  const { results } = await db.prepare(`EXPLAIN ${ADMIT}`).bind('{}').all()
  // 2,000 steps or so; with `read` not materialised 3,300, which took more than twice the time.
  expect(results.length).toBeLessThan(2500)
})

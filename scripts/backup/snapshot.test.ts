// A backup is of one moment, whatever happens while it is read; and a row comes back as it was, whatever is in it.
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import fc from 'fast-check'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { Group } from '../../worker/ledger/group.ts'
import { UNUSED } from '../../worker/pricing.ts'
import { begin, makeCustomer, makeKey, priceAll, request, type TestDatabase, type TestKey, testDatabase, usd } from '../admin/testing.ts'
import { takeBackup } from './snapshot.ts'
import { plain, readTables } from './tables.ts'

let t: TestDatabase
let other: TestDatabase
let key: TestKey

beforeEach(async () => {
  t = await testDatabase()
  other = await testDatabase()
  await priceAll(t)
  key = await makeKey(t, await makeCustomer(t, '--budget', '5000'), '--budget', '4000', '--period', 'day')
})
afterEach(async () => {
  await t.close()
  await other.close()
})

/** Every value as SQLite writes it, so that none is rounded on the way. */
async function everything(of: TestDatabase): Promise<Record<string, { outcome: string }[]>> {
  const tables = await readTables(of.db)
  const rows = await of.db.batch(
    tables.map(({ name, columns, key }) =>
      plain(`SELECT ${columns.map((one) => `quote(${one}) AS ${one}`).join(', ')} FROM "${name}" ORDER BY ${key.join(', ')}`),
    ),
  )
  const found = Object.fromEntries(tables.map(({ name }, index) => [name, rows[index] as unknown[] as { outcome: string }[]]))
  return { ...found, audit_log: [] }
}

/** A backup's text; `between` runs after each piece of it was written. */
async function taken(between: (lines: string) => Promise<void> = async () => {}): Promise<string> {
  const pieces: string[] = []
  const write = async (lines: string) => {
    pieces.push(lines)
    await between(lines)
  }
  await takeBackup(t.db, write, () => {})
  return pieces.join('')
}

async function restored(text: string) {
  await writeFile(join(other.stateDir, 'given'), text)
  const { code, err, out } = await other.admin('restore', 'given', '--json')
  expect(code, err + out).toBe(0)
  return JSON.parse(out) as { ok: boolean; settled: number }
}

/** Two thousand requests of two days ago: four pages. */
async function manyRequests(): Promise<void> {
  const day = Math.floor(Date.now() / 86_400_000) - 2
  const id = (day * 86_400_000).toString(16).padStart(12, '0')
  await t.db.batch([
    plain(`WITH RECURSIVE n (i) AS (VALUES (1) UNION ALL SELECT i + 1 FROM n WHERE i < 2000)
      INSERT INTO usage (customer_id, id, key_id, price_id, model, dialect, upstream, outcome, estimated, hold_nano, cost_nano, over_nano, input_tokens, cached_tokens, output_tokens, gpu_ms, input_bound, output_limit, created_ms, settled_ms)
      SELECT 1, '${id.slice(0, 8)}-${id.slice(8)}-7000-8000-' || printf('%012d', i), 1, 1, 'many', 'd', 'ollama', 'completed', 0, 2, 2, 0, 0, 0, 0, 2, 0, 0, ${day} * 86400000, 0 FROM n`),
    plain(`INSERT INTO usage_daily (customer_id, day, model, key_id, outcome, requests, input_tokens, cached_tokens, output_tokens, gpu_ms, cost_nano)
      VALUES (1, ${day}, 'many', 1, 'completed', 2000, 0, 0, 0, 4000, 4000)`),
    plain(
      `INSERT INTO spend SELECT 'c1', unixepoch(${day} * 86400, 'unixepoch', 'start of month') / 86400, 4000 UNION ALL SELECT 'k1', ${day}, 4000`,
    ),
  ])
}

test('requests that are admitted, settled and swept between any two pages are in it whole or not at all', async () => {
  await manyRequests()
  const dayAgo = await begin(t, key, { atMs: Date.now() - 86_400_000 })
  const settle = (id: string) =>
    new Group(t.d1, { max: 1 }).settle(
      {
        customerId: key.customerId,
        keyId: key.id,
        id,
        outcome: 'completed',
        estimated: false,
        costNano: usd('0.5'),
        used: { ...UNUSED, gpuMs: usd('0.5') },
        firstMs: null,
      },
      () => {},
    )
  const states: Record<string, { outcome: string }[]>[] = []
  let moment: (typeof states)[number] | undefined
  const text = await taken(async (lines) => {
    // Its moment is the last batch: after the last page, and what was done then. What is done from now on is not in it.
    if (lines.startsWith('{"asOf"')) moment = states.at(-1)
    await request(t, key)
    // Its body took most of an hour to come in.
    await request(t, key, { atMs: Date.now() - 50 * 60_000 })
    if (states.length === 3) await settle(dayAgo)
    if (states.length === 4) await makeKey(t, await makeCustomer(t))
    if (states.length === 5) await begin(t, key)
    states.push(await everything(t))
  })
  expect(await restored(text)).toMatchObject({ ok: true, settled: 1 })
  const copy = await everything(other)
  for (const table of ['customers', 'api_keys', 'prices', 'spend', 'adjustments']) expect(copy[table], table).toEqual(moment?.[table])
  const ended = (state = copy) => state.usage?.filter(({ outcome }) => outcome !== "'expired'")
  expect(ended()?.length).toBeGreaterThan(2010)
  expect(ended()).toEqual(ended(moment))
  expect((await everything(t)).usage?.length).toBeGreaterThan(moment?.usage?.length ?? 0)
})

test('a row comes back as it was, whatever is in it', async () => {
  const odd = fc.oneof(
    fc.string({ unit: 'grapheme', minLength: 3, maxLength: 40 }),
    fc.string({ unit: 'binary', minLength: 3, maxLength: 40 }),
    fc.constantFrom(
      '\u0000\u0000\u0000',
      '"[1,2]"',
      "'; DROP TABLE usage; --",
      '\u2028\u2029\n\r\t',
      '{"table":"usage","columns":["id"]}',
      '9007199254740993',
      '1e3',
      'null',
      '😀😀😀',
    ),
  )
  const amount = fc
    .oneof(fc.integer(), fc.maxSafeInteger(), fc.constantFrom(0, 9e15, -9e15))
    .map((nano) => Math.max(-9e15, Math.min(9e15, nano)))
  const row = fc.record({ id: fc.uuid(), keyId: fc.option(fc.nat()), usageId: fc.option(odd), amount, reason: odd, day: fc.nat(30_000) })
  const rows = fc.sample(row, { numRuns: 400, seed: 7 })
  const insert =
    'INSERT INTO adjustments (customer_id, id, key_id, usage_id, amount_nano, reason, day, created_ms) VALUES (1, ?, ?, ?, ?, ?, ?, 0)'
  await t.db.batch(
    rows.map(({ id, keyId, usageId, amount, reason, day }) => ({ sql: insert, params: [id, keyId, usageId, amount, reason, day] })),
  )
  // What no JavaScript number holds.
  await t.db.batch([
    plain("INSERT INTO spend VALUES ('c1', 0, 9223372036854775807), ('c1', 1, -9223372036854775807), ('c1', 2, 9007199254740993)"),
  ])
  await t.db.all(`UPDATE customers SET address = ?, tax_id = ? WHERE id = 1`, ['a\u0000b\n"c"', "\\u0041'"])
  const text = await taken()
  await writeFile(join(other.stateDir, 'given'), text)
  // The sums are no sums, which is said; the rows are what matters here.
  expect((await other.admin('restore', 'given')).out).toContain('The ledger disagrees')
  expect(await everything(other)).toEqual(await everything(t))
})

test('a table, and a column too many for one function, are in it by themselves', async () => {
  const columns = Array.from({ length: 70 }, (_, index) => `c${index}`)
  await t.db.batch([
    plain(`CREATE TABLE wide (id INTEGER PRIMARY KEY, ${columns.map((name) => `${name} ANY`).join(', ')}) STRICT`),
    plain(`INSERT INTO wide (id, c0, c69) VALUES (1, 'first', 0.5)`),
  ])
  const text = await taken()
  expect(text).toContain('"wide":1}')
  expect(text).toContain(`\n[1,"first",${'null,'.repeat(68)}0.5]\n`)
})

import { appendFile, copyFile, readFile, rename, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { gunzipSync } from 'node:zlib'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { begin, makeCustomer, makeKey, priceAll, request, type TestDatabase, type TestKey, testDatabase } from './testing.ts'

let t: TestDatabase
let key: TestKey
const at = (time: string) => Date.parse(`${time}Z`)

beforeEach(async () => {
  t = await testDatabase()
  await priceAll(t)
  key = await makeKey(t, await makeCustomer(t, '--budget', '50'))
  await request(t, key, { atMs: at('2026-07-31T23:59:59.999') })
  await request(t, key, { atMs: at('2026-08-01T00:00:00'), cost: '0.000000001' })
  await request(t, key, { atMs: at('2026-08-31T23:59:59.999'), cost: '0.25' })
  await request(t, key, { atMs: at('2026-09-01T00:00:00') })
})
afterEach(() => t.close())

const file = (name: string) => join(t.stateDir, name)
const months = async () =>
  (await t.db.all("SELECT strftime('%Y-%m', created_ms / 1000, 'unixepoch') AS m FROM usage ORDER BY id")).map(({ m }) => m)

/** What the month comes to, as `close-month` writes it. */
async function invoice(customerId: number, month = '2026-08'): Promise<void> {
  const day = at(`${month}-01T00:00:00`) / 86_400_000
  await t.db.all(
    `INSERT INTO invoices (year, seq, kind, customer_id, month, usage_nano, adjustments_nano, carried_nano, net_cents, remainder_nano, tax_bp, tax_cents, total_cents, document, created_ms)
     WITH due AS (SELECT CAST(?1 AS INTEGER) AS customer, CAST(?2 AS INTEGER) AS first), summed AS (
       SELECT *, (SELECT coalesce(sum(cost_nano), 0) FROM usage_daily d WHERE d.customer_id = customer AND d.day >= first AND d.day < first + 31) AS used,
         coalesce((SELECT remainder_nano FROM invoices WHERE customer_id = customer ORDER BY id DESC LIMIT 1), 0) AS carried FROM due)
     SELECT 2026, (SELECT count(*) + 1 FROM invoices), 'invoice', customer, first, used, 0, carried, (used + carried) / 10000000, (used + carried) % 10000000,
       0, 0, (used + carried) / 10000000, '{}', 0 FROM summed`,
    [customerId, day],
  )
}

test('a month moves to a file, its sums stay, and the ledger agrees', async () => {
  await invoice(key.customerId)
  const sums = () =>
    t.db.batch(['usage_daily', 'spend', 'adjustments', 'invoices'].map((name) => ({ sql: `SELECT * FROM ${name}`, params: [] })))
  const before = await sums()
  const { code, out, err } = await t.admin('archive', '2026-08', '--output', 'august.jsonl.gz')
  expect(code, err).toBe(0)
  expect(out).toMatch(
    /^2026-08: 2 requests, \$0\.250000001, in august\.jsonl\.gz, sha256 [0-9a-f]{64}\nIts rows are deleted, its sums stay\./,
  )
  expect(await months()).toEqual(['2026-07', '2026-09'])
  expect(await sums()).toEqual(before)
  expect((await t.admin('verify-ledger')).out).toContain('The ledger agrees.')
  const lines = gunzipSync(await readFile(file('august.jsonl.gz')))
    .toString()
    .trimEnd()
    .split('\n')
  expect(lines).toHaveLength(5)
  expect(JSON.parse(lines[0] ?? '')).toMatchObject({ format: 'gateway-archive', month: '2026-08' })
  expect(await t.db.all('SELECT command, target, after FROM audit_log WHERE command = ?', ['archive'])).toEqual([
    { command: 'archive', target: 'month 2026-08', after: expect.stringContaining('"file":"august.jsonl.gz"') },
  ])
  // A customer who never had an archived month's requests before still has theirs.
  expect((await t.admin('archive', '2026-07', '--output', 'july')).err).toContain('2026-07 is not invoiced for customer 1')
})

test('a file is checked against its row', async () => {
  await invoice(key.customerId)
  const [, sha256] = /sha256 (\w{64})/.exec((await t.admin('archive', '2026-08', '--output', 'a.jsonl')).out) ?? []
  expect((await t.admin('list-archives')).out).toMatch(new RegExp(`2026-08 +2 +\\$0\\.250000001  a\\.jsonl  ${sha256}`))
  await rename(file('a.jsonl'), file('b.jsonl'))
  expect(await t.admin('archive', '--verify', 'b.jsonl')).toMatchObject({
    code: 0,
    out: expect.stringContaining('b.jsonl is 2026-08 as it was archived'),
  })
  // The same month, well formed, and yet not the same.
  await writeFile(
    file('c.jsonl'),
    (await readFile(file('b.jsonl'), 'utf8')).replace(/^.*\n/, (head) => head.replace('Z"', '1Z"')),
  )
  expect((await t.admin('archive', '--verify', 'c.jsonl')).err).toContain('is damaged: its checksum')
  await appendFile(file('b.jsonl'), '\n')
  expect(await t.admin('archive', '--verify', 'b.jsonl')).toMatchObject({ code: 1, err: expect.stringContaining('is damaged') })
  expect((await t.admin('archive', '--verify', 'nowhere')).err).toContain('there is no file')
  expect((await t.admin('archive', '--verify', 'a', '--output', 'b')).code).toBe(2)
  expect((await t.admin('archive', '2026-08')).code).toBe(2)
})

test('a month that is not over, not invoiced, in flight or empty is refused, and nothing is written', async () => {
  const refused = async (month: string, why: string) => {
    const before = await t.dump()
    expect(await t.admin('archive', month, '--output', 'x')).toMatchObject({ code: 1, out: '', err: expect.stringContaining(why) })
    expect(await t.dump()).toBe(before)
    await expect(readFile(file('x'))).rejects.toThrow('ENOENT')
  }
  await refused(new Date().toISOString().slice(0, 7), 'is not over')
  await refused('2026-08', '2026-08 is not invoiced for customer 1: ')
  await refused('2026-06', '2026-06 has no requests')
  await invoice(key.customerId)
  await t.db.all("UPDATE usage_daily SET cost_nano = cost_nano + 1 WHERE day = unixepoch('2026-08-01') / 86400")
  await refused('2026-08', 'the rows and the daily sums of 2026-08 differ')
  await t.db.all("UPDATE usage_daily SET cost_nano = cost_nano - 1 WHERE day = unixepoch('2026-08-01') / 86400")
  await begin(t, key, { atMs: at('2026-08-31T23:59:59') })
  await refused('2026-08', '1 request of 2026-08 or before is still in flight')
  expect(await t.admin('archive', '2026-13', '--output', 'x')).toMatchObject({ code: 2, err: expect.stringContaining('YYYY-MM') })
})

test('an archive that was broken off goes on where it stopped, with its own file only', async () => {
  // 1,200 requests more, as one day's, each of two milliseconds.
  await t.db.batch([
    {
      sql: `WITH RECURSIVE n (i) AS (VALUES (1) UNION ALL SELECT i + 1 FROM n WHERE i < 1200)
        INSERT INTO usage (customer_id, id, key_id, price_id, model, dialect, upstream, outcome, estimated, hold_nano, cost_nano, over_nano, input_tokens, cached_tokens, output_tokens, gpu_ms, input_bound, output_limit, created_ms, settled_ms)
        SELECT 1, '019905bf-7800-7000-8000-' || printf('%012d', i), 1, 1, 'many', 'd', 'ollama', 'completed', 0, 2, 2, 0, 0, 0, 0, 2, 0, 0, unixepoch('2026-08-10') * 1000, 0 FROM n`,
      params: [],
    },
    {
      sql: `INSERT INTO usage_daily (customer_id, day, model, key_id, outcome, requests, input_tokens, cached_tokens, output_tokens, gpu_ms, cost_nano)
        VALUES (1, unixepoch('2026-08-10') / 86400, 'many', 1, 'completed', 1200, 0, 0, 0, 2400, 2400)`,
      params: [],
    },
    { sql: "UPDATE spend SET spent_nano = spent_nano + 2400 WHERE period = unixepoch('2026-08-01') / 86400", params: [] },
  ])
  await invoice(key.customerId)
  expect((await t.admin('verify-ledger')).code).toBe(0)
  await t.db.all(
    `CREATE TRIGGER stop BEFORE DELETE ON usage WHEN OLD.id = '019905bf-7800-7000-8000-000000000900' BEGIN SELECT RAISE(ABORT, 'the power went'); END`,
  )
  expect(await t.admin('archive', '2026-08', '--output', 'a.jsonl')).toMatchObject({
    code: 1,
    err: expect.stringContaining('the power went'),
  })
  const left = async () => Number((await t.db.all("SELECT count(*) AS n FROM usage WHERE model = 'many'"))[0]?.n)
  expect(await left()).toBeGreaterThan(0)
  expect(await left()).toBeLessThan(1200)
  await t.db.all('DROP TRIGGER stop')
  // Half of it gone: the sums are all there, and so the ledger agrees.
  expect((await t.admin('verify-ledger')).out).toContain('The ledger agrees.')
  await copyFile(file('a.jsonl'), file('b.jsonl'))
  await appendFile(file('b.jsonl'), '{}\n')
  expect((await t.admin('archive', '2026-08', '--output', 'b.jsonl')).err).toContain('is damaged')
  expect((await t.admin('archive', '2026-08', '--output', 'c.jsonl')).err).toContain('there is no file')
  expect(await left()).toBeGreaterThan(0)
  const again = await t.admin('archive', '2026-08', '--output', 'a.jsonl')
  expect([again.code, again.out]).toEqual([0, expect.stringContaining('rows were still in the database, and are deleted')])
  expect(await months()).toEqual(['2026-07', '2026-09'])
  expect((await t.admin('verify-ledger')).code).toBe(0)
})

test('what an archive holds is proved against the daily sums', async () => {
  await invoice(key.customerId)
  await t.admin('archive', '2026-08', '--output', 'a.jsonl')
  await t.db.all("UPDATE usage_daily SET cost_nano = cost_nano + 1 WHERE day = unixepoch('2026-08-01') / 86400")
  const { code, out } = await t.admin('verify-ledger')
  expect(code).toBe(1)
  expect(out).toContain('day 2026-08-01, model archived, key_id null, outcome null, differs requests or cost_nano')
})

test('an export says what is not in it any more, and a backup is without it and agrees', async () => {
  await invoice(key.customerId)
  await t.admin('archive', '2026-08', '--output', 'a.jsonl')
  const exported = (...args: string[]) => t.admin('export-usage', '1', ...args)
  expect((await exported()).err).toBe('note: not among them: 2026-08 is archived in a.jsonl\n')
  expect((await exported('--start-date', '2026-09-01')).err).toBe('')
  expect((await exported('--end-date', '2026-07-31')).err).toBe('')
  expect((await exported('--output', 'x.csv', '--json')).json()).toMatchObject({
    rows: 2,
    archived: [{ month: '2026-08', file: 'a.jsonl' }],
  })
  await t.admin('backup', '--output', 'all')
  const other = await testDatabase()
  const restored = await other.admin('restore', file('all'), '--json')
  expect([restored.code, restored.json()]).toMatchObject([0, { ok: true, tables: { usage: 2, archives: 1 } }])
  await other.close()
})

test('rows are deleted along the key', async () => {
  const plan = await t.db.all(
    'EXPLAIN QUERY PLAN DELETE FROM usage WHERE (customer_id, id) IN (SELECT value ->> 0, value ->> 1 FROM json_each(?1)) RETURNING id',
    ['[]'],
  )
  expect(JSON.stringify(plan)).toContain('SEARCH usage USING PRIMARY KEY (customer_id=? AND id=?)')
})

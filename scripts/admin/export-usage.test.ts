import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { makeCustomer, makeKey, priceAll, request, type TestDatabase, type TestKey, testDatabase } from './testing.ts'

let t: TestDatabase
let key: TestKey
const at = (time: string) => Date.parse(`${time}Z`)

beforeAll(async () => {
  t = await testDatabase()
  await priceAll(t)
  key = await makeKey(t, await makeCustomer(t), '--name', '=HYPERLINK("http://x","y")')
  await request(t, key, { atMs: at('2026-02-28T23:59:59.999'), model: 'before:1' })
  await request(t, key, {
    atMs: at('2026-03-01T00:00:00.000'),
    model: 'first:1',
    cost: '0.000000001',
    used: { input: 10, cached: 4, cacheWrite: 3, cacheWriteLong: 1, output: 2, reasoning: 1, gpuMs: 1500 },
  })
  await request(t, key, { atMs: at('2026-03-31T23:59:59.999'), model: 'last:1', outcome: 'abandoned' })
  await request(t, key, { atMs: at('2026-04-01T00:00:00.000'), model: 'after:1' })
})
afterAll(() => t.close())

const march = ['--start-date', '2026-03-01', '--end-date', '2026-03-31']
const exported = (...args: string[]) => t.admin('export-usage', String(key.customerId), ...args)

test('CSV has a line for each request, exact money and ISO times', async () => {
  const { code, out } = await exported(...march)
  expect(code).toBe(0)
  const [head, first, last, end] = out.split('\r\n')
  expect(head).toBe(
    'id,created_at,settled_at,customer_id,key_id,key_name,model,dialect,upstream,outcome,estimated,input_tokens,cached_tokens,cache_write_tokens,cache_write_long_tokens,output_tokens,reasoning_tokens,gpu_ms,first_token_ms,cost_usd,late_usd,over_usd,held_usd',
  )
  expect(first).toMatch(/^[0-9a-f-]{36},2026-03-01T00:00:00\.000Z,[^,]*Z,/)
  expect(first).toMatch(
    /,"'=HYPERLINK\(""http:\/\/x"",""y""\)",first:1,ollama-chat,ollama,completed,false,10,4,3,1,2,1,1500,5,0\.000000001,0,0,1$/,
  )
  expect(last).toContain(',last:1,ollama-chat,ollama,abandoned,')
  expect(end).toBe('')
})

test('a range is exact at both ends, and open where it is not given', async () => {
  const models = async (...args: string[]) => (await exported(...args, '--json')).json<{ model: string }[]>().map(({ model }) => model)
  expect(await models(...march)).toEqual(['first:1', 'last:1'])
  expect(await models('--start-date', '2026-03-31')).toEqual(['last:1', 'after:1'])
  expect(await models('--end-date', '2026-02-28')).toEqual(['before:1'])
  expect(await models()).toEqual(['before:1', 'first:1', 'last:1', 'after:1'])
})

test('a request whose id is older than its admission is in the range of its admission', async () => {
  const slow = await makeKey(t, await makeCustomer(t))
  const id = await request(t, slow, { atMs: at('2026-02-28T23:30:00') })
  // Its body took half an hour to come in.
  const copy = await t.db.all('SELECT * FROM usage WHERE id = ?', [id])
  const row = { ...copy[0], id: `${id.slice(0, -1)}x`, created_ms: at('2026-03-01T00:00:00') }
  await t.db.all(`INSERT INTO usage VALUES (${Object.keys(row).map(() => '?')})`, Object.values(row))
  const ids = (await t.admin('export-usage', String(slow.customerId), ...march, '--json')).json<{ id: string }[]>()
  expect(ids.map((one) => one.id)).toEqual([row.id])
})

test('JSON lines are one object a line', async () => {
  const { out } = await exported('--format', 'json', ...march)
  const lines = out.trimEnd().split('\n')
  expect(lines.map((line) => JSON.parse(line))).toMatchObject([
    { key_id: key.id, model: 'first:1', estimated: false, cost_usd: '0.000000001', gpu_ms: 1500, created_at: '2026-03-01T00:00:00.000Z' },
    { model: 'last:1', outcome: 'abandoned', cost_usd: '0.001' },
  ])
})

test('--json is one value, whatever it holds', async () => {
  expect((await exported('--json')).json<object[]>()).toHaveLength(4)
  expect((await exported('--json', '--start-date', '2027-01-01')).json()).toEqual([])
  expect((await exported('--json', '--output', 'all.csv')).json()).toEqual({ rows: 4, file: 'all.csv', archived: [] })
})

test('without a customer it is all of them, one after the other', async () => {
  const mine = (await exported('--json')).json<{ id: string }[]>()
  const all = (await t.admin('export-usage', '--json')).json<{ id: string; customer_id: number }[]>()
  const customers = all.map(({ customer_id }) => customer_id)
  expect(customers).toEqual([...customers].sort((one, other) => one - other))
  expect(new Set(customers).size).toBeGreaterThan(1)
  expect(all.filter(({ customer_id }) => customer_id === key.customerId).map(({ id }) => id)).toEqual(mine.map(({ id }) => id))
})

test('a file is written whole, where the caller is', async () => {
  const directory = join(t.stateDir, 'reports')
  await mkdir(directory)
  await writeFile(join(directory, 'march.csv'), 'old')
  const { code, out } = await t.adminIn({ directory }, 'export-usage', String(key.customerId), '--output', 'march.csv', ...march)
  expect([code, out]).toEqual([0, '2 requests written to march.csv\n'])
  expect((await readFile(join(directory, 'march.csv'), 'utf8')).split('\r\n')).toHaveLength(4)
  expect(await readdir(directory)).toEqual(['march.csv'])
})

test('a file that cannot be written is named, and one that failed leaves the old one', async () => {
  const { code, err } = await exported('--output', 'no/such/directory.csv')
  expect([code, err]).toEqual([1, 'error: --output: cannot write no/such/directory.csv (ENOENT); choose another file.\n'])
  expect((await exported('--output', '/dev/null')).out).toContain('4 requests written')
})

test('pages follow one another without a gap', async () => {
  const many = await makeKey(t, await makeCustomer(t))
  const id = await request(t, many)
  const columns = (await t.db.all("SELECT name FROM pragma_table_info('usage')")).map(({ name }) => name).filter((name) => name !== 'id')
  await t.db.all(
    `WITH RECURSIVE n (i) AS (VALUES (1) UNION ALL SELECT i + 1 FROM n WHERE i < 2500)
     INSERT INTO usage (id, ${columns}) SELECT printf('0197%04x-0000-7000-8000-000000000000', i), ${columns} FROM usage, n WHERE id = ?`,
    [id],
  )
  const lines = (await t.admin('export-usage', String(many.customerId), '--format', 'json')).out.trimEnd().split('\n')
  expect(new Set(lines.map((line) => JSON.parse(line).id)).size).toBe(2501)
})

test('what was posted after a lease had ended stands beside its request', async () => {
  const late = await makeKey(t, await makeCustomer(t))
  const id = await request(t, late, { cost: '0.5' })
  const insert =
    "INSERT INTO adjustments (customer_id, id, key_id, usage_id, amount_nano, reason, day, created_ms) VALUES (?, 'late:' || ?, ?, ?, 7, 'x', 1, 0)"
  await t.db.all(insert, [late.customerId, id, late.id, id])
  const rows = (await t.admin('export-usage', String(late.customerId), '--json')).json()
  expect(rows).toMatchObject([{ cost_usd: '0.5', late_usd: '0.000000007' }])
})

test('a customer without usage has an empty export in every form', async () => {
  const idle = String(await makeCustomer(t))
  const csv = await t.admin('export-usage', idle)
  expect([csv.code, csv.out.split('\r\n').length]).toEqual([0, 2])
  expect(csv.out).toMatch(/^id,created_at,/)
  expect(await t.admin('export-usage', idle, '--format', 'json')).toMatchObject({ code: 0, out: '' })
  expect((await t.admin('export-usage', idle, '--json')).json()).toEqual([])
})

test('arguments that cannot be used are named', async () => {
  const refusals: [string, string[]][] = [
    ["'customer_id'", ['export-usage', 'acme']],
    ['--format', ['export-usage', '1', '--format', 'xml']],
    ['--format', ['export-usage', '1', '--format', 'csv', '--json']],
    ['--start-date', ['export-usage', '1', '--start-date', '2026-02-30']],
    ['--end-date', ['export-usage', '1', '--start-date', '2026-03-02', '--end-date', '2026-03-01']],
  ]
  for (const [named, args] of refusals) {
    expect(await t.admin(...args)).toMatchObject({ code: 2, out: '', err: expect.stringContaining(named) })
  }
  expect(await t.admin('export-usage', '999')).toMatchObject({ code: 1, out: '', err: expect.stringContaining('no customer 999') })
})

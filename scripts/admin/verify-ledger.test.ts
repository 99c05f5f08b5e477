import { readdir } from 'node:fs/promises'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { begin, makeCustomer, makeKey, priceAll, request, type TestDatabase, type TestKey, testDatabase } from './testing.ts'

let t: TestDatabase
let free: TestKey
let own: TestKey
let ended: string

beforeAll(async () => {
  t = await testDatabase()
  await priceAll(t)
  const customer = await makeCustomer(t, '--budget', '50', '--period', 'week')
  free = await makeKey(t, customer)
  own = await makeKey(t, customer, '--budget', '10', '--period', 'day')
  const lastYear = Date.now() - 365 * 86_400_000
  for (const key of [free, own]) {
    ended = await request(t, key, { cost: '0.000000003' })
    await request(t, key, { outcome: 'failed', cost: '0' })
    await request(t, key, { atMs: lastYear, cost: '0.5' })
    await begin(t, key)
  }
})
afterAll(() => t.close())

interface Verdict {
  ok: boolean
  proofs: { proof: string; checked: number; findings: string[] }[]
}

/** Plants something, verifies, takes it away again and verifies that, too. Returns what was found. */
async function found(proof: string, plant: [string, ...unknown[]], undo: [string, ...unknown[]]): Promise<string[]> {
  await t.db.all(plant[0], plant.slice(1))
  const { code, out } = await t.admin('verify-ledger', '--json')
  await t.db.all(undo[0], undo.slice(1))
  const { ok, proofs } = JSON.parse(out) as Verdict
  expect([code, ok]).toEqual([1, false])
  expect(proofs.filter(({ findings }) => findings.length > 0).map((one) => one.proof)).toEqual([proof])
  expect((await t.admin('verify-ledger')).code).toBe(0)
  return proofs.find((one) => one.proof === proof)?.findings ?? []
}

test('a ledger that the gateway wrote agrees: a line for each proof, with counts', async () => {
  const { code, out } = await t.admin('verify-ledger')
  expect(code).toBe(0)
  const lines = out.trimEnd().split('\n')
  const end = lines.pop()
  expect(lines.every((line) => line.startsWith('ok '))).toBe(true)
  expect(lines.length).toBeGreaterThan(12)
  expect(lines).toContainEqual(expect.stringMatching(/^ok {4}spend is usage and adjustments \(\d+ rows\)$/))
  expect(end).toBe('The ledger agrees.')
})

test('an adjustment belongs to the spend of its customer, and of its key if that has a budget', async () => {
  const insert =
    "INSERT INTO adjustments (customer_id, id, key_id, amount_nano, reason, day, created_ms) VALUES (?, ?, ?, 5, 'x', unixepoch() / 86400, 0)"
  const spend = (owner: string, kind: string) => ({
    sql: `UPDATE spend SET spent_nano = spent_nano + 5 WHERE owner = ? AND period = unixepoch() / 86400${kind === 'week' ? ' - (unixepoch() / 86400 + 3) % 7' : ''}`,
    params: [owner],
  })
  await t.db.batch([
    { sql: insert, params: [own.customerId, 'a', own.id] },
    { sql: insert, params: [own.customerId, 'b', free.id] },
    spend(`c${own.customerId}`, 'week'),
    spend(`c${own.customerId}`, 'week'),
    spend(`k${own.id}`, 'day'),
  ])
  expect((await t.admin('verify-ledger')).code).toBe(0)
})

test('times to the first token that are not those of the requests are found; sums of before they were kept may have none', async () => {
  const change = (by: number): [string, ...unknown[]] => [
    `UPDATE usage_daily SET first_le_50 = first_le_50 - ${by}, first_le_100 = first_le_100 + ${by} WHERE key_id = ? AND outcome = 'completed' AND first_requests > 0`,
    free.id,
  ]
  const findings = await found('the times to the first token are those of usage', change(1), change(-1))
  expect(findings).toEqual(Array(2).fill(expect.stringContaining(`key_id ${free.id}, outcome completed, first_requests 1`)))
  const columns = ['first_requests', 'first_ms_sum', 'first_le_50']
  const oldest = 'day = (SELECT min(day) FROM usage_daily)'
  const kept = await t.db.all(`SELECT DISTINCT ${columns} FROM usage_daily WHERE ${oldest}`)
  await t.db.all(`UPDATE usage_daily SET ${columns.map((name) => `${name} = 0`)} WHERE ${oldest}`)
  expect((await t.admin('verify-ledger')).code).toBe(0)
  await t.db.all(
    `UPDATE usage_daily SET ${columns.map((name) => `${name} = ?`)} WHERE ${oldest}`,
    columns.map((name) => kept[0]?.[name]),
  )
})

test('spend that is not what was used is found, for customers and keys', async () => {
  const change = (by: number, owner: string): [string, ...unknown[]] => [
    `UPDATE spend SET spent_nano = spent_nano + ${by} WHERE owner = ? AND period = (SELECT min(period) FROM spend WHERE owner = ?)`,
    owner,
    owner,
  ]
  const customer = await found('spend is usage and adjustments', change(1, `c${own.customerId}`), change(-1, `c${own.customerId}`))
  expect(customer).toEqual([expect.stringMatching(/^owner c1, period \d{4}-\d\d-\d\d, due \$1, spent \$1\.000000001$/)])
  const key = await found('spend is usage and adjustments', change(-2, `k${own.id}`), change(2, `k${own.id}`))
  expect(key).toEqual([expect.stringMatching(/^owner k2, period .*, due \$0\.5, spent \$0\.499999998$/)])
})

test('spend that is missing, or of a period that is none, is found', async () => {
  const [row] = await t.db.all('SELECT period, spent_nano FROM spend WHERE owner = ? ORDER BY period', [`k${own.id}`])
  const put: [string, ...unknown[]] = ['INSERT INTO spend VALUES (?, ?, ?)', `k${own.id}`, row?.period, row?.spent_nano]
  const drop: [string, ...unknown[]] = ['DELETE FROM spend WHERE owner = ? AND period = ?', `k${own.id}`, row?.period]
  expect(await found('spend is usage and adjustments', drop, put)).toEqual([expect.stringMatching(/^owner k2, .*, due \$0\.5, spent \$0$/)])
  const stray = await found(
    'spend is usage and adjustments',
    ["INSERT INTO spend VALUES ('c1', 1, 1)"],
    ["DELETE FROM spend WHERE owner = 'c1' AND period = 1"],
  )
  expect(stray).toEqual(['owner c1, period 1970-01-02, due $0, spent $0.000000001'])
})

test('spend of a key without a budget, or of nobody, is found', async () => {
  for (const owner of [`k${free.id}`, 'c99', `p${own.customerId}`]) {
    const findings = await found(
      'spend belongs to customers, to prepaid ones as a balance, and to keys with a budget of their own',
      ['INSERT INTO spend VALUES (?, 0, 0)', owner],
      ['DELETE FROM spend WHERE owner = ?', owner],
    )
    expect(findings).toEqual([`owner ${owner}, period total, spent $0`])
  }
})

test('a balance that is not what was paid less what was used is found', async () => {
  const customer = await makeCustomer(t, '--prepaid')
  await t.admin('pay', String(customer), '3', '--reference', 'transfer')
  const change = (by: number): [string, ...unknown[]] => [
    `UPDATE spend SET spent_nano = spent_nano + ${by} WHERE owner = ?`,
    `p${customer}`,
  ]
  expect(await found('what prepaid customers have left is what they paid less what they used', change(-1), change(1))).toEqual([
    `customer_id ${customer}, used_less_paid -$3, spent -$3.000000001`,
  ])
})

test('daily sums that are not those of the requests are found', async () => {
  const change = (by: number): [string, ...unknown[]] => [
    `UPDATE usage_daily SET requests = requests + ${by}, gpu_ms = gpu_ms - ${by} WHERE key_id = ? AND outcome = 'failed'`,
    free.id,
  ]
  expect(await found('daily sums are the sums of usage', change(1), change(-1))).toEqual([
    expect.stringMatching(
      /^customer_id 1, day \d{4}-\d\d-\d\d, model m:latest, key_id 1, outcome failed, differs requests gpu_ms, cost \$0, summed \$0$/,
    ),
  ])
  const stray: [string, ...unknown[]] = [
    `INSERT INTO usage_daily (customer_id, day, model, key_id, outcome, requests, input_tokens, cached_tokens, output_tokens, gpu_ms, cost_nano) VALUES (1, 5, 'x', 1, 'expired', 0, 7, 0, 0, 0, 0)`,
  ]
  expect(await found('daily sums are the sums of usage', stray, ["DELETE FROM usage_daily WHERE model = 'x'"])).toEqual([
    expect.stringContaining('day 1970-01-06, model x, key_id 1, outcome expired, differs input_tokens'),
  ])
})

test('a request that is in flight and ended at once is found', async () => {
  const columns =
    'customer_id, id, key_id, price_id, model, dialect, upstream, hold_nano, input_bound, output_limit, created_ms, expires_ms'
  const select =
    'customer_id, id, key_id, price_id, model, dialect, upstream, hold_nano, 0, 0, created_ms, 9000000000000 FROM usage WHERE id = ?'
  const findings = await found(
    'no request is both running and ended',
    [`INSERT INTO holds (${columns}) SELECT ${select}`, ended],
    ['DELETE FROM holds WHERE id = ?', ended],
  )
  expect(findings).toEqual([`customer_id 1, id ${ended}`])
})

test('a hold that was not swept is found after five minutes, not before', async () => {
  const columns =
    'customer_id, id, key_id, price_id, model, dialect, upstream, hold_nano, input_bound, output_limit, created_ms, expires_ms'
  const hold = (secondsAgo: number) =>
    `INSERT INTO holds (${columns}) SELECT customer_id, 'stale', key_id, price_id, model, dialect, upstream, 0, 0, 0, created_ms, (unixepoch() - ${secondsAgo}) * 1000 FROM usage WHERE id = ?`
  const undo: [string] = ["DELETE FROM holds WHERE id = 'stale'"]
  await t.db.all(hold(290), [ended])
  expect((await t.admin('verify-ledger')).code).toBe(0)
  await t.db.all(...undo)
  expect(await found('no hold is long past its lease', [hold(310), ended], undo)).toEqual([
    expect.stringMatching(/^customer_id 1, id stale, expires_ms 20.*Z$/),
  ])
})

test('a trigger that a rebuilt table has lost is found', async () => {
  const create = "CREATE TRIGGER usage_kept BEFORE DELETE ON usage BEGIN SELECT RAISE(ABORT, 'usage rows are kept'); END"
  expect(await found('what is posted cannot be changed', ['DROP TRIGGER usage_kept'], [create])).toEqual([
    'table usage, trigger usage_kept, fault missing',
  ])
  const idle = 'CREATE TRIGGER usage_kept BEFORE DELETE ON usage BEGIN SELECT 1; END'
  await t.db.batch(['DROP TRIGGER usage_kept', idle].map((sql) => ({ sql, params: [] })))
  const { out } = await t.admin('verify-ledger')
  await t.db.batch(['DROP TRIGGER usage_kept', create].map((sql) => ({ sql, params: [] })))
  expect(out).toContain('table usage, trigger usage_kept, fault forbids nothing')
  const stray = 'CREATE TRIGGER stray AFTER INSERT ON usage BEGIN DELETE FROM spend; END'
  expect(await found('what is posted cannot be changed', [stray], ['DROP TRIGGER stray'])).toEqual([
    'table usage, trigger stray, fault not of the migrations',
  ])
})

test('a price that is gone is found', async () => {
  // Foreign keys are on in D1, so only someone with the file in hand can do that.
  const directory = join(t.stateDir, 'v3', 'd1', 'miniflare-D1DatabaseObject')
  const name = (await readdir(directory)).find((file) => /^[0-9a-f]{64}\.sqlite$/.test(file)) ?? ''
  const file = new DatabaseSync(join(directory, name), { enableForeignKeyConstraints: false })
  const trigger = (file.prepare("SELECT sql FROM sqlite_master WHERE name = 'prices_kept'").get() as { sql: string }).sql
  file.exec('DROP TRIGGER prices_kept; CREATE TEMP TABLE kept AS SELECT * FROM prices; DELETE FROM prices')
  const { code, out } = await t.admin('verify-ledger')
  file.exec(`INSERT INTO prices SELECT * FROM kept; ${trigger}`)
  file.close()
  expect(code).toBe(1)
  expect(out).toContain(`customer_id 1, id ${ended}, price_id 1`)
  expect(out).toContain('trigger prices_kept, fault missing')
  expect((await t.admin('verify-ledger')).code).toBe(0)
})

/** A usage row like one that ended well, but for what is said. */
function strayUsage(change: Record<string, string | number>): [string, ...unknown[]] {
  const columns = `customer_id, id, key_id, price_id, model, dialect, upstream, outcome, estimated, hold_nano, cost_nano, over_nano, input_tokens, cached_tokens,
    output_tokens, gpu_ms, input_bound, output_limit, first_ms, created_ms, settled_ms, cache_write_tokens, cache_write_long_tokens, reasoning_tokens`
  const select = columns.replace(/\w+/g, (name) => (name in change ? `'${change[name]}'` : name))
  return [`INSERT INTO usage (${columns}) SELECT ${select} FROM usage WHERE id = ?`, ended]
}

/** Plants usage rows, for good: they are kept. */
async function foundUsage(...changes: Record<string, string | number>[]): Promise<string> {
  for (const change of changes) await t.db.all(...(([sql, ...params]) => [sql, params] as const)(strayUsage(change)))
  return (await t.admin('verify-ledger', '--no-record')).out
}

test('what was found is kept, but for --no-record, cut to 100 rows', async () => {
  const rows = () => t.db.all('SELECT ok, findings, report FROM verifications ORDER BY id DESC')
  const before = (await rows()).length
  await t.admin('verify-ledger', '--no-record')
  expect(await rows()).toHaveLength(before)
  await t.admin('verify-ledger')
  expect(await rows()).toHaveLength(before + 1)
  expect((await rows())[0]).toMatchObject({ ok: 1, findings: 0, report: '[]' })
  await t.db.all(
    "WITH RECURSIVE n(i) AS (SELECT 1000 UNION ALL SELECT i + 1 FROM n WHERE i < 1149) INSERT INTO spend SELECT 'c' || i, 0, 0 FROM n",
  )
  expect((await t.admin('verify-ledger')).code).toBe(1)
  await t.db.all("DELETE FROM spend WHERE owner LIKE 'c1___'")
  const [last] = await rows()
  expect(last).toMatchObject({ ok: 0, findings: 150 })
  const [report] = JSON.parse(String(last?.report))
  expect([report.findings, report.rows.length, report.rows[0]]).toEqual([150, 100, expect.objectContaining({ spent_nano: 0 })])
})

test('a column that is missing, or another, is found', async () => {
  const findings = await found(
    'every table has the columns that the migrations gave it',
    ['ALTER TABLE alerts RENAME COLUMN gave_up_ms TO given_up_ms'],
    ['ALTER TABLE alerts RENAME COLUMN given_up_ms TO gave_up_ms'],
  )
  expect(findings).toEqual([
    'table alerts, column gave_up_ms, due INTEGER, found null',
    'table alerts, column given_up_ms, due null, found INTEGER',
  ])
})

test('a late end of a request that did not expire is found', async () => {
  const insert = "INSERT INTO adjustments VALUES (?, 'late:' || ?, ?, ?, 5, 'x', unixepoch() / 86400, 0)"
  await t.db.all(insert, [own.customerId, ended, own.id, ended])
  const { out } = await t.admin('verify-ledger', '--no-record')
  expect(out).toContain(`customer_id ${own.customerId}, id late:${ended}, amount $0.000000005, outcome completed`)
})

test('a cost that its price does not make, that is cut below its hold, or that stands twice, is found', async () => {
  const other = await makeCustomer(t)
  // 3 ms of GPU at a nano-dollar a millisecond: $0.000000003, at a hold of $1
  const out = await foundUsage(
    { id: 'dear', cost_nano: 4 },
    { id: 'cut', cost_nano: 1, over_nano: 2 },
    { id: 'lapsed', outcome: 'expired', cost_nano: 2 },
    { id: 'free', outcome: 'failed', cost_nano: 0, input_tokens: 0, output_tokens: 0, gpu_ms: 0 },
    { customer_id: other },
  )
  const part = (proof: string) => out.split(`WRONG ${proof}`)[1]?.split(/\n(?=ok|WRONG|The)/)[0] ?? ''
  expect(part('each cost is what its price makes of its counts').split('\n').slice(1)).toEqual([
    '      customer_id 1, id dear, price_id 1, cost $0.000000004, over $0, due $0.000000003',
  ])
  expect(part('each cost of an expired request')).toContain(
    'id lapsed, price_id 1, cost $0.000000002, over $0, least $0.000000003, most $0.000000003',
  )
  expect(part('nothing is left uncharged')).toContain('id cut, hold $1, cost $0.000000001, over $0.000000002')
  expect(part('no request stands twice')).toContain(`id ${ended}, times 2, customer_id 1, other_customer_id ${other}`)
})

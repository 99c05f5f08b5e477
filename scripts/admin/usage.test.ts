import { afterAll, beforeAll, expect, test } from 'vitest'
import { begin, makeCustomer, makeKey, priceAll, request, type TestDatabase, type TestKey, testDatabase, usd } from './testing.ts'

let t: TestDatabase
let key: TestKey
let other: TestKey
const noon = (date: string) => Date.parse(`${date}T12:00:00Z`)

beforeAll(async () => {
  t = await testDatabase()
  await priceAll(t)
  key = await makeKey(t, await makeCustomer(t), '--name', 'laptop')
  other = await makeKey(t, await makeCustomer(t), '--name', 'ci')
  await request(t, key, { atMs: noon('2026-03-01'), model: 'a:latest', cost: '0.1', used: { input: 1000, cached: 400, output: 50 } })
  await request(t, key, { atMs: noon('2026-03-02'), model: 'a:latest', cost: '0.2', used: { input: 2000, output: 60 } })
  await request(t, key, { atMs: noon('2026-03-31'), model: 'b:latest', cost: '0.000000001', outcome: 'abandoned' })
  await request(t, other, { atMs: noon('2026-03-02'), model: 'a:latest', cost: '0.4' })
  await request(t, key, { atMs: noon('2026-04-01'), model: 'a:latest', cost: '0.9' })
})
afterAll(() => t.close())

/** Every request of the tests had its first token after 5 ms. */
const FIRST = { first_token_ms_average: 5, first_token_p95_ms_at_most: 50 }

interface Report {
  rows: Record<string, unknown>[]
  totals: Record<string, unknown>
}

const report = async (...args: string[]) => (await t.admin('usage-report', ...args, '--json')).json<Report>()
const march = ['--start-date', '2026-03-01', '--end-date', '2026-03-31']

async function refused(named: string, ...args: string[]): Promise<void> {
  const before = await t.dump()
  const { code, out, err } = await t.admin(...args)
  expect([code, out], err).toEqual([2, ''])
  expect(err).toContain(named)
  expect(await t.dump()).toBe(before)
}

test('usage is reported by model, with exact totals', async () => {
  expect(await report(String(key.customerId), ...march)).toEqual({
    start_date: '2026-03-01',
    end_date: '2026-03-31',
    customer_id: key.customerId,
    by: 'model',
    rows: [
      {
        customer_id: key.customerId,
        customer_name: 'ACME',
        model: 'a:latest',
        requests: 2,
        input_tokens: 3000,
        cached_tokens: 400,
        cache_write_tokens: 0,
        cache_write_long_tokens: 0,
        output_tokens: 110,
        reasoning_tokens: 0,
        cost_usd: '0.3',
        ...FIRST,
      },
      {
        customer_id: key.customerId,
        customer_name: 'ACME',
        model: 'b:latest',
        requests: 1,
        input_tokens: 10,
        cached_tokens: 0,
        cache_write_tokens: 0,
        cache_write_long_tokens: 0,
        output_tokens: 5,
        reasoning_tokens: 0,
        cost_usd: '0.000000001',
        ...FIRST,
      },
    ],
    totals: {
      requests: 3,
      input_tokens: 3010,
      cached_tokens: 400,
      cache_write_tokens: 0,
      cache_write_long_tokens: 0,
      output_tokens: 115,
      reasoning_tokens: 0,
      cost_usd: '0.300000001',
      ...FIRST,
      adjustments_usd: '0',
      billed_usd: '0.300000001',
    },
  })
})

test('the last day is included, and a day is a day in UTC', async () => {
  const days = await report(String(key.customerId), '--by', 'day', '--start-date', '2026-03-02', '--end-date', '2026-03-31')
  expect(days.rows.map((row) => [row.day, row.cost_usd])).toEqual([
    ['2026-03-02', '0.2'],
    ['2026-03-31', '0.000000001'],
  ])
})

test('usage is reported by key and by outcome', async () => {
  const keys = await report(...march, '--by', 'key')
  expect(keys.rows).toMatchObject([
    { customer_id: key.customerId, key_id: key.id, key_name: 'laptop', key_prefix: key.key.slice(0, 9), requests: 3 },
    { customer_id: other.customerId, key_id: other.id, key_name: 'ci', requests: 1, cost_usd: '0.4' },
  ])
  const outcomes = await report(String(key.customerId), ...march, '--by', 'outcome')
  expect(outcomes.rows.map((row) => [row.outcome, row.requests])).toEqual([
    ['abandoned', 1],
    ['completed', 2],
  ])
})

test('without an id it is everyone, for people in one table', async () => {
  const { out } = await t.admin('usage-report', ...march)
  expect(out.split('\n')).toEqual([
    '2026-03-01 to 2026-03-31 (UTC)',
    'customer  model     requests  input  cached  output  first token       p95          cost  by day',
    `ACME (${key.customerId})  a:latest         2  3,000     400     110      0.005 s  ≤ 0.05 s          $0.3`,
    `ACME (${key.customerId})  b:latest         1     10       0       5      0.005 s  ≤ 0.05 s  $0.000000001`,
    `ACME (${other.customerId})  a:latest         1     10       0       5      0.005 s  ≤ 0.05 s          $0.4`,
    // A day a character: $0.1, $0.6, and a nano-dollar on the 31st.
    `          total            4  3,020     400     120      0.005 s  ≤ 0.05 s  $0.700000001  ▂█${' '.repeat(28)}▁`,
    '',
  ])
})

test('what only vendors tell has its columns where there is some, and its fields always', async () => {
  const paid = await makeKey(t, await makeCustomer(t))
  const used = { input: 5000, cached: 1000, cacheWrite: 2000, cacheWriteLong: 500, output: 700, reasoning: 600 }
  await request(t, paid, { atMs: noon('2026-05-01'), cost: '0.1', used })
  await request(t, paid, { atMs: noon('2026-05-02'), cost: '0.2', used: { input: 100, output: 50 } })
  const may = [String(paid.customerId), '--start-date', '2026-05-01', '--end-date', '2026-05-31', '--by', 'day']
  expect((await t.admin('usage-report', ...may)).out.split('\n').slice(1)).toEqual([
    'day         requests  input  cached  cache writes  output  reasoning  first token       p95  cost',
    '2026-05-01         1  5,000   1,000         2,500     700        600      0.005 s  ≤ 0.05 s  $0.1  ██████████',
    '2026-05-02         1    100       0             0      50          0      0.005 s  ≤ 0.05 s  $0.2  ████████████████████',
    'total              2  5,100   1,000         2,500     750        600      0.005 s  ≤ 0.05 s  $0.3',
    '',
  ])
  const counts = { cached_tokens: 1000, cache_write_tokens: 2000, cache_write_long_tokens: 500, reasoning_tokens: 600 }
  const { rows, totals } = await report(...may)
  expect([rows[0], totals]).toMatchObject([counts, counts])
})

test('CSV has a row for each line, safe to open, and no picture', async () => {
  const named = await makeKey(t, await makeCustomer(t), '--name', '=1+1')
  await request(t, named, { atMs: noon('2026-06-01'), cost: '0.1' })
  const csv = async (...args: string[]) =>
    (await t.admin('usage-report', String(named.customerId), '--csv', ...args, '--start-date', '2026-06-01', '--end-date', '2026-06-30'))
      .out
  const counts = 'requests,input_tokens,cached_tokens,cache_write_tokens,cache_write_long_tokens,output_tokens,reasoning_tokens'
  const figures = `${counts},cost_usd,first_token_ms_average,first_token_p95_ms_at_most`
  expect((await csv('--by', 'key')).split('\r\n')).toEqual([
    `customer_id,customer_name,key_id,key_prefix,key_name,${figures}`,
    `${named.customerId},ACME,${named.id},${named.key.slice(0, 9)},'=1+1,1,10,0,0,0,5,0,0.1,5,50`,
    '',
  ])
  expect(await csv('--by', 'day')).toContain(`\r\n${named.customerId},ACME,2026-06-01,1,`)
  await refused('--csv', 'usage-report', '--csv', '--json')
})

test('sums of before the time to the first token was kept show none; very long ones have no bound', async () => {
  const old = await makeKey(t, await makeCustomer(t))
  await request(t, old, { atMs: noon('2026-07-01'), cost: '0.1', model: 'old:1' })
  await request(t, old, { atMs: noon('2026-07-01'), cost: '0.1', model: 'slow:1' })
  const change = (sets: string, model: string) => t.db.all(`UPDATE usage_daily SET ${sets} WHERE model = ?`, [model])
  await change('first_requests = 0, first_ms_sum = 0, first_le_50 = 0', 'old:1')
  const july = [String(old.customerId), '--start-date', '2026-07-01', '--end-date', '2026-07-31']
  await change('first_ms_sum = 60000, first_le_50 = 0', 'slow:1')
  const { out } = await t.admin('usage-report', ...july)
  expect(out).toMatch(/old:1 .* {2}- {2,}- {2}\$0\.1\n/)
  expect(out).toMatch(/slow:1 .* {2}60 s {2}> 51\.2 s {2}\$0\.1\n/)
  const { rows } = await report(...july)
  expect(rows).toMatchObject([
    { first_token_ms_average: null, first_token_p95_ms_at_most: null },
    { first_token_ms_average: 60_000, first_token_p95_ms_at_most: null },
  ])
  await change('first_requests = 1, first_ms_sum = 5, first_le_50 = 1', 'old:1')
  await change('first_ms_sum = 5, first_le_50 = 1', 'slow:1')
})

test('adjustments are told apart from usage, and billed with it', async () => {
  const customer = await makeCustomer(t)
  const day = noon('2026-03-02') / 86_400_000
  const insert = `INSERT INTO adjustments (customer_id, id, amount_nano, reason, day, created_ms) VALUES (?, 'credit', ?, 'refund', CAST(? AS INTEGER), 0)`
  await t.db.batch([
    { sql: insert, params: [customer, -usd('0.25'), Math.floor(day)] },
    { sql: "INSERT INTO spend VALUES ('c' || CAST(? AS INTEGER), unixepoch('2026-03-01') / 86400, ?)", params: [customer, -usd('0.25')] },
  ])
  expect((await report(String(customer), ...march)).totals).toMatchObject({ cost_usd: '0', adjustments_usd: '-0.25', billed_usd: '-0.25' })
  expect((await t.admin('usage-report', String(customer), ...march)).out).toContain('Adjustments: -$0.25. Billed: -$0.25.')
})

test('the current month is the default, and an end alone means its month', async () => {
  const today = new Date().toISOString().slice(0, 10)
  expect(await report()).toMatchObject({ start_date: `${today.slice(0, 8)}01`, end_date: today, by: 'model' })
  expect(await report('--end-date', '2026-03-15')).toMatchObject({ start_date: '2026-03-01', end_date: '2026-03-15' })
})

test('sums past what a number holds stay exact', async () => {
  const customer = await makeCustomer(t)
  const insert = `INSERT INTO usage_daily (customer_id, day, model, key_id, outcome, requests, input_tokens, cached_tokens, output_tokens, gpu_ms, cost_nano) VALUES (?, 20000, ?, 1, 'completed', 1, 0, 0, 0, 0, 9000000000000000)`
  await t.db.batch(['x', 'y', 'z'].map((model) => ({ sql: insert, params: [customer, model] })))
  await t.db.all('UPDATE usage_daily SET cost_nano = 8999999999999999 WHERE model = ?', ['z'])
  // 2 × $9,000,000 + $8,999,999.999999999
  const far = await report(String(customer), '--start-date', '2024-10-01', '--end-date', '2024-10-31')
  expect(far.totals.cost_usd).toBe('26999999.999999999')
  await t.db.all('DELETE FROM usage_daily WHERE customer_id = ?', [customer])
})

test('a customer without usage has an empty report in every form, and so has a range without any', async () => {
  const idle = String(await makeCustomer(t))
  for (const range of [
    [idle, ...march],
    [String(key.customerId), '--start-date', '2001-01-01', '--end-date', '2001-01-31'],
  ]) {
    expect(await report(...range)).toMatchObject({ rows: [], totals: { requests: 0, cost_usd: '0' } })
    const csv = await t.admin('usage-report', ...range, '--csv')
    expect([csv.code, csv.err, csv.out.split('\r\n').length]).toEqual([0, '', 2])
    const text = await t.admin('usage-report', ...range)
    expect([text.code, text.err]).toEqual([0, ''])
    expect(text.out).toMatch(/total|no use|no requests/i)
  }
})

test('a report refuses ranges that cannot be, and customers that are not', async () => {
  await refused('--start-date', 'usage-report', '--start-date', '2026-02-30')
  await refused('--end-date', 'usage-report', '--end-date', '24.11.2026')
  await refused('--end-date is before --start-date', 'usage-report', '--start-date', '2026-03-02', '--end-date', '2026-03-01')
  await refused('--by', 'usage-report', '--by', 'hour')
  await refused("'customer_id'", 'usage-report', '-1')
  expect(await t.admin('usage-report', '999')).toMatchObject({ code: 1, err: expect.stringContaining('no customer 999') })
})

test('a budget is checked with what is spent, what is held and what is left', async () => {
  const customer = await makeCustomer(t, '--budget', '5', '--period', 'day')
  const [open, own] = [await makeKey(t, customer), await makeKey(t, customer, '--budget', '2', '--name', 'small')]
  await request(t, own, { cost: '0.5' })
  await request(t, open, { cost: '0.25' })
  await begin(t, open)
  await begin(t, own)
  const tomorrow = new Date((Math.floor(Date.now() / 86_400_000) + 1) * 86_400_000).toISOString()
  expect((await t.admin('check-budget', String(customer), '--json')).json()).toMatchObject({
    customer_id: customer,
    status: 'active',
    budget_usd: '5',
    period: 'day',
    spent_usd: '0.75',
    held_usd: '2',
    remaining_usd: '2.25',
    renews_at: tomorrow,
    keys: [
      {
        key_id: own.id,
        name: 'small',
        budget_usd: '2',
        period: 'month',
        spent_usd: '0.5',
        held_usd: '1',
        remaining_usd: '0.5',
        binds: 'key',
      },
    ],
  })
  const { out } = await t.admin('check-budget', String(customer))
  expect(out).toContain(`Key ${own.id}: its own budget binds, $0.5 is left.`)
  expect(out).toContain("All other keys: the customer's budget binds, $2.25 is left.")
  // A budget below what is gone already: the customer's binds, and what is left is less than nothing.
  await t.admin('update-customer', String(customer), '--budget', '0.5')
  expect((await t.admin('check-budget', String(customer), '--json')).json()).toMatchObject({
    remaining_usd: '-2.25',
    keys: [{ binds: 'customer' }],
  })
})

test('an unlimited customer has nothing left to run out of', async () => {
  const customer = await makeCustomer(t, '--unlimited', '--period', 'total')
  const budget = (await t.admin('check-budget', String(customer), '--json')).json()
  expect(budget).toMatchObject({ budget_usd: null, remaining_usd: null, renews_at: null, keys: [] })
  expect((await t.admin('check-budget', String(customer))).out).toContain('All keys: no budget limits them.')
  await refused("'customer_id'", 'check-budget')
  await refused("'customer_id'", 'check-budget', 'x')
  expect(await t.admin('check-budget', '999')).toMatchObject({ code: 1, err: expect.stringContaining('no customer 999') })
})

test('the ledger agrees with all that', async () => {
  expect((await t.admin('verify-ledger')).out).toContain('The ledger agrees.')
})

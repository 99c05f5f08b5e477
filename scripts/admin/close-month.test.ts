import { afterAll, beforeAll, expect, test } from 'vitest'
import { begin, makeCustomer, makeKey, priceAll, request, type TestDatabase, testDatabase } from './testing.ts'
import { adjust, invoicing, noon, SETTINGS } from './testing-invoices.ts'

let t: TestDatabase
let billing: Awaited<ReturnType<typeof invoicing>>

beforeAll(async () => {
  t = await testDatabase()
  await priceAll(t)
  billing = await invoicing(t)
})
afterAll(() => t.close())

const count = async (table: string) => (await t.db.all(`SELECT count(*) AS n FROM ${table}`))[0]?.n
const customerWith = async (...costs: [date: string, cost: string][]) => {
  const key = await makeKey(t, await makeCustomer(t))
  for (const [date, cost] of costs) await request(t, key, { atMs: noon(date), cost })
  return key
}
const only = (id: number) => ['--customer', String(id)]

test('what is below a cent is carried from month to month, and the ledger agrees', async () => {
  const { customerId } = await customerWith(['2025-01-01', '0.123456789'], ['2025-01-31', '0.1'], ['2025-02-15', '0.006543212'])
  await adjust(t, customerId, '2025-02-20', '-0.05')
  const [january = ''] = await billing.close('2025-01', ...only(customerId))
  const [february = ''] = await billing.close('2025-02', ...only(customerId))
  // $0.223456789 = 22 cents and $0.003456789; 19% of 22 cents = 4.18 cents.
  expect((await billing.document(january)).sums).toMatchObject({ net: '0.22', remainder: '0.003456789', tax: '0.04', total: '0.26' })
  // $0.006543212 − $0.05 + $0.003456789 = −$0.039999999 = −4 cents and a nano-dollar.
  expect(await billing.document(february)).toMatchObject({
    carried_from: january,
    due: null,
    adjustments: [{ day: '2025-02-20', reason: 'goodwill', request_id: null, amount: '-0.05' }],
    sums: { usage: '0.006543212', carried: '0.003456789', net: '-0.04', remainder: '0.000000001', tax: '-0.01', total: '-0.05' },
  })
  expect((await t.admin('verify-ledger')).out).toMatch(/ok {4}invoices are usage and adjustments of their month \(2 rows\)/)
})

test('lines are by model and price version, with tokens by kind', async () => {
  const key = await customerWith(['2025-03-01', '0.2'])
  await request(t, key, {
    atMs: noon('2025-03-02'),
    model: 'b:latest',
    cost: '0.3',
    used: { input: 1000, cached: 400, output: 50, reasoning: 20 },
  })
  await request(t, key, { atMs: noon('2025-03-03'), model: 'b:latest', cost: '0', outcome: 'failed', used: { input: 0, output: 0 } })
  await t.db.all(
    "INSERT INTO prices (model, input_pico, cached_input_pico, output_pico, valid_from_ms, created_ms) VALUES ('b:latest', 2500000, 250000, 10000000, 0, 0)",
  )
  await request(t, key, { atMs: noon('2025-03-04'), model: 'b:latest', cost: '0.0005' })
  const [number = ''] = await billing.close('2025-03', ...only(key.customerId))
  const { lines } = await billing.document(number)
  expect(lines).toMatchObject([
    {
      model: 'b:latest',
      requests: 2,
      uncharged_requests: 1,
      input_tokens: 600,
      cached_tokens: 400,
      output_tokens: 50,
      reasoning_tokens: 20,
      amount: '0.30',
    },
    {
      model: 'b:latest',
      requests: 1,
      input_tokens: 10,
      output_tokens: 5,
      amount: '0.0005',
      price: { input: '2.5', cached_input: '0.25', output: '10' },
    },
    { model: 'm:latest', requests: 1, amount: '0.20', price: { per_request: '0', input: '0', gpu_second: '0.000001' } },
  ])
  expect(lines[0]?.price?.id).toBe(lines[2]?.price?.id)
})

test.each(['2026-13', '2026-00', '2026-6', '2026-06-01', 'June', ''])('%j is no month, and nothing is written', async (month) => {
  const before = await t.dump()
  expect(await t.admin('close-month', month, '--yes')).toMatchObject({ code: 2, out: '', err: expect.stringContaining('YYYY-MM') })
  expect(await t.dump()).toBe(before)
})

test('a month that is not over is refused', async () => {
  const before = await count('invoices')
  const now = new Date().toISOString().slice(0, 7)
  const { code, err } = await billing.admin('close-month', now, '--yes')
  expect([code, err]).toEqual([
    2,
    expect.stringMatching(/^error: month: .* is not over \(UTC\): it can be closed from \d{4}-\d\d-01 on\.\n$/),
  ])
  expect((await billing.admin('close-month', '9999-01', '--yes')).err).toContain('It has not begun yet')
  expect(await count('invoices')).toBe(before)
})

test('a month with requests in flight is refused, whose they are is said, and other months are not', async () => {
  const key = await customerWith(['2025-04-01', '0.5'], ['2025-05-01', '0.5'])
  await begin(t, key, { atMs: noon('2025-04-30') })
  const before = await t.dump()
  for (const options of [[], only(key.customerId)]) {
    const { code, err } = await billing.admin('close-month', '2025-04', ...options, '--yes')
    expect([code, err]).toEqual([
      1,
      expect.stringContaining(`2025-04 has requests in flight: 1 request of customer ${key.customerId} (ACME)`),
    ])
  }
  expect(await t.dump()).toBe(before)
  expect(await billing.close('2025-05')).toHaveLength(1)
  await t.db.all('DELETE FROM holds')
})

test('a customer without usage gets no invoice, nor one whose requests were free; a second closing writes nothing', async () => {
  const idle = await makeCustomer(t)
  const { customerId: free } = await customerWith(['2025-06-01', '0'])
  const { customerId: small } = await customerWith(['2025-06-01', '0.000000001'])
  const written = await billing.close('2025-06')
  expect(written).toHaveLength(1)
  expect((await billing.document(written[0] ?? '')).sums).toMatchObject({ net: '0.00', remainder: '0.000000001', total: '0.00' })
  const again = await billing.admin('close-month', '2025-06', '--yes')
  expect(again.code).toBe(0)
  expect(again.out).toContain(`Closed already: ACME (${small}) by ${written[0]}.`)
  expect(again.out).toMatch(new RegExp(`Nothing to charge, so no invoice: .*ACME \\(${idle}\\), ACME \\(${free}\\)\\.`))
  expect(again.out).toContain('Nothing to write for 2025-06.')
})

test('numbers are gapless where two close the same months at once, and each customer has one invoice', async () => {
  for (let each = 0; each < 5; each++) await customerWith(['2025-07-01', '0.1'])
  const results = await Promise.all([1, 2, 3].map(() => billing.admin('close-month', '2025-07', '--yes', '--json')))
  // Whoever comes second to a customer says so, and writes no second invoice.
  for (const { code, err } of results.filter(({ code }) => code !== 0)) {
    expect([code, err]).toEqual([1, expect.stringContaining('has been closed in the meantime')])
  }
  const rows = await t.db.all("SELECT customer_id, seq FROM invoices WHERE month = unixepoch('2025-07-01') / 86400 ORDER BY seq")
  expect(new Set(rows.map((row) => row.customer_id)).size).toBe(5)
  const [year] = await t.db.all('SELECT count(*) AS n, max(seq) AS last, count(DISTINCT seq) AS seqs FROM invoices')
  expect([year?.last, year?.seqs]).toEqual([year?.n, year?.n])
  expect(await count("audit_log WHERE command = 'close-month'")).toBe(await count('invoices'))
})

test('requests that do not come to the daily sums are refused with the difference', async () => {
  const { customerId } = await customerWith(['2025-08-01', '0.1'])
  const shift = (by: number) => t.db.all(`UPDATE usage_daily SET cost_nano = cost_nano + ${by} WHERE customer_id = ?`, [customerId])
  await shift(5)
  const { code, err } = await billing.admin('close-month', '2025-08', '--yes')
  expect([code, err]).toEqual([1, expect.stringMatching(/differ by -\$0\.000000005\. Nothing was written: run verify-ledger/)])
  await shift(-5)
  expect(await billing.close('2025-08')).toHaveLength(1)
})

test('an archived month is invoiced by model from the daily sums', async () => {
  const { customerId } = await customerWith(['2025-09-01', '0.1'], ['2025-09-02', '0.2'])
  await t.db.all(
    "INSERT INTO archives VALUES (unixepoch('2025-09-01') / 86400, unixepoch('2025-10-01') / 86400, 2, 300000000, printf('%064d', 0), 'x', 0)",
  )
  await t.db.all('DELETE FROM usage WHERE customer_id = ?', [customerId])
  const [number = ''] = await billing.close('2025-09', ...only(customerId))
  expect((await billing.document(number)).lines).toMatchObject([
    { model: 'm:latest', price: null, requests: 2, input_tokens: 20, amount: '0.30' },
  ])
})

test('who is asked sees what would be written, and a no writes nothing', async () => {
  const { customerId } = await customerWith(['2025-10-01', '1.999999999'])
  const before = await count('invoices')
  const world = { environment: { INVOICE_FILE: billing.file } }
  const no = await t.adminIn({ ...world, answer: false }, 'close-month', '2025-10')
  expect([no.code, no.err]).toEqual([1, 'error: not confirmed: nothing was changed.\n'])
  expect(no.out).toMatch(new RegExp(`to come +ACME \\(${customerId}\\) +1\\.99 +0\\.38 +2\\.37 USD`))
  const nobody = await t.adminIn(world, 'close-month', '2025-10')
  expect([nobody.code, nobody.err]).toEqual([2, expect.stringContaining('--yes is missing')])
  expect(await count('invoices')).toBe(before)
  const yes = await t.adminIn({ ...world, answer: true }, 'close-month', '2025-10')
  expect(yes.out).toMatch(/Written:\nnumber +customer.*\n\d{4}-\d{4} +ACME/)
})

test('without its settings, or with wrong ones, nothing is written and the remedy is said', async () => {
  await customerWith(['2025-11-01', '1'])
  const none = await t.adminIn({ environment: { INVOICE_FILE: `${billing.file}.none` } }, 'close-month', '2025-11', '--yes')
  expect([none.code, none.err]).toEqual([1, expect.stringContaining('copy invoice.example.json')])
  const wrong = await invoicing(t, { ...SETTINGS, tax: { percent: 101 } })
  const ran = await wrong.admin('close-month', '2025-11', '--yes')
  expect([ran.code, ran.err]).toEqual([1, expect.stringContaining('tax.percent: has to be from 0 to 100')])
  billing = await invoicing(t)
})

test('a change of hands between the preview and the writing is not lost', async () => {
  const { customerId } = await customerWith(['2025-12-01', '0.5'])
  const add = () => adjust(t, customerId, '2025-12-31', '0.25')
  // The adjustment arrives after the month was read and before the row is written, once.
  const { batch } = t.db
  let arrived = false
  t.db.batch = async (statements) => {
    if (!arrived && statements.some(({ sql }) => sql.startsWith('INSERT INTO invoices'))) {
      arrived = true
      t.db.batch = batch
      await add()
    }
    return batch(statements)
  }
  const [number = ''] = await billing.close('2025-12', ...only(customerId))
  t.db.batch = batch
  expect(arrived).toBe(true)
  expect((await billing.document(number)).sums).toMatchObject({ usage: '0.50', adjustments: '0.25', net: '0.75' })
  expect(await count("audit_log WHERE command = 'close-month'")).toBe(await count('invoices'))
})

// reconcile on a real database: what agrees, what drifts, and what the drift would have cost.
import { afterEach, beforeEach, expect, test } from 'vitest'
import { makeCustomer, makeKey, type TestDatabase, type TestKey, testDatabase } from './testing.ts'
import { anthropicPage, completions, exportFile, MONTH, messages, openaiPage, sell, use } from './testing-reconcile.ts'

let t: TestDatabase
let key: TestKey
beforeEach(async () => {
  t = await testDatabase()
  key = await makeKey(t, await makeCustomer(t))
})
afterEach(() => t.close())

const reconcile = (vendor: string, files: string[], ...args: string[]) =>
  t.admin('reconcile', '--vendor', vendor, '--month', MONTH, ...files.flatMap((file) => ['--from', file]), ...args)

interface Both {
  ledger: number | null
  vendor: number | null
  drift: number
}
interface Found {
  agrees: boolean
  drift_tokens: number
  vendor_tokens: number
  rows: ({ day: string; model: string; only: string | null; drift_usd: string | null; requests: Both } & Record<`${string}_tokens`, Both>)[]
  totals: { drift_usd: string }
  notes: string[]
}

test('a month that agrees to the token says so, and nothing is written', async () => {
  const price = await sell(t, { model: 'gpt-6-sol', upstream: 'openai' })
  await use(t, key, price, { day: 1, input: 700, cached: 200, write: 60, writeLong: 40, output: 50 })
  await use(t, key, price, { day: 1, input: 100, output: 10 })
  await use(t, key, price, { day: 30, input: 5, output: 1 })
  const details = { input_cached_tokens: 200, input_cache_write_tokens: 100, input_cache_write_12h_tokens: 40, num_model_requests: 2 }
  const file = await exportFile(t, openaiPage({ 1: [completions('gpt-6-sol', 1100, 60, details)], 30: [completions('gpt-6-sol', 5, 1)] }))
  const before = await t.dump()
  const ran = await reconcile('openai', [file])
  expect([ran.code, ran.err, ran.out]).toEqual([
    0,
    '',
    `openai, 2026-06 (UTC)
day         model      requests  input  cached  cache write  long write  output  drift  drift in $
2026-06-01  gpt-6-sol         2    800     200           60          40      60      0          $0
2026-06-30  gpt-6-sol         1      5       0            0           0       1      0          $0
total                         3    805     200           60          40      61      0          $0
The ledger and the vendor agree on every token of the month: 1,166.
`,
  ])
  expect(await t.dump()).toBe(before)
})

test('a drift is shown by kind and priced at what the model is sold at, and ends with exit code 1', async () => {
  const price = await sell(t, { model: 'claude-haiku-5-5', upstream: 'anthropic', write: 1_250_000, writeLong: 2_000_000 })
  await use(t, key, price, { model: 'claude-haiku-5-5', upstream: 'anthropic', input: 1000, cached: 500, output: 100 })
  const usage = messages('claude-haiku-5-5', { input: 1000, cached: 400, write: 60, writeLong: 40, output: 110 })
  const file = await exportFile(t, anthropicPage({ 1: [usage] }))
  const ran = await reconcile('anthropic', [file])
  // -100 × $0.1/M + 60 × $1.25/M + 40 × $2/M + 10 × $5/M = $0.000195
  expect([ran.code, ran.out]).toEqual([
    1,
    `anthropic, 2026-06 (UTC)
day         model             requests  input          cached  cache write  long write         output  drift  drift in $
2026-06-01  claude-haiku-5-5         1  1,000  500 / 400 -100   0 / 60 +60  0 / 40 +40  100 / 110 +10    +10   $0.000195
total                                1  1,000  500 / 400 -100   0 / 60 +60  0 / 40 +40  100 / 110 +10    +10   $0.000195
Each cell: ledger / vendor and the difference, or one number where they agree; drift: the vendor beyond the ledger.
The ledger and the vendor DISAGREE by more than 0.1%: they differ in 210 tokens by model and kind over the month, 13.0435% of the vendor's 1,610.
`,
  ])
})

test('the tolerance is a share of the vendor tokens', async () => {
  const price = await sell(t, { model: 'gpt-6-sol', upstream: 'openai' })
  await use(t, key, price, { input: 9990, output: 0 })
  const file = await exportFile(t, openaiPage({ 1: [completions('gpt-6-sol', 10_000, 0)] }))
  const within = await reconcile('openai', [file])
  expect([within.code, within.out]).toEqual([
    0,
    expect.stringContaining("agree within 0.1%: they differ in 10 tokens by model and kind over the month, 0.1% of the vendor's 10,000."),
  ])
  expect((await reconcile('openai', [file], '--tolerance', '0.0999%')).code).toBe(1)
  expect((await reconcile('openai', [file], '--tolerance', '0%')).code).toBe(1)
})

test('what moves from one day to the next over midnight is no drift of the month; one model in place of another is', async () => {
  const price = await sell(t, { model: 'gpt-6-sol', upstream: 'openai' })
  await use(t, key, price, { day: 3, input: 100, output: 0 })
  const later = await exportFile(t, openaiPage({ 4: [completions('gpt-6-sol', 100, 0)] }))
  const moved = (await reconcile('openai', [later], '--json')).json<Found>()
  expect([moved.agrees, moved.drift_tokens, moved.rows.map(({ day, only }) => [day, only])]).toEqual([
    true,
    0,
    [
      ['2026-06-03', 'ledger'],
      ['2026-06-04', 'vendor'],
    ],
  ])
  const other = await exportFile(t, openaiPage({ 3: [completions('gpt-6-luna', 100, 0)] }))
  const wrong = await reconcile('openai', [other])
  expect([wrong.code, wrong.out]).toEqual([1, expect.stringMatching(/gpt-6-luna .* only at the vendor\n.*gpt-6-sol .* only in the ledger/)])
  expect(wrong.out).toContain('Without a price, so that the drift in dollars is without it: gpt-6-luna.')
})

test('dated ids are the models that they were asked for as, and names of one model are one', async () => {
  const sol = await sell(t, { model: 'gpt-6-sol', upstream: 'openai' })
  const fast = await sell(t, { model: 'fast', upstream: 'openai', upstreamModel: 'gpt-6-sol' })
  await use(t, key, sol, { input: 100, output: 0 })
  await use(t, key, fast, { model: 'fast', input: 20, output: 0 })
  const dated = await exportFile(
    t,
    openaiPage({ 1: [completions('gpt-6-sol-2026-04-01', 90, 0), completions('gpt-6-sol-2026-06-01', 30, 0)] }),
  )
  const found = (await reconcile('openai', [dated], '--json')).json<Found>()
  expect([found.agrees, found.rows]).toEqual([
    true,
    [
      expect.objectContaining({
        model: 'gpt-6-sol',
        requests: { ledger: 2, vendor: 2 },
        input_tokens: { ledger: 120, vendor: 120, drift: 0 },
      }),
    ],
  ])
})

test('days in UTC, other vendors, other months and the host are told apart', async () => {
  const price = await sell(t, { model: 'gpt-6-sol', upstream: 'openai' })
  await use(t, key, price, { atMs: Date.UTC(2026, 5, 1), input: 1, output: 0 })
  await use(t, key, price, { atMs: Date.UTC(2026, 6, 1) - 1, input: 2, output: 0 })
  await use(t, key, price, { atMs: Date.UTC(2026, 6, 1), input: 400, output: 0 })
  await use(t, key, price, { atMs: Date.UTC(2026, 5, 1) - 1, input: 800, output: 0 })
  await use(t, key, price, { upstream: 'ollama', input: 1600, output: 0 })
  await use(t, key, price, { upstream: 'anthropic', input: 3200, output: 0 })
  const file = await exportFile(t, openaiPage({ 1: [completions('gpt-6-sol', 1, 0)], 30: [completions('gpt-6-sol', 2, 0)] }))
  expect((await reconcile('openai', [file], '--tolerance', '0%')).out).toContain('agree on every token of the month: 3.')
})

test('the price is the one of that day, and a tier that a sum cannot tell is named', async () => {
  const tier = { model: 'gpt-6-sol', upstream: 'openai', aboveTokens: 272_000 } as const
  await sell(t, { ...tier, input: 2_000_000 })
  await sell(t, { ...tier, input: 3_000_000, fromMs: Date.UTC(2026, 5, 2) })
  await sell(t, { ...tier, input: 9_000_000, fromMs: Date.UTC(2026, 5, 3), withdrawn: true })
  const used = { 1: [completions('gpt-6-sol', 1000, 0)], 2: [completions('gpt-6-sol', 1000, 0)], 9: [completions('gpt-6-sol', 1000, 0)] }
  const found = (await reconcile('openai', [await exportFile(t, openaiPage(used))], '--json')).json<Found>()
  // 1,000 tokens at $2/M, at $3/M, and at the last price before it was withdrawn
  expect(found.rows.map(({ drift_usd }) => drift_usd)).toEqual(['0.002', '0.003', '0.003'])
  expect([found.totals.drift_usd, found.notes]).toEqual([
    '0.008',
    ["Priced by the length of a request, which a day's sum does not tell; the drift is at the base price: gpt-6-sol."],
  ])
})

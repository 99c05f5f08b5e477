// What stands beside a comparison: charges, and what has to be known of it.
import { afterEach, beforeEach, expect, test } from 'vitest'
import { DAY_MS } from '../../worker/ledger/periods.ts'
import { makeCustomer, makeKey, type TestDatabase, type TestKey, testDatabase } from './testing.ts'
import {
  analyticsPage,
  anthropicCost,
  anthropicPage,
  completions,
  exportFile,
  MONTH,
  messages,
  openaiCost,
  openaiPage,
  sell,
  use,
} from './testing-reconcile.ts'

let t: TestDatabase
let key: TestKey
beforeEach(async () => {
  t = await testDatabase()
  key = await makeKey(t, await makeCustomer(t))
})
afterEach(() => t.close())

const reconcile = (vendor: string, files: string[], ...args: string[]) =>
  t.admin('reconcile', '--vendor', vendor, '--month', MONTH, ...files.flatMap((file) => ['--from', file]), ...args)

interface Found {
  agrees: boolean
  rows: { requests: object }[]
  charges: { rows: object[]; totals: object } | null
}

test('estimates are named where there is a drift', async () => {
  const price = await sell(t, { model: 'gpt-6-sol', upstream: 'openai' })
  await use(t, key, price, { input: 100, output: 7, estimated: true })
  const file = await exportFile(t, openaiPage({ 1: [completions('gpt-6-sol', 100, 9)] }))
  expect((await reconcile('openai', [file])).out).toContain('The tokens of 1 request in the ledger are estimated')
})

test("the vendor's charges stand beside what customers were billed", async () => {
  const price = await sell(t, { model: 'gpt-6-sol', upstream: 'openai' })
  const id = await use(t, key, price, { input: 1000, output: 100, costNano: 1_800_000_000 })
  await t.db.all("INSERT INTO adjustments (customer_id, id, amount_nano, reason, day, created_ms) VALUES (?, ?, 30000001, 'late', 0, 0)", [
    key.customerId,
    `late:${id}`,
  ])
  const usage = await exportFile(t, openaiPage({ 1: [completions('gpt-6-sol-2026-06-01', 1000, 100)] }))
  const costs = openaiPage({
    // Digits as they come: an exponent, more than a float holds, a string, and below a nano-dollar.
    1: [
      openaiCost('gpt-6-sol-2026-06-01, input', 0),
      openaiCost('gpt-6-sol-2026-06-01, output', 'EXACT'),
      openaiCost('Web search tool calls', 0.02),
    ],
    2: [openaiCost('gpt-6-sol-2026-06-01, cached input', '-0.25')],
  })
  const file = await exportFile(
    t,
    JSON.stringify(costs).replace('"value":0,', '"value":12e-1,').replace('"EXACT"', '0.1000000005000000000000001'),
  )
  const ran = await reconcile('openai', [usage, file])
  expect([ran.code, ran.out]).toEqual([
    0,
    expect.stringContaining(`
charges                vendor charged  customers billed  margin
Web search tool calls           $0.02                $0  -$0.02
gpt-6-sol                $1.050000001      $1.830000001   $0.78
total                    $1.070000001      $1.830000001   $0.76

`),
  ])
  expect((await reconcile('openai', [usage, file], '--json')).json<Found>().charges?.totals).toEqual({
    what: 'total',
    charged_usd: '1.070000001',
    billed_usd: '1.830000001',
    margin_usd: '0.76',
  })
})

test("Anthropic's costs are cents, in both of its APIs, and its newer usage counts requests", async () => {
  const price = await sell(t, { model: 'claude-haiku-5-5', upstream: 'anthropic' })
  const model = 'claude-haiku-5-5-20260501'
  await use(t, key, price, { model: 'claude-haiku-5-5', upstream: 'anthropic', input: 10, output: 1, costNano: 2_000_000_000 })
  const usage = messages(model, { input: 10, output: 1 })
  const older = [
    await exportFile(t, anthropicPage({ 1: [usage] })),
    await exportFile(
      t,
      anthropicPage({ 1: [anthropicCost(model, '123.78912', 'Input Tokens'), anthropicCost(null, '1', 'Web Search Usage')] }),
    ),
  ]
  const newer = [
    await exportFile(t, analyticsPage([{ day: 1, model, usage: { ...usage, requests: 1, total_tokens: 11 } }])),
    await exportFile(
      t,
      analyticsPage([{ day: 1, model, cost: { amount: '123.78912', currency: 'USD', list_amount: '130', requests: 1 } }]),
    ),
  ]
  const first = (await reconcile('anthropic', older, '--json')).json<Found>()
  const second = (await reconcile('anthropic', newer, '--json')).json<Found>()
  expect([first.agrees, first.rows[0]?.requests, first.charges?.rows]).toEqual([
    true,
    { ledger: 1, vendor: null },
    [
      { what: 'Web Search Usage', charged_usd: '0.01', billed_usd: '0', margin_usd: '-0.01' },
      { what: 'claude-haiku-5-5', charged_usd: '1.2378912', billed_usd: '2', margin_usd: '0.7621088' },
    ],
  ])
  expect([second.agrees, second.rows[0]?.requests, second.charges?.totals]).toEqual([
    true,
    { ledger: 1, vendor: 1 },
    expect.objectContaining({ charged_usd: '1.2378912', margin_usd: '0.7621088' }),
  ])
})

test('charges that are not itemised have a margin in all only', async () => {
  const price = await sell(t, { model: 'gpt-6-sol', upstream: 'openai' })
  await use(t, key, price, { input: 1000, output: 100, costNano: 2_000_000_000 })
  const usage = await exportFile(t, openaiPage({ 1: [completions('gpt-6-sol', 1000, 100)] }))
  const ran = await reconcile('openai', [usage, await exportFile(t, openaiPage({ 1: [openaiCost(null, 1.5)] }))])
  expect(ran.out).toContain(`
charges       vendor charged  customers billed  margin
gpt-6-sol                  -                $2       -
not itemised            $1.5                $0   -$1.5
total                   $1.5                $2    $0.5
`)
})

test('a month that is not over is compared as far as the export goes', async () => {
  const now = new Date()
  const [first, today] = [Date.UTC(now.getUTCFullYear(), now.getUTCMonth(), 1) / DAY_MS, Math.floor(now.getTime() / DAY_MS)]
  const bucket = (day: number) => ({ object: 'bucket', start_time: day * 86_400, end_time: (day + 1) * 86_400, results: [] })
  const data = Array.from({ length: today - first + 1 }, (_, index) => bucket(first + index))
  const file = await exportFile(t, openaiPage({}, { data }))
  const ran = await t.admin('reconcile', '--vendor', 'openai', '--month', now.toISOString().slice(0, 7), '--from', file)
  expect([ran.code, ran.out]).toEqual([
    0,
    expect.stringContaining(`not over: ${now.toISOString().slice(0, 10)} is compared as far as it is known.`),
  ])
})

test("a search at the vendor, which the gateway does not pass, is another key's", async () => {
  const usage = { ...messages('claude-haiku-5-5', {}), server_tool_use: { web_search_requests: 3 } }
  const ran = await reconcile('anthropic', [await exportFile(t, anthropicPage({ 2: [usage] }))])
  expect(ran.out).toContain('The vendor counts 3 searches of the web')
})

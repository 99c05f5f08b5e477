// reconcile where it must not compare: the export is not one, not whole, not of this vendor, or not of this month.
import { afterAll, beforeAll, expect, test } from 'vitest'
import { type TestDatabase, testDatabase } from './testing.ts'
import {
  analyticsPage,
  anthropicCost,
  anthropicPage,
  completions,
  exportFile,
  MONTH,
  messages,
  openaiBucket,
  openaiCost,
  openaiPage,
} from './testing-reconcile.ts'

let t: TestDatabase
beforeAll(async () => {
  t = await testDatabase()
})
afterAll(() => t.close())

const usage = completions('gpt-6-sol', 100, 10)

async function refused(vendor: string, said: string, ...contents: unknown[]) {
  const files: string[] = []
  for (const content of contents) files.push(await exportFile(t, content))
  const ran = await t.admin('reconcile', '--vendor', vendor, '--month', MONTH, ...files.flatMap((file) => ['--from', file]))
  expect([ran.code, ran.out, ran.err]).toEqual([1, '', expect.stringContaining(said)])
  expect(ran.err).toMatch(/^error: --from: export-\d+\.json/)
}

test('arguments', async () => {
  const file = await exportFile(t, openaiPage({ 1: [usage] }))
  const run = (...args: string[]) => t.admin('reconcile', ...args)
  const wrong = async (said: RegExp, ...args: string[]) => {
    const { code, err } = await run(...args)
    expect([code, err]).toEqual([2, expect.stringMatching(said)])
  }
  const next = new Date(Date.UTC(new Date().getUTCFullYear(), new Date().getUTCMonth() + 1, 1)).toISOString().slice(0, 7)
  for (const month of ['2026-13', '2026-00', '2026-6', '26-06', '2026-06-01', '', '1969-12']) {
    await wrong(/--month.*a month as YYYY-MM/, '--vendor', 'openai', '--month', month, '--from', file)
  }
  await wrong(/--month.*has not begun yet/, '--vendor', 'openai', '--month', next, '--from', file)
  await wrong(/--vendor.*openai, anthropic/, '--vendor', 'ollama', '--month', MONTH, '--from', file)
  await wrong(/--from/, '--vendor', 'openai', '--month', MONTH)
  await wrong(/--tolerance.*percentage/, '--vendor', 'openai', '--month', MONTH, '--from', file, '--tolerance', '1')
  const missing = await run('--vendor', 'openai', '--month', MONTH, '--from', 'nowhere.json')
  expect([missing.code, missing.err]).toEqual([1, 'error: --from: nowhere.json cannot be read (ENOENT); give another file.\n'])
})

test('what is not an export', async () => {
  await refused('openai', 'value 1 is not JSON, or not all of it: fetch it again. CSV files are not read', 'date,model,tokens\n')
  await refused('openai', 'value 2 is not JSON, or not all of it', `${JSON.stringify(openaiPage({}))}{"object":`)
  await refused('openai', 'holds no page', '')
  await refused('openai', 'holds no page', [])
  await refused('openai', 'page 1: has to be an object', [5])
  await refused('openai', 'page 1.data: has to be a list', { object: 'page' })
  await refused('openai', 'page 1.object: has to be "page"', { data: [], has_more: false })
  await refused('anthropic', "page 1: is the vendor's refusal, not an export (invalid x-api-key)", {
    type: 'error',
    error: { type: 'authentication_error', message: 'invalid x-api-key' },
  })
  await refused('openai', "page 1: is Anthropic's: give --vendor anthropic", anthropicPage({}))
  await refused('anthropic', "page 1: is OpenAI's: give --vendor openai", openaiPage({}))
})

test('what is not whole', async () => {
  await refused(
    'openai',
    'page 1.has_more: the export is not whole: fetch the rest with page=page_x',
    openaiPage({}, { has_more: true, next_page: 'page_x' }),
  )
  await refused('openai', 'page 1.has_more: has to be true or false, but is missing', openaiPage({}, { has_more: undefined }))
  const week = [1, 2, 3, 4, 5, 6, 7].map((day) => openaiBucket(day, []))
  await refused(
    'openai',
    'no usage of 2026-06-08, 2026-06-09, 2026-06-10 …: fetch the whole month (limit=31)',
    openaiPage({}, { data: week }),
  )
  const july = [31, 32].map((day) => openaiBucket(day, [usage]))
  await refused(
    'openai',
    'no usage of 2026-06, but 2026-07-01 to 2026-07-02: give the export of that month',
    openaiPage({}, { data: july }),
  )
  await refused('openai', 'no usage of 2026-06, but nothing', openaiPage({}, { data: [] }))
  await refused('openai', 'no usage of 2026-06, but nothing', openaiPage({ 1: [openaiCost(null, 1)] }))
  const costs = openaiPage({}, { data: [openaiBucket(1, [openaiCost(null, 1)])] })
  await refused('openai', 'no costs of 2026-06-02', openaiPage({ 1: [usage] }), costs)
})

test('what would be counted twice', async () => {
  const page = openaiPage({ 5: [usage] })
  await refused('openai', 'is the same as page 1.data[4] of export-', page, page)
  await refused('openai', 'page 2.data[4]: is the same as page 1.data[4]', [page, page])
  const messagesPage = anthropicPage({ 5: [messages('claude-haiku-5-5', { input: 1 })] })
  await refused('anthropic', 'page 2.data[4]: is the same as page 1.data[4]', [messagesPage, messagesPage])
  const counted = { ...messages(null, { input: 1 }), requests: 1 }
  const analytics = analyticsPage([{ day: 6, model: 'claude-haiku-5-5', usage: counted }])
  await refused(
    'anthropic',
    "page 1.data[0]: is of the vendor's Usage and Cost Analytics API, and what came before of its Usage",
    messagesPage,
    analytics,
  )
  await refused('anthropic', 'page 2.data[0]: is the same as page 1.data[0]', [analytics, analytics])
})

test('what a result may not be', async () => {
  const one = (over: object) => openaiPage({ 1: [completions('gpt-6-sol', 100, 10, over)] })
  const at = 'page 1.data[0].results[0]'
  await refused('openai', `${at}.model: the result is not grouped by model: fetch it again with group_by=model`, one({ model: null }))
  await refused('openai', `${at}.input_tokens: has to be a whole number from 0 to 1000000000000, not 1.5.`, one({ input_tokens: 1.5 }))
  await refused('openai', `${at}.output_tokens: has to be a whole number from 0 to 1000000000000, not -1.`, one({ output_tokens: -1 }))
  await refused('openai', `${at}.output_tokens: has to be a whole number from 0 to 1000000000000, not "7".`, one({ output_tokens: '7' }))
  await refused(
    'openai',
    `${at}.output_tokens: has to be a whole number from 0 to 1000000000000, but is missing.`,
    one({ output_tokens: undefined }),
  )
  await refused('openai', `${at}.num_model_requests: has to be a whole number`, one({ num_model_requests: 9e15 }))
  await refused(
    'openai',
    `${at}.input_tokens: has to hold the cached tokens and those written to the cache`,
    one({ input_cached_tokens: 101 }),
  )
  await refused(
    'openai',
    `${at}.object: organization.usage.images.result is of nothing`,
    one({ object: 'organization.usage.images.result' }),
  )
  const claude = messages(null, { input: 1 })
  await refused(
    'anthropic',
    `${at}.model: the result is not grouped by model: fetch it again with group_by[]=model`,
    anthropicPage({ 1: [claude] }),
  )
  await refused('anthropic', `${at}.cache_creation: has to be an object`, anthropicPage({ 1: [{ ...claude, cache_creation: 3 }] }))
})

test('what a bucket and an amount may not be', async () => {
  const start = Date.UTC(2026, 5, 1) / 1000
  for (const [from, to] of [
    [start, start + 3600],
    [start + 3600, start + 3600 + 86_400],
    [start, start + 2 * 86_400],
  ]) {
    const bucket = { object: 'bucket', start_time: from, end_time: to, results: [] }
    await refused(
      'openai',
      'page 1.data[0]: is not one whole UTC day: fetch it again with buckets of 1d',
      openaiPage({}, { data: [bucket] }),
    )
  }
  const row = (startingAt: string) => ({
    data: [{ starting_at: startingAt, ending_at: '2026-06-02T00:00:00Z', results: [] }],
    has_more: false,
  })
  await refused('anthropic', 'page 1.data[0].starting_at: has to be a time such as', row('1 June 2026'))
  await refused('anthropic', 'page 1.data[0]: is not one whole UTC day', row('2026-06-01T00:00:00+02:00'))
  const cost = (over: object) => openaiPage({ 1: [{ ...openaiCost(null, 1), ...over }] })
  await refused('openai', 'results[0].amount: has to be an object, but is missing', cost({ amount: undefined }))
  await refused('openai', 'results[0].amount.currency: is eur: only US dollars', cost({ amount: { value: 1, currency: 'eur' } }))
  await refused(
    'openai',
    'results[0].amount.value: has to be an amount such as 12.5, not "much"',
    cost({ amount: { value: 'much', currency: 'usd' } }),
  )
  await refused('anthropic', 'results[0].currency: is EUR', anthropicPage({ 1: [{ ...anthropicCost(null, '1'), currency: 'EUR' }] }))
})

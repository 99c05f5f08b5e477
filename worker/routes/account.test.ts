// What a customer is told of their use: vendors' counts and whose model it was, in the shape that /openapi.json describes.
import { env } from 'cloudflare:workers'
import { beforeAll, expect, test } from 'vitest'
import { app } from '../app.ts'
import { STATUS } from '../errors.ts'
import type { JsonObject } from '../json.ts'
import { UNUSED } from '../pricing.ts'
import { admit, askOf, db, endingOf, makeCustomer, makeKey, migrate, setPrice, settle, type TestKey } from '../testing/ledger.ts'
import { accountBudget, accountRequest, accountUsage } from './account-shapes.ts'

let key: TestKey
const used = { ...UNUSED, input: 5000, cached: 1000, cacheWrite: 2000, cacheWriteLong: 500, output: 700, reasoning: 600 }
const counts = {
  ...{ input_tokens: 5000, cached_tokens: 1000, cache_write_tokens: 2000, cache_write_long_tokens: 500 },
  ...{ output_tokens: 700, reasoning_tokens: 600 },
}

beforeAll(async () => {
  await migrate()
  key = await makeKey(await makeCustomer())
  await setPrice('claude-x', { request: '0.1', upstream: 'anthropic' })
  await setPrice('*', { request: '0.1' })
})

async function told(path: string, by: TestKey = key): Promise<JsonObject> {
  const response = await app.request(path, { headers: { authorization: `Bearer ${by.key}` } }, env)
  expect(response.status).toBe(200)
  return response.json()
}

test('a request of a vendor’s model is told with what only the vendor tells', async () => {
  const ask = askOf(key, { model: 'claude-x:latest', upstream: 'anthropic' })
  expect(await admit(db, ask)).toMatchObject({ admitted: true })
  const running = await told(`/account/requests/${ask.id}`)
  expect(accountRequest.parse(running)).toMatchObject({ state: 'running', model: 'claude-x', upstream: 'anthropic' })
  await settle(db, endingOf(key, ask.id, 7, { used }))
  const ended = await told(`/account/requests/${ask.id}`)
  expect(accountRequest.parse(ended)).toMatchObject({ state: 'ended', upstream: 'anthropic', cost_usd: '0.000000007', ...counts })
})

test('use is summed up by model, with whose each is', async () => {
  const local = askOf(key, { model: 'm:latest' })
  await admit(db, local)
  await settle(db, endingOf(key, local.id, 1))
  const usage = accountUsage.parse(await told('/account/usage'))
  expect(usage).toMatchObject({
    group: 'model',
    models: [
      { model: 'claude-x', upstream: 'anthropic', requests: 1, ...counts },
      { model: 'm:latest', upstream: 'ollama', requests: 1, cache_write_tokens: 0, reasoning_tokens: 0 },
    ],
  })
})

test('a name is whose it was given to last, and a range without use has no models', async () => {
  await setPrice('claude-x', { upstream: 'openai', validFromMs: Date.now() - 1 })
  const usage = accountUsage.parse(await told('/account/usage'))
  expect(usage).toMatchObject({ models: [{ model: 'claude-x', upstream: 'openai' }, {}] })
  expect(await told('/account/usage?from=2026-01-01&to=2026-01-02')).toMatchObject({ models: [] })
})

test.each([
  [undefined, undefined, null],
  ['5', undefined, 'account budget'],
  [undefined, '5', 'key budget'],
  ['5', '5', 'key budget'],
  ['4', '5', 'account budget'],
] as const)('of an account budget of %s and a key budget of %s it is said which binds', async (account, own, binds) => {
  const limited = await makeKey(await makeCustomer({ budget: account ?? null }), { budget: own ?? null })
  const budget = accountBudget.parse(await told('/account/budget', limited))
  expect(budget).toMatchObject({
    binds,
    account: { budget_usd: account ?? null, spent_usd: '0', held_usd: '0', remaining_usd: account ?? null },
  })
  expect(budget.key?.remaining_usd).toBe(own)
})

test('/openapi.json describes the fields, and every error code with its status', async () => {
  const text = JSON.stringify(await (await app.request('/openapi.json', {}, env)).json())
  for (const field of ['cache_write_tokens', 'cache_write_long_tokens', 'reasoning_tokens', 'upstream', 'binds', 'explanation'])
    expect(text).toContain(`"${field}":{`)
  for (const query of ['from', 'to', 'group', 'format', 'limit', 'before']) expect(text).toContain(`{"name":"${query}","in":"query"`)
  expect(text).toContain('"text/csv"')
  for (const [code, status] of Object.entries(STATUS)) expect(text).toContain(`{"const":"${code}","description":"${status}: `)
})

// Models of vendors through the gateway: where a request goes, what reaches the vendor, what is billed.
import { afterAll, beforeAll, expect, test } from 'vitest'
import { startTestGateway, type TestGateway, VENDOR_KEYS } from './harness.ts'
import { expectProved, usageRow } from './ledger.ts'
import { vendorFixture } from './vendors/fixtures.ts'

let gateway: TestGateway
let key: string

beforeAll(async () => {
  gateway = await startTestGateway({ vendors: ['openai', 'anthropic'] })
  await gateway.setPrice('gpt-6-test', { input: '2', cachedInput: '0.2', output: '8', upstream: 'openai' })
  await gateway.setPrice('smart', { input: '2', output: '8', upstream: 'openai', upstreamModel: 'gpt-6-test' })
  await gateway.setPrice('claude-test', {
    ...{ input: '3', cachedInput: '0.3', cacheWrite: '3.75', cacheWriteLong: '6', output: '15', upstream: 'anthropic' },
  })
  await gateway.setPrice('*', { input: '1', output: '1' })
  key = (await gateway.makeCustomer({ budgetUsd: '100' })).key
})
afterAll(() => gateway.stop())

function post(path: string, body: object, headers: Record<string, string> = {}): Promise<Response> {
  return fetch(`${gateway.url}${path}`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', authorization: `Bearer ${key}`, ...headers },
    body: JSON.stringify(body),
  })
}

const messages = [{ role: 'user', content: 'Say hello.' }]

test.for([false, true])('a chat with an OpenAI model, stream: %s', async (stream) => {
  const next = gateway.vendors.openai.nextRequest()
  const answer = await post('/v1/chat/completions', { model: 'gpt-6-test', messages, stream, max_tokens: 500 })
  const text = await answer.text()
  expect([answer.status, text]).toEqual([200, expect.stringContaining('gpt-6-test')])
  const request = await next
  expect(request.header('authorization')).toBe(`Bearer ${VENDOR_KEYS.openai}`)
  expect(request.text).not.toContain(key)
  expect(request.body).toMatchObject({ model: 'gpt-6-test', max_completion_tokens: 500, store: false, service_tier: 'default' })
  const row = await usageRow(gateway.db, answer.headers.get('x-request-id'))
  expect(row).toMatchObject({ model: 'gpt-6-test', upstream: 'openai', outcome: 'completed', estimated: 0 })
  expect(row.input_tokens).toBeGreaterThan(0)
  expect(row.output_tokens).toBeGreaterThan(0)
})

test.for([false, true])('a message to an Anthropic model, stream: %s', async (stream) => {
  const next = gateway.vendors.anthropic.nextRequest()
  const answer = await post(
    '/v1/messages',
    { model: 'claude-test', messages, stream, max_tokens: 500 },
    { 'anthropic-version': '2023-06-01' },
  )
  const text = await answer.text()
  expect([answer.status, text]).toEqual([200, expect.stringContaining('claude-test')])
  const request = await next
  expect(request.header('x-api-key')).toBe(VENDOR_KEYS.anthropic)
  expect(request.header('authorization')).toBeNull()
  expect(request.body).toMatchObject({ model: 'claude-test', max_tokens: 500, service_tier: 'standard_only' })
  const row = await usageRow(gateway.db, answer.headers.get('x-request-id'))
  expect(row).toMatchObject({ model: 'claude-test', upstream: 'anthropic', outcome: 'completed', estimated: 0 })
})

test('an alias is a model of its own: asked for, answered and booked under its name, but for what the vendor says', async () => {
  const next = gateway.vendors.openai.nextRequest()
  const answer = await post('/v1/chat/completions', { model: 'smart', messages })
  expect((await next).body).toMatchObject({ model: 'gpt-6-test' })
  expect(await usageRow(gateway.db, answer.headers.get('x-request-id'))).toMatchObject({ model: 'smart', upstream: 'openai' })
})

const WRONG_ROUTES: [path: string, body: object, words: RegExp][] = [
  [
    '/v1/messages',
    { model: 'gpt-6-test', messages, max_tokens: 10 },
    /OpenAI model: POST it to \/v1\/chat\/completions or \/v1\/responses/,
  ],
  ['/v1/messages/count_tokens', { model: 'gpt-6-test', messages }, /OpenAI model: POST it to/],
  ['/v1/chat/completions', { model: 'claude-test', messages }, /Anthropic model: POST it to \/v1\/messages/],
  ['/v1/responses', { model: 'claude-test', input: 'x' }, /Anthropic model/],
  ['/api/chat', { model: 'gpt-6-test', messages }, /OpenAI model/],
  ['/api/embed', { model: 'claude-test', input: 'x' }, /Anthropic model/],
]

test.for(WRONG_ROUTES)('%s: a model of another dialect is a 400 that says where to go', async ([path, body, words]) => {
  const answer = await post(path, body)
  const text = await answer.text()
  expect([answer.status, text]).toEqual([400, expect.stringMatching(words)])
  expect(answer.headers.get('x-should-retry')).toBe('false')
})

test('a field that is not on the list is refused for a vendor’s model, and passes for one of the host', async () => {
  const field = { model: 'gpt-6-test', messages, prediction: { type: 'content', content: 'x' } }
  const refused = await post('/v1/chat/completions', field)
  expect([refused.status, await refused.json()]).toEqual([400, { error: expect.objectContaining({ param: 'prediction' }) }])
  const unknown = await post('/v1/chat/completions', { model: 'gpt-6-test', messages, made_up: 1 })
  expect([unknown.status, await unknown.json()]).toEqual([400, { error: expect.objectContaining({ param: 'made_up' }) }])
  const local = await post('/v1/chat/completions', { ...field, model: 'gemma3:270m', made_up: 1 })
  expect([local.status, await local.text()]).toEqual([200, expect.any(String)])
})

test('of a request that is wrong for everyone, the words are those of whoever serves the model', async () => {
  const body = { messages, tools: [{ type: 'web_search' }], max_tokens: 0 }
  const paid = await post('/v1/chat/completions', { ...body, model: 'gpt-6-test' })
  const local = await post('/v1/chat/completions', { ...body, model: 'gemma3:270m' })
  expect([paid.status, local.status]).toEqual([400, 400])
  expect(await paid.text()).not.toBe(await local.text())
  const nameless = await post('/v1/chat/completions', { messages })
  expect([nameless.status, await nameless.text()]).toEqual([400, expect.stringMatching(/model: is missing/)])
})

test('the lists hold the host’s models and the vendors’, in both shapes, as far as the key may use them', async () => {
  const list = async (secret: string, headers: Record<string, string> = {}, query = '') =>
    (await fetch(`${gateway.url}/v1/models${query}`, { headers: { authorization: `Bearer ${secret}`, ...headers } })).json() as Promise<{
      data: Record<string, unknown>[]
      has_more?: boolean
    }>
  const all = await list(key)
  expect(all.data).toContainEqual({ id: 'gpt-6-test', object: 'model', created: expect.any(Number), owned_by: 'openai' })
  expect(all.data).toContainEqual({ id: 'smart', object: 'model', created: expect.any(Number), owned_by: 'openai' })
  expect(all.data).toContainEqual(expect.objectContaining({ id: 'gemma3:270m', owned_by: 'library' }))
  const version = { 'anthropic-version': '2023-06-01' }
  const shaped = await list(key, version)
  expect(shaped.data).toContainEqual({
    ...{ type: 'model', id: 'claude-test', display_name: 'claude-test', created_at: expect.any(String), max_tokens: 8192 },
  })
  const first = await list(key, version, '?limit=2')
  expect([first.data.length, first.has_more]).toEqual([2, true])
  const rest = await list(key, version, `?after_id=${first.data[1]?.id}&limit=1000`)
  expect([...first.data, ...rest.data]).toEqual(shaped.data)
  const limited = await gateway.makeCustomer({ budgetUsd: '1', key: { models: ['claude-test:latest'] } })
  expect((await list(limited.key)).data.map(({ id }) => id)).toEqual(['claude-test'])
  const one = await fetch(`${gateway.url}/v1/models/claude-test`, { headers: { authorization: `Bearer ${key}` } })
  expect(await one.json()).toMatchObject({ id: 'claude-test', owned_by: 'anthropic' })
  const none = await fetch(`${gateway.url}/v1/models?after_id=nobody`, { headers: { authorization: `Bearer ${key}`, ...version } })
  expect(none.status).toBe(400)
})

test('Anthropic counts the tokens of its models, for nothing; of the host’s the gateway estimates', async () => {
  const before = await gateway.db.prepare('SELECT count(*) AS n FROM usage').first('n')
  const next = gateway.vendors.anthropic.nextRequest()
  const counted = await post('/v1/messages/count_tokens', { model: 'claude-test', messages, max_tokens: 5 })
  expect(await counted.json()).toEqual({ input_tokens: expect.any(Number) })
  expect(Object.keys((await next).body as object).sort()).toEqual(['messages', 'model'])
  expect(await (await post('/v1/messages/count_tokens', { model: 'gemma3:270m', messages })).json()).toEqual({
    input_tokens: expect.any(Number),
  })
  expect(await gateway.db.prepare('SELECT count(*) AS n FROM usage').first('n')).toBe(before)
})

test('a key that may not use a vendor’s model is told so, and a budget that does not cover it is a 402', async () => {
  const { key: limited } = await gateway.makeCustomer({ budgetUsd: '1', key: { models: ['gemma3:270m'] } })
  const { key: poor } = await gateway.makeCustomer({ budgetUsd: '0.000001' })
  const ask = { model: 'gpt-6-test', messages }
  expect((await post('/v1/chat/completions', ask, { authorization: `Bearer ${limited}` })).status).toBe(403)
  expect((await post('/v1/chat/completions', ask, { authorization: `Bearer ${poor}` })).status).toBe(402)
})

test('fifty requests at once spend no more than the budget, and the vendor sees those that fit', async () => {
  // Of 500 tokens at $8/Mtok and some hundred of input at $2/Mtok, $0.02 holds four, and a fifth with a smaller limit.
  const { id, key: secret } = await gateway.makeCustomer({ budgetUsd: '0.02' })
  const before = gateway.vendors.openai.requests.length
  gateway.vendors.openai.play({ exchanges: Array.from({ length: 50 }, () => vendorFixture('openai', 'chat-json')), delayMs: 500 })
  const ask = () => post('/v1/chat/completions', { model: 'gpt-6-test', messages, max_tokens: 500 }, { authorization: `Bearer ${secret}` })
  const statuses = await Promise.all(Array.from({ length: 50 }, async () => (await ask()).status))
  const served = statuses.filter((status) => status === 200).length
  expect(served).toBeGreaterThanOrEqual(4)
  expect(statuses.filter((status) => status === 402)).toHaveLength(50 - served)
  expect(gateway.vendors.openai.requests.length - before).toBe(served)
  await expectProved(gateway.db)
  const spent = await gateway.db.prepare('SELECT sum(cost_nano) AS nano FROM usage WHERE customer_id = ?').bind(id).first<number>('nano')
  expect(spent).toBeLessThanOrEqual(20_000_000)
})

test('without a vendor’s key its models are not offered', async () => {
  const alone = await startTestGateway({ vendors: ['anthropic'] })
  try {
    await alone.setPrice('gpt-6-test', { input: '2', output: '8', upstream: 'openai' })
    await alone.setPrice('claude-test', { input: '2', output: '8', upstream: 'anthropic' })
    const { key: secret } = await alone.makeCustomer({ budgetUsd: '1' })
    const headers = { authorization: `Bearer ${secret}` }
    const ask = (path: string, body: object) => fetch(`${alone.url}${path}`, { method: 'POST', headers, body: JSON.stringify(body) })
    const openai = await ask('/v1/chat/completions', { model: 'gpt-6-test', messages })
    expect([openai.status, await openai.json()]).toEqual([404, { error: expect.objectContaining({ code: 'model_not_found' }) }])
    expect((await ask('/v1/messages', { model: 'claude-test', messages, max_tokens: 5 })).status).toBe(200)
    const listed = await (await fetch(`${alone.url}/v1/models`, { headers })).json()
    expect(listed).toEqual({ object: 'list', data: [expect.objectContaining({ id: 'claude-test' })] })
  } finally {
    await alone.stop()
  }
})

// Hard budgets, limits and revocation over HTTP, as customers meet them.
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest'
import { startTestGateway, type TestGateway } from './harness.ts'
import { expectProved, settled, usageOf } from './ledger.ts'
import { streamingCall } from './streaming-call.ts'

let gateway: TestGateway

beforeAll(async () => {
  gateway = await startTestGateway({ vars: { HOST_CONCURRENCY: '1000' } })
  await gateway.setPrice('*', { request: '0.001' })
  await gateway.setPrice('gemma3:270m', { output: '10' })
})
beforeEach(() => gateway.standIn.reset())
afterAll(() => gateway.stop())

const messages = [{ role: 'user', content: 'Why is the sky blue?' }]

function chat(key: string, body: Record<string, unknown> = {}): Promise<Response> {
  return fetch(`${gateway.url}/v1/chat/completions`, {
    method: 'POST',
    headers: { authorization: `Bearer ${key}` },
    body: JSON.stringify({ model: 'chat-small', messages, ...body }),
  })
}

test('500 requests at once on a budget for 37 get 37 answers, and not a nano-dollar more is charged', { timeout: 120_000 }, async () => {
  const customer = await gateway.makeCustomer({ budgetUsd: '0.0375' })
  const statuses = await Promise.all(
    Array.from({ length: 500 }, async () => {
      const response = await chat(customer.key, { max_tokens: 5 })
      await response.text()
      return response.status
    }),
  )
  await settled(gateway.db)
  expect(statuses.filter((status) => status === 200)).toHaveLength(37)
  expect(statuses.filter((status) => status === 402)).toHaveLength(463)
  const rows = await usageOf(gateway.db, customer.id)
  // 37 × $0.001
  expect([rows.length, rows.reduce((sum, row) => sum + row.cost_nano, 0)]).toEqual([37, 37_000_000])
  await expectProved(gateway.db)
})

test('a budget is spent to a 402 that says what is left and when it renews; raised, it goes on', async () => {
  const customer = await gateway.makeCustomer({ budgetUsd: '0.0025', period: 'day' })
  expect([(await chat(customer.key)).status, (await chat(customer.key)).status]).toEqual([200, 200])
  await settled(gateway.db)
  const refused = await chat(customer.key)
  expect([refused.status, refused.headers.get('x-should-retry'), refused.headers.get('retry-after')]).toEqual([402, 'false', null])
  const { error } = (await refused.json()) as { error: { message: string; code: string } }
  expect(error.code).toBe('budget_exceeded')
  // $0.0025 − 2 × $0.001
  expect(error.message).toMatch(/account’s budget of \$0\.0025 \(day\).*\$0\.0005 is left.*renews at \d{4}-\d\d-\d\dT00:00:00/)
  await gateway.db.prepare('UPDATE customers SET budget_nano = 1000000000 WHERE id = ?').bind(customer.id).run()
  expect((await chat(customer.key)).status).toBe(200)
})

test('the output is fitted to what is left, the caller is told the limit, and the answer ends with the usual reason', async () => {
  // 300 tokens at $10/Mtok
  const customer = await gateway.makeCustomer({ budgetUsd: '0.003' })
  const response = await chat(customer.key, { model: 'gemma3:270m', max_tokens: 390 })
  expect(response.headers.get('x-output-limit')).toBe('300')
  expect(response.headers.get('x-request-cost')).toBe('0.003')
  expect(response.headers.get('x-budget-remaining')).toBe('0')
  const answer = (await response.json()) as { choices: { finish_reason: string }[]; usage: { completion_tokens: number } }
  expect([answer.choices[0]?.finish_reason, answer.usage.completion_tokens]).toEqual(['length', 300])
  expect(gateway.standIn.requests.at(-1)?.body).toMatchObject({ max_tokens: 300 })
  await settled(gateway.db)
  expect((await chat(customer.key, { model: 'gemma3:270m' })).status).toBe(402)
})

test('a key’s own budget says so', async () => {
  const customer = await gateway.makeCustomer({ budgetUsd: '5', key: { budgetUsd: '0.0005', period: 'total' } })
  const { error } = (await (await chat(customer.key)).json()) as { error: { message: string } }
  expect(error.message).toMatch(/API key’s budget of \$0\.0005 \(total\).*ask the operator/)
})

test('limits per minute and at once are 429s that say when to come back', async () => {
  const perMinute = await gateway.makeCustomer({ budgetUsd: null, rpm: 2 })
  const first = await chat(perMinute.key)
  expect([first.headers.get('x-ratelimit-limit-requests'), first.headers.get('x-ratelimit-remaining-requests')]).toEqual(['2', '1'])
  await chat(perMinute.key)
  const refused = await chat(perMinute.key)
  expect(refused.status).toBe(429)
  expect(Number(refused.headers.get('retry-after'))).toBeGreaterThan(50)

  const small = await gateway.makeCustomer({ budgetUsd: null, tpm: 500 })
  const never = await chat(small.key)
  // A body of some 90 bytes and 256 as margin leave less than the least output.
  expect([never.status, never.headers.get('retry-after'), never.headers.get('x-should-retry')]).toEqual([429, null, 'false'])

  const one = await gateway.makeCustomer({ budgetUsd: null, key: { concurrency: 1 } })
  gateway.standIn.fault({ kind: 'stall', afterChunks: 2 })
  const running = streamingCall(gateway.url, '/v1/chat/completions', one.key, { model: 'chat-small', messages, stream: true })
  await running.head
  const busy = await chat(one.key)
  expect([busy.status, busy.headers.get('retry-after')]).toEqual([429, '1'])
  running.hangUp()
  await settled(gateway.db)
  expect((await chat(one.key)).status).toBe(200)
})

test('a key that is revoked in the middle of a stream finishes that stream, is billed for it, and gets nothing more', async () => {
  gateway.standIn.setPace(10)
  const customer = await gateway.makeCustomer({ budgetUsd: '1' })
  const call = streamingCall(gateway.url, '/api/chat', customer.key, { model: 'chat-small', messages, options: { num_predict: 30 } })
  await call.frames(3, '\n')
  await gateway.db.prepare('UPDATE api_keys SET revoked_ms = 1 WHERE id = ?').bind(customer.keyId).run()
  const refused = await chat(customer.key)
  expect([refused.status, ((await refused.json()) as { error: { message: string } }).error.message]).toEqual([
    401,
    expect.stringMatching(/revoked/),
  ])
  expect(await call.ended).toBe(true)
  expect(call.body()).toMatch(/"done":true/)
  await settled(gateway.db)
  expect(await usageOf(gateway.db, customer.id)).toMatchObject([{ outcome: 'completed', cost_nano: 1_000_000 }])
  gateway.standIn.setPace('instant')
})

test('a price that changes in the middle of a stream is the next request’s', async () => {
  gateway.standIn.setPace(10)
  await gateway.setPrice('toy-tools:latest', { request: '0.5' })
  const customer = await gateway.makeCustomer({ budgetUsd: '10' })
  const call = streamingCall(gateway.url, '/api/chat', customer.key, {
    model: 'toy-tools',
    messages,
    think: false,
    options: { num_predict: 30 },
  })
  await call.frames(3, '\n')
  await gateway.setPrice('toy-tools:latest', { request: '0.7' })
  await call.ended
  gateway.standIn.setPace('instant')
  expect((await chat(customer.key, { model: 'toy-tools' })).headers.get('x-request-cost')).toBe('0.7')
  await settled(gateway.db)
  expect((await usageOf(gateway.db, customer.id)).map((row) => row.cost_nano)).toEqual([500_000_000, 700_000_000])
})

test('after all of that the ledger is proved', () => expectProved(gateway.db))

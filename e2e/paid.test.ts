// Models of vendors through the gateway: where a request goes, what reaches the vendor, what is billed.
import { afterAll, beforeAll, expect, test } from 'vitest'
import { startTestGateway, type TestGateway, VENDOR_KEYS } from './harness.ts'
import { usageRow } from './ledger.ts'

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

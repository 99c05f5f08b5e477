// The host's own limit, its access token, and what of a request reaches it.
import { afterEach, expect, test } from 'vitest'
import { startTestGateway, type TestGateway } from './harness.ts'
import { expectProved, settled } from './ledger.ts'
import { streamingCall } from './streaming-call.ts'

let gateway: TestGateway | null = null
afterEach(() => gateway?.stop())

const messages = [{ role: 'user', content: 'Why is the sky blue?' }]

async function start(options: Parameters<typeof startTestGateway>[0]): Promise<TestGateway> {
  gateway = await startTestGateway(options)
  await gateway.setPrice('*', { request: '0.001' })
  return gateway
}

test('more requests than the host takes at once are told to come back, not queued', async () => {
  const { standIn, url, db, makeCustomer } = await start({ vars: { HOST_CONCURRENCY: '2' } })
  const [one, other] = [await makeCustomer({ budgetUsd: '1' }), await makeCustomer({ budgetUsd: '1' })]
  standIn.fault({ kind: 'stall', afterChunks: 2, times: 2 })
  const calls = [one, other].map(({ key }) => streamingCall(url, '/api/chat', key, { model: 'gemma3:270m', messages }))
  for (const call of calls) await call.head
  const refused = await fetch(`${url}/v1/messages`, {
    method: 'POST',
    headers: { 'x-api-key': one.key },
    body: JSON.stringify({ model: 'gemma3:270m', messages, max_tokens: 5 }),
  })
  expect([refused.status, refused.headers.get('retry-after')]).toEqual([503, '2'])
  expect(await refused.json()).toMatchObject({ type: 'error', error: { type: 'overloaded_error' } })
  expect(standIn.requests).toHaveLength(2)
  for (const call of calls) call.hangUp()
  await settled(db)
  await expectProved(db)
})

test('the Access token goes to the host, and nothing of the caller does', async () => {
  const access = { clientId: 'test-client.access', clientSecret: 'test-not-a-secret' }
  const { standIn, url, makeCustomer, logs } = await start({ standIn: { access } })
  const { key } = await makeCustomer({ budgetUsd: '1' })
  const response = await fetch(`${url}/v1/chat/completions`, {
    method: 'POST',
    headers: {
      ...{ authorization: `Bearer ${key}`, origin: 'https://evil.example', cookie: 'a=b', 'x-forwarded-host': 'evil.example' },
      ...{ 'openai-organization': 'org', 'x-stainless-lang': 'js', 'idempotency-key': 'k', 'cf-access-client-id': 'theirs' },
    },
    body: JSON.stringify({ model: ' GEMMA3:270M ', messages, keep_alive: -1, max_tokens: 3 }),
  })
  expect(response.status).toBe(200)
  const [request] = standIn.requests
  const names = Object.keys(request?.headers ?? {})
  for (const name of [
    'authorization',
    'x-api-key',
    'origin',
    'cookie',
    'x-forwarded-host',
    'openai-organization',
    'x-stainless-lang',
    'idempotency-key',
  ]) {
    expect(names).not.toContain(name)
  }
  expect(request?.headers['cf-access-client-id']).toBe(access.clientId)
  expect(request?.body).toMatchObject({ model: 'gemma3:270m', stream: true, max_tokens: 3 })
  expect(request?.body).not.toHaveProperty('keep_alive')
  expect(JSON.stringify([logs, await response.text(), [...response.headers]])).not.toMatch(/sk_[0-9a-f]{56}|test-not-a-secret/)
})

test('a token that Access does not take is the operator’s trouble, told without a secret', async () => {
  const { url, makeCustomer, logs } = await start({
    standIn: { access: { clientId: 'right', clientSecret: 'right' } },
    vars: { CF_ACCESS_CLIENT_ID: 'wrong-id', CF_ACCESS_CLIENT_SECRET: 'test-not-a-secret' },
  })
  const { key } = await makeCustomer({ budgetUsd: '1' })
  const response = await fetch(`${url}/api/chat`, {
    method: 'POST',
    headers: { 'x-api-key': key },
    body: JSON.stringify({ model: 'gemma3:270m', messages }),
  })
  const text = await response.text()
  expect([response.status, text]).toEqual([502, expect.stringMatching(/^\{"error":"[^"]+"\}$/)])
  expect(logs).toContainEqual(expect.objectContaining({ event: 'error', code: 'access_refused' }))
  expect(JSON.stringify([logs, text])).not.toMatch(/test-not-a-secret|wrong-id|cloudflareaccess/)
})

// The promise about time, counted: one D1 call before the host is asked, one after its answer; none for a key that cannot be one.
import { createExecutionContext, waitOnExecutionContext } from 'cloudflare:test'
import { env } from 'cloudflare:workers'
import { afterEach, beforeAll, expect, test, vi } from 'vitest'
import { app } from './app.ts'
import { ollamaChat } from './dialects/ollama.ts'
import { bodyBytes, type Capture, captureOf, requestBody } from './testing/captures.ts'
import { db, makeCustomer, makeKey, migrate, setPrice } from './testing/ledger.ts'

beforeAll(async () => {
  await migrate()
  await setPrice('*', { request: '0.001', input: '1', output: '1' })
})
afterEach(() => vi.restoreAllMocks())

/** Sends a capture's own request through the app, with the capture as the host's answer. Says how often D1 was called, and when. */
async function served(
  capture: Capture,
  key: string,
): Promise<{ response: Response; text: string; beforeHost: number | null; calls: number }> {
  let calls = 0
  let beforeHost: number | null = null
  const counted = {
    prepare(sql: string) {
      const statement = db.prepare(sql)
      const { bind } = statement
      // What is run by itself, not in a batch, is a call of its own.
      const alone = () => {
        calls++
        return Promise.reject(new Error('not in a batch'))
      }
      statement.bind = (...values) => Object.assign(bind.apply(statement, values), { all: alone, first: alone, run: alone })
      return statement
    },
    batch(statements: D1PreparedStatement[]) {
      calls++
      return db.batch(statements)
    },
  } as unknown as D1Database
  vi.spyOn(globalThis, 'fetch').mockImplementation(async () => {
    beforeHost = calls
    const headers = capture.response?.headers.filter(([name]) => name.toLowerCase() === 'content-type') ?? []
    return new Response(bodyBytes(capture), { status: capture.response?.status ?? 200, headers })
  })
  vi.spyOn(Math, 'random').mockReturnValue(0.5) // no sweep beside it
  const context = createExecutionContext()
  const request = new Request(`https://gateway.example${capture.request.path}`, {
    method: 'POST',
    headers: { authorization: `Bearer ${key}` },
    body: JSON.stringify(requestBody(capture)),
  })
  const response = await app.fetch(request, { ...env, DB: counted }, context)
  const text = new TextDecoder().decode(await response.arrayBuffer())
  await waitOnExecutionContext(context)
  return { response, text, beforeHost, calls }
}

test.for([
  'api-chat.stream',
  'v1-chat.stream.usage',
  'v1-responses.stream',
  'v1-messages.stream',
  'api-generate.stream',
  'v1-completions.stream.usage',
  'api-embed.one',
  'v1-embeddings.one',
])('%s: one D1 call before the host is asked, one after; the bytes are the host’s', async (name) => {
  const key = await makeKey(await makeCustomer({ budget: '1' }))
  const { response, text, beforeHost, calls } = await served(captureOf(name), key.key)
  expect([response.status, beforeHost, calls]).toEqual([200, 1, 2])
  expect(text).toBe(new TextDecoder().decode(bodyBytes(captureOf(name))))
  expect(await db.prepare('SELECT outcome FROM usage WHERE customer_id = ?').bind(key.customerId).first('outcome')).toBe('completed')
  expect(await db.prepare('SELECT count(*) AS n FROM holds WHERE customer_id = ?').bind(key.customerId).first('n')).toBe(0)
})

test('a key that is mistyped costs no D1 call, and a refusal two: the decision, and its reason', async () => {
  const { key } = await makeKey(await makeCustomer({ budget: '0' }))
  const mistyped = await served(captureOf('api-chat.stream'), `${key.slice(0, -1)}${key.endsWith('0') ? '1' : '0'}`)
  expect([mistyped.response.status, mistyped.beforeHost, mistyped.calls]).toEqual([401, null, 0])
  const refused = await served(captureOf('api-chat.stream'), key)
  expect([refused.response.status, refused.beforeHost, refused.calls]).toEqual([402, null, 2])
})

test('a caller who leaves during admission does not get the host, and pays nothing', async () => {
  const key = await makeKey(await makeCustomer({ budget: '1' }))
  const leaving = new AbortController()
  const host = vi.spyOn(globalThis, 'fetch').mockImplementation(async (_, init) => {
    init?.signal?.throwIfAborted()
    return new Response('{}')
  })
  const leavesMeanwhile = {
    prepare: (sql: string) => db.prepare(sql),
    async batch(statements: D1PreparedStatement[]) {
      const results = await db.batch(statements)
      leaving.abort()
      return results
    },
  } as unknown as D1Database
  const context = createExecutionContext()
  const request = new Request('https://gateway.example/api/chat', {
    method: 'POST',
    headers: { 'x-api-key': key.key },
    body: JSON.stringify({ model: 'm', messages: [{ role: 'user', content: 'x' }] }),
    signal: leaving.signal,
  })
  await app.fetch(request, { ...env, DB: leavesMeanwhile }, context)
  await waitOnExecutionContext(context)
  expect(host.mock.settledResults.filter(({ type }) => type === 'fulfilled')).toEqual([])
  expect(await db.prepare('SELECT outcome, cost_nano FROM usage WHERE customer_id = ?').bind(key.customerId).first()).toEqual({
    outcome: 'abandoned',
    cost_nano: 0,
  })
})

test('whatever goes wrong after admission, the hold is settled', async () => {
  const key = await makeKey(await makeCustomer({ budget: '1' }))
  vi.spyOn(ollamaChat, 'aggregate').mockImplementation(() => {
    throw new Error('nobody foresaw this')
  })
  const capture = captureOf('api-chat.stream')
  const { response } = await served(
    { ...capture, request: { ...capture.request, body: { ...requestBody(capture), stream: false } } },
    key.key,
  )
  expect(response.status).toBe(500)
  expect(await db.prepare('SELECT outcome, cost_nano FROM usage WHERE customer_id = ?').bind(key.customerId).first()).toEqual({
    outcome: 'failed',
    cost_nano: 0,
  })
})

test('a fault of D1 is told in the caller’s dialect, and nothing of it is shown', async () => {
  const { key } = await makeKey(await makeCustomer({ budget: '1' }))
  const broken = {
    prepare: () => ({ bind: () => ({}) }),
    batch: () => Promise.reject(new Error('D1_ERROR: secret_table is gone')),
  } as unknown as D1Database
  const request = new Request('https://gateway.example/v1/messages', {
    method: 'POST',
    headers: { 'x-api-key': key },
    body: JSON.stringify({ model: 'm', max_tokens: 5, messages: [{ role: 'user', content: 'x' }] }),
  })
  const response = await app.fetch(request, { ...env, DB: broken }, createExecutionContext())
  expect(response.status).toBe(500)
  const text = await response.text()
  expect(JSON.parse(text)).toMatchObject({ type: 'error', error: { type: 'api_error' } })
  expect(text).not.toMatch(/secret_table/)
})

// A host that misbehaves: what the caller is told, in every dialect, and what is charged for it.
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest'
import type { Fault } from '../host/stand-in/server.ts'
import { startTestGateway, type TestGateway } from './harness.ts'
import { expectProved, settled, type UsageRow, usageOf } from './ledger.ts'

let gateway: TestGateway

beforeAll(async () => {
  gateway = await startTestGateway({
    vars: { FIRST_BYTE_TIMEOUT_SECONDS: '1', IDLE_TIMEOUT_SECONDS: '1', STREAM_BUFFER_BYTES: '33554432' },
  })
  await gateway.setPrice('*', { request: '0.0001', input: '1', output: '1' })
})
afterEach(() => gateway.standIn.reset())
afterAll(() => gateway.stop())

const messages = [{ role: 'user', content: 'Why is the sky blue?' }]
interface Route {
  path: string
  body: Record<string, unknown>
  /** How the dialect says that a stream has failed. */
  error: RegExp
  limit: Record<string, unknown>
}
const ROUTES: Route[] = [
  { path: '/api/chat', body: { messages }, error: /^\{"error":"[^"]+"\}\n$/m, limit: { options: { num_predict: 20 } } },
  { path: '/api/generate', body: { prompt: 'Why?' }, error: /^\{"error":"[^"]+"\}\n$/m, limit: { options: { num_predict: 20 } } },
  // With its usage asked for it passes natively, which the next one does not.
  {
    path: '/v1/chat/completions',
    body: { messages, stream_options: { include_usage: true } },
    error: /^data: \{"error":\{"message":"[^"]+"/m,
    limit: { max_tokens: 20 },
  },
  { path: '/v1/completions', body: { prompt: 'Why?' }, error: /^data: \{"error":\{"message":"[^"]+"/m, limit: { max_tokens: 10 } },
  { path: '/v1/responses', body: { input: 'Why?' }, error: /^event: error\ndata: \{"type":"error"/m, limit: { max_output_tokens: 20 } },
  { path: '/v1/messages', body: { messages }, error: /^event: error\ndata: \{"type":"error","error":/m, limit: { max_tokens: 20 } },
]

async function ask(
  route: Route,
  stream: boolean,
  fault: Fault | null,
): Promise<{ status: number; text: string; headers: Headers; row: UsageRow | undefined }> {
  const customer = await gateway.makeCustomer({ budgetUsd: '1' })
  if (fault !== null) gateway.standIn.fault(fault)
  const response = await fetch(`${gateway.url}${route.path}`, {
    method: 'POST',
    headers: { authorization: `Bearer ${customer.key}` },
    body: JSON.stringify({ model: 'gemma3:270m', ...route.body, ...route.limit, stream }),
  })
  const text = await response.text()
  await settled(gateway.db)
  const rows = await usageOf(gateway.db, customer.id)
  expect(rows.length).toBe(1)
  return { status: response.status, text, headers: response.headers, row: rows[0] }
}

test.for(ROUTES)('$path: a stream without its end is told as an error, and charged for what was delivered', async (route) => {
  for (const fault of [{ kind: 'no-terminator' }, { kind: 'error-line', afterChunks: 8 }, { kind: 'broken', afterChunks: 8 }] as Fault[]) {
    const { status, text, row } = await ask(route, true, fault)
    expect([fault.kind, status, route.error.test(text)]).toEqual([fault.kind, 200, true])
    expect([fault.kind, row?.outcome, row?.estimated]).toEqual([fault.kind, 'failed', 1])
    // $0.0001 and the tokens that came
    expect(row?.cost_nano).toBeGreaterThan(100_000)
    expect(row?.output_tokens).toBeGreaterThan(3)
  }
})

test.for(ROUTES)('$path: an answer in one piece that has no end is a 502 and costs nothing', async (route) => {
  for (const fault of [{ kind: 'no-terminator' }, { kind: 'error-line', afterChunks: 8 }, { kind: 'broken', afterChunks: 8 }] as Fault[]) {
    const { status, row } = await ask(route, false, fault)
    expect([fault.kind, status, row?.outcome, row?.cost_nano]).toEqual([fault.kind, 502, 'failed', 0])
  }
})

test.for(ROUTES)('$path: a host that falls silent is given up, and the caller told', { timeout: 120_000 }, async (route) => {
  const { text, row } = await ask(route, true, { kind: 'stall', afterChunks: 5 })
  expect(text).toMatch(route.error)
  expect(text).toMatch(/fell silent/)
  expect(row).toMatchObject({ outcome: 'failed', estimated: 1 })
})

test('no first byte in time is a 504, and costs nothing', async () => {
  for (const stream of [true, false]) {
    const { status, row } = await ask(ROUTES[2] as Route, stream, { kind: 'no-header' })
    expect([status, row?.outcome, row?.cost_nano]).toEqual([504, 'failed', 0])
  }
  await gateway.standIn.idle()
})

test('what the host refuses is told in the caller’s dialect, with what helps', async () => {
  const cases: [fault: Fault, status: number, code: string, retryAfter: string | null][] = [
    [
      { kind: 'status', status: 503, body: '{"error":"server busy, please try again.  maximum pending requests exceeded"}' },
      503,
      'host_busy',
      '2',
    ],
    [{ kind: 'status', status: 500, body: '{"error":"an error was encountered while running the model"}' }, 502, 'upstream_error', null],
    [{ kind: 'status', status: 400, body: '{"error":{"message":"does not support tools"}}' }, 400, 'invalid_request', null],
    [
      { kind: 'status', status: 502, body: '<html>bad gateway</html>', headers: { 'content-type': 'text/html' } },
      503,
      'upstream_unavailable',
      '5',
    ],
    [{ kind: 'status', status: 524, body: 'error code: 524' }, 504, 'upstream_timeout', null],
    [{ kind: 'status', status: 530, body: 'error code: 1033' }, 503, 'upstream_unavailable', '5'],
    [{ kind: 'status', status: 200, body: '<html>welcome</html>', headers: { 'content-type': 'text/html' } }, 502, 'upstream_error', null],
    [{ kind: 'redirect', location: 'http://127.0.0.1:1/elsewhere' }, 502, 'upstream_error', null],
  ]
  for (const [fault, status, code, retryAfter] of cases) {
    const answer = await ask(ROUTES[2] as Route, false, fault)
    const { error } = JSON.parse(answer.text) as { error: { code: string; message: string } }
    expect([fault, answer.status, error.code, answer.headers.get('retry-after')]).toEqual([fault, status, code, retryAfter])
    expect([answer.row?.outcome, answer.row?.cost_nano]).toEqual(['failed', 0])
  }
})

test.for(ROUTES)('$path: zero counts on an answer with text are billed by an estimate', async (route) => {
  const { status, row } = await ask(route, true, { kind: 'zero-counts' })
  expect([status, row?.outcome, row?.estimated]).toEqual([200, 'completed', 1])
  expect(row?.output_tokens).toBeGreaterThan(5)
})

test.for(ROUTES)('$path: bytes come through unchanged however they are cut', async (route) => {
  const whole = await ask(route, true, null)
  for (const bytes of [1, 7, 1000]) {
    const cut = await ask(route, true, { kind: 'split', bytes })
    expect(cut.text).toBe(whole.text)
    expect([cut.row?.input_tokens, cut.row?.output_tokens, cut.row?.cost_nano]).toEqual([
      whole.row?.input_tokens,
      whole.row?.output_tokens,
      whole.row?.cost_nano,
    ])
  }
})

test('a frame of 20 MB passes, and what follows is metered', { timeout: 120_000 }, async () => {
  const { text, row } = await ask(ROUTES[0] as Route, true, { kind: 'huge-frame', bytes: 20_000_000 })
  expect(text.length).toBeGreaterThan(20_000_000)
  expect(row).toMatchObject({ outcome: 'completed', estimated: 0 })
})

test('after all of that the ledger is proved', () => expectProved(gateway.db))

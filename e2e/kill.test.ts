// `kill`: the owner ends a running request. It is cut soon, its caller told in their dialect, and it is settled once, for what was delivered.
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest'
import { runCommand } from '../scripts/admin/run-command.ts'
import { runOnD1 } from '../scripts/database/d1.ts'
import { databaseOver } from '../scripts/database/database.ts'
import { startTestGateway, type TestGateway } from './harness.ts'
import { expectProved, settled, usageOf, usageRow } from './ledger.ts'
import { streamingCall } from './streaming-call.ts'

let gateway: TestGateway

beforeAll(async () => {
  const vars = { KILL_CHECK_SECONDS: '1', HOST_CONCURRENCY: '100', READ_ON_SECONDS: '20' }
  gateway = await startTestGateway({ vars, vendors: ['openai', 'anthropic'] })
  await gateway.setPrice('*', { request: '0.0001', input: '1', output: '1' })
  await gateway.setPrice('gpt-test', { input: '1', output: '10', upstream: 'openai' })
})
beforeEach(() => {
  gateway.standIn.reset()
  gateway.standIn.setPace('instant')
})
afterAll(() => gateway.stop())

/** The command, on the running gateway's database. */
function kill(id: string, ...more: string[]) {
  const db = databaseOver({ run: (statements) => runOnD1(gateway.db, statements), migrateHint: '', close: async () => {} })
  return runCommand(['kill', id, '--yes', ...more], { environment: { GATEWAY_ADMIN: 'grace' } }, async () => ({ db, gateway: null }))
}

/** The id of a customer's running request, once it is admitted. */
async function runningId(customerId: number): Promise<string> {
  const find = () => gateway.db.prepare('SELECT id FROM holds WHERE customer_id = ?').bind(customerId).first<string>('id')
  await expect.poll(find).not.toBeNull()
  return (await find()) as string
}

function post(path: string, key: string, body: unknown): Promise<Response> {
  return fetch(`${gateway.url}${path}`, { method: 'POST', headers: { authorization: `Bearer ${key}` }, body: JSON.stringify(body) })
}

const messages = [{ role: 'user', content: 'Why is the sky blue?' }]
/** The third passes natively, the fourth through JavaScript. */
const ROUTES: [path: string, separator: string, body: Record<string, unknown>, told: RegExp][] = [
  ['/api/chat', '\n', { messages }, /\n\{"error":"The operator ended this request[^"]*"\}\n$/],
  ['/api/generate', '\n', { prompt: 'Why?' }, /\n\{"error":"The operator ended this request[^"]*"\}\n$/],
  [
    '/v1/chat/completions',
    '\n\n',
    { messages, stream_options: { include_usage: true } },
    /data: \{"error":\{"message":"The operator ended.*"code":"ended_by_operator"/,
  ],
  ['/v1/chat/completions', '\n\n', { messages }, /data: \{"error":\{"message":"The operator ended.*"code":"ended_by_operator"/],
  ['/v1/completions', '\n\n', { prompt: 'Why?' }, /data: \{"error":\{"message":"The operator ended.*"code":"ended_by_operator"/],
  ['/v1/responses', '\n\n', { input: 'Why?' }, /event: error\ndata: \{"type":"error".*The operator ended/],
  ['/v1/messages', '\n\n', { messages, max_tokens: 50 }, /event: error\ndata: \{"type":"error",.*"permission_error".*The operator ended/],
]

test('a stream is cut, in each dialect with its words, and charged for what was delivered', async () => {
  await Promise.all(
    ROUTES.map(async ([path, separator, body, told]) => {
      gateway.standIn.fault({ kind: 'stall', afterChunks: 8, path })
      const customer = await gateway.makeCustomer({ budgetUsd: '1' })
      const call = streamingCall(gateway.url, path, customer.key, { model: 'gemma3:270m', ...body, stream: true })
      await call.frames(4, separator)
      const id = await runningId(customer.id)
      const { code, out, err } = await kill(id)
      expect([path, code, err]).toEqual([path, 0, ''])
      expect(out).toMatch(/^Request [0-9a-f-]+ has ended: failed, charged \$0\.000\d+\.\n$/)
      // It ends properly, with the error as its last words.
      expect([path, await call.ended]).toEqual([path, true])
      expect(call.body()).toMatch(told)
      expect(call.body()).toContain('what came until then is charged')
      const row = await usageRow(gateway.db, id)
      expect(row).toMatchObject({ outcome: 'failed', estimated: 1 })
      // $0.0001 and the tokens that came
      expect(row.cost_nano).toBeGreaterThan(100_000)
      expect(row.output_tokens).toBeGreaterThan(0)
    }),
  )
  await gateway.standIn.idle()
  expect(gateway.standIn.requests.map(({ closedEarly }) => closedEarly)).toEqual(ROUTES.map(() => true))
  await expectProved(gateway.db)
})

test('a request without its first byte, and one that is to come in one piece, end too: told, and for nothing', async () => {
  const cases = [
    [{ kind: 'no-header', path: '/api/chat' }, '/api/chat', { messages }],
    [{ kind: 'no-header', path: '/v1/messages' }, '/v1/messages', { messages, max_tokens: 50, stream: true }],
    [{ kind: 'stall', afterChunks: 5, path: '/v1/chat/completions' }, '/v1/chat/completions', { messages }],
    [{ kind: 'stall', afterChunks: 0, path: '/api/embed' }, '/api/embed', { model: 'embed-small', input: 'x' }],
  ] as const
  await Promise.all(
    cases.map(async ([fault, path, body]) => {
      gateway.standIn.fault(fault)
      const customer = await gateway.makeCustomer({ budgetUsd: '1' })
      const asked = post(path, customer.key, { model: 'gemma3:270m', ...body })
      const id = await runningId(customer.id)
      expect(JSON.parse((await kill(id, '--json')).out)).toMatchObject({ id, state: 'ended', outcome: 'failed', cost_usd: '0' })
      const answer = await asked
      expect([path, answer.status, answer.headers.get('x-should-retry')]).toEqual([path, 403, 'false'])
      expect(await answer.text()).toMatch(/The operator ended this request: nothing is charged/)
      expect(await usageRow(gateway.db, id)).toMatchObject({ outcome: 'failed', cost_nano: 0 })
    }),
  )
  await gateway.standIn.idle()
  await expectProved(gateway.db)
})

test('of a stream that flows the rest does not come, and of eight in flight only the one that is meant ends', async () => {
  gateway.standIn.setPace(60)
  const customer = await gateway.makeCustomer({ budgetUsd: '1' })
  const victim = await gateway.makeCustomer({ budgetUsd: '1' })
  const long = { model: 'gemma3:270m', messages: [{ role: 'user', content: 'Something long.' }], options: { num_predict: 150 } }
  const others = Array.from({ length: 7 }, () => streamingCall(gateway.url, '/api/chat', customer.key, long))
  const meant = streamingCall(gateway.url, '/api/chat', victim.key, long)
  await Promise.all([...others, meant].map((call) => call.frames(2, '\n')))
  const id = await runningId(victim.id)
  expect((await kill(id)).out).toContain('has ended: failed')
  expect(await meant.ended).toBe(true)
  expect(meant.body()).toMatch(/The operator ended/)
  await Promise.all(others.map(({ ended }) => ended))
  for (const other of others) expect(other.body()).toMatch(/"done":true/)
  await settled(gateway.db)
  expect((await usageOf(gateway.db, customer.id)).map(({ outcome }) => outcome)).toEqual(others.map(() => 'completed'))
  const [row] = await usageOf(gateway.db, victim.id)
  // What was delivered, and no more than a look's time beside it: far from the whole.
  expect(row?.output_tokens).toBeGreaterThan(1)
  expect(row?.output_tokens).toBeLessThan(140)
  await expectProved(gateway.db)
})

test('killed twice it ends once, and whoever kills what has ended is told so', async () => {
  gateway.standIn.fault({ kind: 'stall', afterChunks: 5 })
  const customer = await gateway.makeCustomer({ budgetUsd: '1' })
  const call = streamingCall(gateway.url, '/api/chat', customer.key, { model: 'gemma3:270m', messages })
  await call.frames(3, '\n')
  const id = await runningId(customer.id)
  const [first, second] = await Promise.all([kill(id), kill(id)])
  for (const { code, out } of [first, second]) expect([code, out]).toEqual([0, expect.stringContaining('has ended: failed')])
  expect((await kill(id)).out).toMatch(/had ended before, at .* UTC: failed, charged \$.* Nothing was changed\.\n$/)
  expect(await usageOf(gateway.db, customer.id)).toHaveLength(1)
  const { results: notes } = await gateway.db.prepare('SELECT who, target FROM audit_log WHERE target = ?').bind(`request ${id}`).all()
  expect(notes).toEqual([{ who: 'grace', target: `request ${id}` }])
  const [line] = gateway.logs.filter((entry) => (entry as { request_id?: string }).request_id === id)
  expect(line).toMatchObject({ event: 'request', outcome: 'failed', code: 'killed', customer_id: customer.id })
})

test('killed while it ends, it is settled once, whichever comes first', async () => {
  gateway.standIn.setPace(25)
  const customer = await gateway.makeCustomer({ budgetUsd: '1' })
  const body = { model: 'gemma3:270m', messages, options: { num_predict: 40 } }
  await Promise.all(
    Array.from({ length: 20 }, async (_, index) => {
      const call = streamingCall(gateway.url, '/api/chat', customer.key, body)
      await call.frames(20 + index, '\n')
      // All that run, so also those that are about to end.
      await gateway.db.prepare('UPDATE holds SET killed_ms = 1 WHERE customer_id = ?').bind(customer.id).run()
      await call.ended
    }),
  )
  await settled(gateway.db)
  const rows = await usageOf(gateway.db, customer.id)
  expect(rows).toHaveLength(20)
  for (const { outcome } of rows) expect(outcome).toMatch(/^(completed|failed)$/)
  await expectProved(gateway.db)
})

test("a vendor's stream is not read on: it is cut, and charged for the input and what was delivered", async () => {
  const played = gateway.vendors.openai.play({ holdOpen: 3 })
  const customer = await gateway.makeCustomer({ budgetUsd: '1' })
  const asked = gateway.vendors.openai.nextRequest()
  const call = streamingCall(gateway.url, '/v1/chat/completions', customer.key, {
    model: 'gpt-test',
    messages,
    max_tokens: 400,
    stream: true,
  })
  await played.held
  await call.frames(2, '\n\n')
  const id = await runningId(customer.id)
  expect((await kill(id)).out).toMatch(/has ended: failed, charged \$0\.\d+/)
  expect(await (await asked).closed).toBe(true)
  expect(await call.ended).toBe(true)
  expect(call.body()).toMatch(/"code":"ended_by_operator"/)
  const row = await usageRow(gateway.db, id)
  expect(row).toMatchObject({ outcome: 'failed', estimated: 1, upstream: 'openai' })
  expect(row.input_tokens).toBeGreaterThan(0)
})

test("a vendor's answer that is read on for a caller who left ends at once, and they pay as who leaves", async () => {
  const played = gateway.vendors.openai.play({ holdOpen: 3 })
  const customer = await gateway.makeCustomer({ budgetUsd: '1' })
  const asked = gateway.vendors.openai.nextRequest()
  const call = streamingCall(gateway.url, '/v1/chat/completions', customer.key, {
    model: 'gpt-test',
    messages,
    max_tokens: 400,
    stream: true,
  })
  await played.held
  await call.frames(2, '\n\n')
  const id = await runningId(customer.id)
  call.hangUp()
  expect((await kill(id)).out).toContain('has ended: abandoned')
  expect(await (await asked).closed).toBe(true)
  expect(await usageRow(gateway.db, id)).toMatchObject({ outcome: 'abandoned', estimated: 1 })
  await expectProved(gateway.db)
})

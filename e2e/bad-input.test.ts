// What a caller adds to a request to steer the host, or to be taken for someone else, stays here: the host sees what the gateway says, and no more.
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest'
import type { RecordedRequest } from '../host/stand-in/server.ts'
import { startTestGateway, type TestGateway } from './harness.ts'
import { expectProved, settled, usageOf } from './ledger.ts'
import { type RawAnswer, ROUTES, rawRequest } from './raw-request.ts'

const ACCESS = { clientId: 'box.access', clientSecret: 'swordfish' }
let gateway: TestGateway
const answers: RawAnswer[] = []

beforeAll(async () => {
  gateway = await startTestGateway({ standIn: { access: ACCESS } })
  await gateway.setPrice('*', { request: '0.001', input: '1', output: '2' })
})
beforeEach(() => gateway.standIn.reset())
afterAll(() => gateway.stop())

/** The one request that reached the host. */
function reached(): RecordedRequest {
  const [request, ...rest] = gateway.standIn.requests
  if (request === undefined || rest.length > 0) throw new Error(`${rest.length + (request ? 1 : 0)} requests reached the host`)
  return request
}

const HOSTILE = {
  host: 'evil.example',
  origin: 'https://evil.example',
  referer: 'https://evil.example/page',
  cookie: 'CF_Authorization=x; session=y',
  'accept-encoding': 'gzip, br',
  'accept-language': 'de',
  'cf-access-client-id': 'mine',
  'cf-access-client-secret': 'mine',
  'cf-access-token': 'mine',
  'cf-connecting-ip': '10.0.0.1',
  'x-forwarded-for': '10.0.0.1',
  'x-forwarded-host': 'evil.example',
  'x-http-method-override': 'DELETE',
  'x-original-url': '/api/pull',
  'x-rewrite-url': '/api/pull',
  'x-request-id': 'mine',
  'x-stainless-os': 'Linux',
  'anthropic-version': '2023-06-01',
  'anthropic-beta': 'x',
  'openai-organization': 'org-x',
  'user-agent': 'curl/8',
  connection: 'close, x-hop',
  'x-hop': 'x',
  te: 'trailers',
  range: 'bytes=0-10',
  'if-none-match': '*',
  traceparent: '00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01',
}
/** All that may reach the host; `cf-worker` is put there by the platform. */
const PASSED = ['accept', 'cf-access-client-id', 'cf-access-client-secret', 'cf-worker', 'content-length', 'content-type', 'host']

test.for(ROUTES)("$path: the host gets none of the caller's headers, and no query", async ({ path, body }) => {
  const { key } = await gateway.makeCustomer({ budgetUsd: '1' })
  const headers = { ...HOSTILE, 'x-api-key': key, 'content-type': 'text/plain' }
  const answer = await rawRequest(gateway.url, { path: `${path}?beta=true&key=${key}`, key, headers, body })
  answers.push(answer)
  expect(answer.status).toBe(200)
  expect(answer.headers['x-request-id']).toMatch(/^[0-9a-f-]{36}$/)
  const seen = reached()
  expect([seen.method, seen.path]).toEqual(['POST', path])
  expect(Object.keys(seen.headers).filter((name) => !PASSED.includes(name))).toEqual([])
  expect(seen.headers).toMatchObject({
    host: new URL(gateway.standIn.url).host,
    'content-type': 'application/json',
    'cf-access-client-id': ACCESS.clientId,
    'cf-access-client-secret': ACCESS.clientSecret,
  })
  expect(JSON.stringify(seen)).not.toContain(key.slice(3))
})

const OWNERS = { keep_alive: -1, shift: true, _debug_render_only: true }
const RELOADING = { num_ctx: 131_072, num_batch: 1, num_gpu: 0, main_gpu: 1, use_mmap: false, num_thread: 64, draft_num_predict: 9 }

test.for(ROUTES)(
  "$path: the owner's fields are taken out, unknown ones go through, and the bytes are written anew",
  async ({ path, body }) => {
    const { key, id } = await gateway.makeCustomer({ budgetUsd: '1' })
    const native = path.startsWith('/api/')
    const options = native ? { options: { ...(body.options as object), ...RELOADING, mirostat: 1 } } : {}
    const spelled = String(body.model).toUpperCase()
    const text = JSON.stringify({ ...body, ...OWNERS, ...options, model: ` ${spelled} `, new_field: { a: [1, '\u00e9', null] } }, null, 4)
    const answer = await rawRequest(gateway.url, { path, key, body: text.replace('"new_field"', '"new\\u005ffield"') })
    answers.push(answer)
    expect(answer.status).toBe(200)
    const { body: sent, headers } = reached()
    const forwarded = sent as Record<string, unknown>
    expect(forwarded).toMatchObject({ model: body.model, new_field: { a: [1, 'é', null] } })
    for (const field of Object.keys(OWNERS)) expect(forwarded).not.toHaveProperty(field)
    for (const field of Object.keys(RELOADING)) expect(forwarded.options ?? {}).not.toHaveProperty(field)
    if (native) expect(forwarded.options).toMatchObject({ mirostat: 1 })
    expect(Number(headers['content-length'])).toBe(Buffer.byteLength(JSON.stringify(forwarded)))
    await settled(gateway.db)
    expect(await usageOf(gateway.db, id)).toMatchObject([{ outcome: 'completed', model: body.model }])
  },
)

test.for(ROUTES)('$path: a prototype in the body lifts no limit', async ({ path, body }) => {
  const { key } = await gateway.makeCustomer({ budgetUsd: '1' })
  const polluted = `{"keep_alive":-1,"stream":false,"num_predict":-1,"max_tokens":-1,"model":"gemma3:1b"}`
  const text = JSON.stringify({
    ...body,
    '@1': 1,
    ...(path.startsWith('/api/') ? { options: { ...(body.options as object), '@2': 1 } } : {}),
  })
  const answer = await rawRequest(gateway.url, { path, key, body: text.replace(/"@\d":1/g, `"__proto__":${polluted}`) })
  expect(answer.status).toBe(200)
  const { model, options, max_tokens, max_output_tokens } = reached().body as Record<string, never>
  expect(model).toBe(body.model)
  if (!/embed/.test(path)) {
    const { num_predict } = (options ?? {}) as { num_predict?: number }
    expect(num_predict ?? max_tokens ?? max_output_tokens).toBe(8)
  }
})

test.for(ROUTES)("$path: the caller gets none of the host's headers", async ({ path, body }) => {
  const { key } = await gateway.makeCustomer({ budgetUsd: '1' })
  const headers = {
    'set-cookie': 'CF_Authorization=x',
    server: 'cloudflare',
    'cf-ray': 'x',
    'x-ollama': 'x',
    'access-control-allow-origin': '*',
  }
  const whole: Record<string, unknown> = {
    '/api/embed': { embeddings: [[1]] },
    '/api/embeddings': { embedding: [1] },
    '/v1/embeddings': { data: [] },
  }
  gateway.standIn.fault({
    kind: 'status',
    status: 200,
    body: whole[path] ?? '{}',
    headers: { ...headers, 'content-type': 'application/json' },
  })
  const answer = await rawRequest(gateway.url, { path, key, body })
  answers.push(answer)
  for (const name of Object.keys(headers)) expect(answer.headers).not.toHaveProperty(name)
})

test('no answer and no line of the log holds a key or the token of Access', async () => {
  await expectProved(gateway.db)
  const told = JSON.stringify([answers.map(({ headers, text }) => [headers, text]), gateway.logs])
  expect(told.match(/sk_[0-9a-f]{20,}|swordfish|box\.access/gi) ?? []).toEqual([])
})

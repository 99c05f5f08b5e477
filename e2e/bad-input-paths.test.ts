// Wrong methods, odd paths, and the routes that are the owner's: refused in the envelope that the path speaks, with nothing asked of the host.
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from 'vitest'
import { startTestGateway, type TestGateway } from './harness.ts'
import { expectNoTrace, expectRefused, type RawAnswer, type RawRequest, ROUTES, rawRequest } from './raw-request.ts'

let gateway: TestGateway
let key: string
const answers: RawAnswer[] = []

beforeAll(async () => {
  gateway = await startTestGateway()
  await gateway.setPrice('*', { request: '0.001', input: '1', output: '2' })
  ;({ key } = await gateway.makeCustomer({ budgetUsd: '1' }))
})
beforeEach(() => gateway.standIn.reset())
afterEach(() => {
  expect(gateway.standIn.requests.filter(({ method, path }) => method !== 'GET' || !/^\/api\/(tags|version|ps)$/.test(path))).toEqual([])
})
afterAll(() => gateway.stop())

const chat = { model: 'gemma3:270m', messages: [{ role: 'user', content: 'x' }], options: { num_predict: 8 } }

async function send(request: RawRequest): Promise<RawAnswer> {
  const answer = await rawRequest(gateway.url, { key, ...request })
  answers.push(answer)
  return answer
}

const POSTED = [
  ...ROUTES.map(({ path, family }) => ({ path, family })),
  { path: '/v1/messages/count_tokens', family: 'anthropic' as const },
  { path: '/api/show', family: 'ollama' as const },
]

test.for(POSTED)('$path takes POST alone', async ({ path, family }) => {
  for (const method of ['GET', 'PUT', 'DELETE', 'PATCH', 'OPTIONS', 'TRACE', 'PROPFIND']) {
    const answer = await send({ method, path, ...(method === 'PUT' || method === 'PATCH' ? { body: chat } : {}) })
    const message = new RegExp(`${path} takes POST, not ${method}`)
    expectRefused(answer, family, { status: 405, code: 'method_not_allowed', message })
    expect(answer.headers.allow).toBe('POST')
  }
  const head = await send({ method: 'HEAD', path })
  expect([head.status, head.text, head.headers.allow]).toEqual([405, '', 'POST'])
})

const READ: { path: string; family: 'ollama' | 'openai'; keyless?: true }[] = [
  { path: '/', family: 'ollama', keyless: true },
  { path: '/api/version', family: 'ollama', keyless: true },
  { path: '/health', family: 'ollama', keyless: true },
  { path: '/health/ollama', family: 'ollama', keyless: true },
  { path: '/openapi.json', family: 'ollama', keyless: true },
  { path: '/api/tags', family: 'ollama' },
  { path: '/api/models', family: 'ollama' },
  { path: '/api/ps', family: 'ollama' },
  { path: '/v1/models', family: 'openai' },
  { path: '/v1/models/gemma3:270m', family: 'openai' },
  { path: '/account/budget', family: 'ollama' },
  { path: '/account/usage', family: 'ollama' },
  { path: '/account/requests', family: 'ollama' },
]

test.for(READ)('$path takes GET and HEAD alone', async ({ path, family, keyless }) => {
  for (const method of ['POST', 'PUT', 'DELETE', 'PATCH', 'OPTIONS']) {
    const answer = await send({ method, path, body: '{}' })
    expectRefused(answer, family, { status: 405, code: 'method_not_allowed', message: new RegExp(`takes GET, HEAD, not ${method}`) })
    expect(answer.headers.allow).toBe('GET, HEAD')
  }
  const whole = await send({ method: 'GET', path })
  const head = await send({ method: 'HEAD', path })
  expect([whole.status, head.status, head.text]).toEqual([200, 200, ''])
  if (keyless) expect((await rawRequest(gateway.url, { method: 'HEAD', path })).status).toBe(200)
})

test('a page of another site gets no leave to call', async () => {
  const headers = {
    origin: 'https://evil.example',
    'access-control-request-method': 'POST',
    'access-control-request-headers': 'authorization',
  }
  for (const { path } of [...POSTED, ...READ]) {
    const preflight = await send({ method: 'OPTIONS', path, headers })
    expect(preflight.status).toBe(405)
    const granted = Object.keys(preflight.headers).filter((name) => name.startsWith('access-control-'))
    expect(granted).toEqual([])
  }
})

/** Spellings that a lenient proxy would take for /api/chat, for an owner's route, or for a file. */
const ODD = [
  ...[
    '//api/chat',
    '/api//chat',
    '/api/chat/',
    '/api/chat//',
    '/API/chat',
    '/api/CHAT',
    '/Api/Chat',
    '/api/chat;x',
    '/api/chat;x=1',
    '/api;/chat',
  ],
  ...[
    '/api%2fchat',
    '/api%2Fchat',
    '/%2fapi/chat',
    '/api/chat%2f',
    '/api/chat%00',
    '/api/chat%20',
    '/api/chat%',
    '/api/chat%zz',
    '/api%5cchat',
  ],
  ...['/api\\chat', '/api/./chat', '/./api/chat', '/api/../api/pull', '/../api/pull', '/api/x/../chat', '/v1/../api/pull'],
  ...[
    '/api/%2e%2e/api/pull',
    '/api/..%2fapi/pull',
    '/api/.%2e/pull',
    '/api/chat/../pull',
    '/api',
    '/api/',
    '/v1',
    '/v1/',
    '/v1/chat',
    '/nothing',
  ],
  ...[
    '/.env',
    '/.git/config',
    '/wp-login.php',
    '/stand-in/requests',
    '/stand-in/control',
    '/cdn-cgi/trace',
    '/__proto__',
    '/constructor',
    '*',
  ],
  ...['/v1/audio/transcriptions', '/v1/images/generations', '/v1/files', '/v1/responses/resp_1', '/v1/messages/batches', '/v1/systemone'],
  ...[
    '/account',
    '/account/',
    '/account/budget/',
    '/account/requests/',
    '/account/customers',
    '/admin',
    '/metrics',
    '/health/',
    '/openapi.json/',
  ],
]

test.for(ODD)('%s is not found', async (path) => {
  const family = path.startsWith('/v1/messages') ? 'anthropic' : path.startsWith('/v1') ? 'openai' : 'ollama'
  for (const method of ['POST', 'GET', 'DELETE']) {
    const answer = await send({ method, path, ...(method === 'POST' ? { body: chat } : {}) })
    expectRefused(answer, family, { status: 404, code: 'not_found', message: /There is no .* here: GET \/openapi\.json/ })
    expect(answer.text.length).toBeLessThan(400)
  }
})

test('a path is shown cut to its first 100 characters', async () => {
  const answer = await send({ method: 'GET', path: `/${'x'.repeat(5000)}` })
  expectRefused(answer, 'ollama', { status: 404, code: 'not_found', message: /^There is no \/x{99} here/ })
})

const OWNERS = [
  ...['/api/pull', '/api/push', '/api/create', '/api/copy', '/api/delete', '/api/blobs/sha256:0', '/api/me', '/api/signout', '/api/status'],
  ...['/api/experimental/web_search', '/api/user/keys/x', '/api/pull/', '/api/pull?x=1', '/api/pull/../chat', '/api/delete/%2e%2e/chat'],
]

test.for(OWNERS)("%s is the owner's alone, with or without a key", async (path) => {
  for (const method of ['GET', 'POST', 'PUT', 'DELETE', 'PATCH', 'OPTIONS']) {
    for (const headers of [{}, { authorization: 'Bearer nonsense' }]) {
      const body = method === 'POST' ? { body: { model: 'gemma3:270m', name: 'gemma3:270m' } } : {}
      const answer = await send({ method, path, headers, ...body })
      expectRefused(answer, 'ollama', { status: 403, code: 'route_forbidden', message: /owner alone/ })
    }
  }
  const head = await send({ method: 'HEAD', path })
  expect([head.status, head.text]).toEqual([403, ''])
})

test("an owner's route escaped is no route at all, and not the owner's", async () => {
  for (const path of ['/api/PULL', '/API/pull', '/api//pull', '//api/pull', '/api%2fpull', '/v1/pull', '/api/pull;x', '/api/pullx']) {
    expectRefused(await send({ path, body: {} }), path.startsWith('/v1') ? 'openai' : 'ollama', {
      status: 404,
      code: 'not_found',
      message: /There is no/,
    })
  }
})

test("another customer's request is not there", async () => {
  for (const id of ['01a20d50-8d83-705c-9bfd-dcb572402703', '%', '%25', "'%20OR%201=1--", '..', 'x'.repeat(3000)]) {
    const answer = await send({ method: 'GET', path: `/account/requests/${id}` })
    expectRefused(answer, 'ollama', { status: 404, code: 'not_found', message: /no such request/ })
  }
})

test('a range of days that makes no sense is refused by its end', async () => {
  const days = [
    'x',
    '',
    '1',
    '2026-13-01',
    '2026-02-31',
    '-2026-01-01',
    '2026-11-24T00:00:00Z',
    "'%20OR%201=1--",
    '2026-11-01&from=2026-11-02',
  ]
  for (const day of days) {
    for (const end of ['from', 'to']) {
      const answer = await send({ method: 'GET', path: `/account/usage?${end}=${day.replace('from', end)}` })
      expectRefused(answer, 'ollama', {
        status: 400,
        code: 'invalid_request',
        message: new RegExp(`^${end}: must be a date such as \\d{4}-`),
      })
    }
  }
  const answer = await send({ method: 'GET', path: '/account/usage?from=2026-11-24&to=2026-11-23' })
  expectRefused(answer, 'ollama', { status: 400, code: 'invalid_request', message: /^from: must not be after to/ })
})

test('an error is in the dialect of its route, whatever headers come along', async () => {
  for (const { path, family } of POSTED) {
    for (const headers of [{ 'anthropic-version': '2023-06-01' }, { 'openai-organization': 'x' }]) {
      const answer = await send({ path, headers, body: { model: 7 } })
      expectRefused(answer, family, { status: 400, code: 'invalid_request', message: /model/ })
    }
  }
  const anthropic = await send({ method: 'GET', path: '/v1/models/nope', headers: { 'anthropic-version': '2023-06-01' } })
  expectRefused(anthropic, 'anthropic', { status: 404, code: 'model_not_found', message: /"nope" is not offered/ })
})

test('none of it was charged or is left in flight', () => expectNoTrace(gateway, answers))

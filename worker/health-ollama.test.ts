// /health/ollama names the cause of each trouble and what helps; and a VPC service is asked in place of the address.
import { createExecutionContext } from 'cloudflare:test'
import { env } from 'cloudflare:workers'
import { afterEach, beforeAll, expect, test, vi } from 'vitest'
import { app } from './app.ts'
import { HOST_TROUBLES, isTooOld, troubleOfError } from './host-trouble.ts'
import { bodyBytes, captureOf, requestBody } from './testing/captures.ts'
import { db, makeCustomer, makeKey, migrate, setPrice } from './testing/ledger.ts'

beforeAll(async () => {
  await migrate()
  await setPrice('*', { request: '0.001', input: '1', output: '1' })
})
afterEach(() => vi.restoreAllMocks())

let hosts = 0
const SECRETS = { CF_ACCESS_CLIENT_ID: 'swordfish.access', CF_ACCESS_CLIENT_SECRET: 'swordfish-secret' }

/** A state is remembered by its host: each question is about one of its own. */
async function health(answer: () => Promise<Response>, more: object = {}) {
  const host = vi.spyOn(globalThis, 'fetch').mockImplementation(answer)
  const bindings = { ...env, ...SECRETS, OLLAMA_BASE_URL: `https://secret-host-${hosts++}.example`, ...more } as unknown as Cloudflare.Env
  const ask = () => app.fetch(new Request('https://gateway.example/health/ollama'), bindings, createExecutionContext())
  const response = await ask()
  const text = await response.text()
  // A second question within seconds is answered from the first.
  expect(await (await ask()).text()).toBe(text)
  expect(text).not.toMatch(/swordfish|secret-host/)
  return { status: response.status, report: JSON.parse(text) as Record<string, unknown>, asked: host.mock.calls.length }
}

const page = (status: number, text: string, headers: Record<string, string> = { 'content-type': 'text/html' }) => ({
  status,
  text,
  headers,
})
const json = (status: number, value: unknown) => page(status, JSON.stringify(value), { 'content-type': 'application/json' })
const login = { location: 'https://x.cloudflareaccess.com/cdn-cgi/access/login/x' }

const ANSWERS: [name: string, answer: ReturnType<typeof page>, status: number, state: string, cause: string | null][] = [
  ['an Ollama of today', json(200, { version: '0.33.0-rc2' }), 200, 'ok', null],
  ['one that was built from source', json(200, { version: '0.0.0' }), 200, 'ok', null],
  ['one before 0.14', json(200, { version: '0.13.5' }), 200, 'limited', 'version'],
  ['a log-in page', page(302, '', login), 503, 'down', 'access'],
  ['403 with a page', page(403, '<html>Forbidden</html>'), 503, 'down', 'access'],
  ['401 without a word', page(401, '', {}), 503, 'down', 'access'],
  ['530, error 1033', page(530, 'error code: 1033'), 503, 'down', 'tunnel'],
  ['530, error 1016', page(530, 'error code: 1016'), 503, 'down', 'unreachable'],
  ['522', page(522, 'error code: 522'), 503, 'down', 'timeout'],
  ['524', page(524, 'error code: 524'), 503, 'down', 'timeout'],
  ['504', page(504, ''), 503, 'down', 'timeout'],
  ['521', page(521, ''), 503, 'down', 'unreachable'],
  ["cloudflared's 502", page(502, '<html>Bad gateway</html>'), 503, 'down', 'ollama'],
  ['a page', page(200, '<html>welcome</html>'), 503, 'down', 'answer'],
  ['JSON that is not its', json(200, { hello: 'world' }), 503, 'down', 'answer'],
  ['a version that is none', json(200, { version: 'swordfish' }), 503, 'down', 'answer'],
  ['403 without a word, as for a Host that it does not know', page(403, '', {}), 503, 'down', 'answer'],
]

test.for(ANSWERS)('%s', async ([, { text, ...init }, status, state, cause]) => {
  const found = await health(async () => new Response(text, init))
  // One that answers is asked for its models, too.
  expect([found.status, found.asked]).toEqual([status, state === 'down' ? 1 : 2])
  const remedy = cause === null ? null : HOST_TROUBLES[cause as keyof typeof HOST_TROUBLES]
  expect(found.report).toMatchObject({ state, cause, remedy, latency_ms: expect.any(Number) })
})

test('it counts the models of the host and those that have a price, and names none', async () => {
  const models = ['swordfish:latest', 'priced-by-all:1b', 'elsewhere:671b-cloud'].map((name) => ({ name }))
  const found = await health(async () => Response.json({ version: '0.33.0', models }))
  expect(found.report.models).toEqual({ on_host: 2, offered: 2 })
  await setPrice('swordfish:latest', { request: '0.001', input: '1', output: '1', withdrawn: true })
  const less = await health(async () => Response.json({ version: '0.33.0', models }))
  expect(less.report.models).toEqual({ on_host: 2, offered: 1 })
})

test('nothing that answers, and nothing in time', async () => {
  const gone = await health(() => Promise.reject(new TypeError('connect to secret-host failed')))
  expect(gone.report).toMatchObject({ state: 'down', cause: 'unreachable', version: null })
  vi.spyOn(AbortSignal, 'timeout').mockReturnValue(AbortSignal.abort())
  const late = await health(() => Promise.reject(new DOMException('aborted', 'AbortError')))
  expect(late.report).toMatchObject({ state: 'down', cause: 'timeout' })
})

test('what a VPC service throws has its cause, too', () => {
  const cases = { connection_refused: 'ollama', connection_timeout: 'timeout', dns_error: 'tunnel', 'no such service': 'unreachable' }
  for (const [message, cause] of Object.entries(cases)) expect([message, troubleOfError(new Error(message))]).toEqual([message, cause])
})

test('versions compare by number', () => {
  for (const old of ['0.9.0', '0.13.99', 'v0.1.2']) expect([old, isTooOld(old)]).toEqual([old, true])
  for (const fine of ['0.14.0', '0.14.0-rc1', '0.100.1', '1.0.0', '0.0.0']) expect([fine, isTooOld(fine)]).toEqual([fine, false])
})

test('with a VPC service the host is asked through it: a Host that Ollama lets in, no Access token, nothing of the caller; metered as ever', async () => {
  const network = vi.spyOn(globalThis, 'fetch').mockRejectedValue(new Error('the network is not to be asked'))
  const asked: Request[] = []
  const capture = captureOf('api-chat.stream')
  const OLLAMA = {
    async fetch(...args: ConstructorParameters<typeof Request>) {
      asked.push(new Request(...args) as Request)
      return new Response(bodyBytes(capture), { headers: { 'content-type': 'application/x-ndjson' } })
    },
  }
  const { key, customerId } = await makeKey(await makeCustomer({ budget: '1' }))
  const request = new Request('https://gateway.example/api/chat', {
    method: 'POST',
    headers: { authorization: `Bearer ${key}`, origin: 'https://app.example.com', cookie: 'a=b' },
    body: JSON.stringify(requestBody(capture)),
  })
  const response = await app.fetch(request, { ...env, ...SECRETS, OLLAMA } as unknown as Cloudflare.Env, createExecutionContext())
  expect(await response.text()).toBe(new TextDecoder().decode(bodyBytes(capture)))
  expect(asked.map(({ url, method }) => [method, url])).toEqual([['POST', 'http://localhost:11434/api/chat']])
  expect([...(asked[0]?.headers.keys() ?? [])].sort()).toEqual(['accept', 'content-type'])
  expect(network).not.toHaveBeenCalled()
  const outcome = () => db.prepare('SELECT outcome FROM usage WHERE customer_id = ?').bind(customerId).first('outcome')
  await expect.poll(outcome).toBe('completed')
})

test('a VPC service that throws is told apart, and what is no binding is named', async () => {
  const OLLAMA = { fetch: () => Promise.reject(new Error('connection_refused')) }
  const found = await health(async () => new Response('{}'), { OLLAMA })
  expect([found.report.cause, found.asked]).toEqual(['ollama', 0])
  const wrong = app.fetch(
    new Request('https://gateway.example/health/ollama'),
    { ...env, OLLAMA: 'http://x' } as never,
    createExecutionContext(),
  )
  expect((await wrong).status).toBe(500)
})

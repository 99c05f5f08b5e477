// Browsers: which pages may ask is the owner's list; preflights, answers and errors say so, and nothing does without the setting.
import { createExecutionContext } from 'cloudflare:test'
import { env } from 'cloudflare:workers'
import { beforeAll, expect, test } from 'vitest'
import { app } from './app.ts'
import { configOf } from './config.ts'
import { allowedOrigin, readOrigins } from './cors-origins.ts'
import { migrate } from './testing/ledger.ts'

beforeAll(migrate)

const PAGE = 'https://app.example.com'
/** What the official SDKs make a browser ask for: openai, @anthropic-ai/sdk. */
const SDK_HEADERS = [
  'authorization,content-type,x-stainless-arch,x-stainless-lang,x-stainless-os,x-stainless-package-version,x-stainless-retry-count,x-stainless-runtime,x-stainless-runtime-version,x-stainless-timeout',
  'anthropic-beta,anthropic-dangerous-direct-browser-access,anthropic-version,content-type,x-api-key,x-stainless-helper-method',
]

function ask(origins: string, path: string, init: RequestInit): Promise<Response> {
  const bindings = { ...env, CORS_ORIGINS: origins } as unknown as Cloudflare.Env
  return Promise.resolve(app.fetch(new Request(`https://gateway.example${path}`, init), bindings, createExecutionContext()))
}
const preflight = (origins: string, origin: string, headers = SDK_HEADERS[0] ?? '') =>
  ask(origins, '/v1/chat/completions', {
    method: 'OPTIONS',
    headers: { origin, 'access-control-request-method': 'POST', 'access-control-request-headers': headers },
  })
const allows = ({ headers }: Response) => headers.get('access-control-allow-origin')

test.for(SDK_HEADERS)('a preflight of an SDK is answered: %s', async (asked) => {
  const response = await preflight(PAGE, PAGE, asked)
  expect([response.status, allows(response), response.headers.get('access-control-max-age')]).toEqual([204, PAGE, '7200'])
  expect(response.headers.get('access-control-allow-headers')?.split(',')).toEqual(asked.split(','))
  expect(response.headers.get('access-control-allow-methods')).toBe('GET,HEAD,POST')
  expect(response.headers.get('vary')).toMatch(/Origin/)
  // Keys travel in headers; cookies are nothing here.
  expect(response.headers.get('access-control-allow-credentials')).toBeNull()
})

test('another page is not let in, by a preflight or an answer', async () => {
  for (const origin of ['https://evil.example', 'http://app.example.com', 'https://app.example.com.evil.example', 'null']) {
    expect([origin, allows(await preflight(PAGE, origin))]).toEqual([origin, null])
    const answer = await ask(PAGE, '/health', { headers: { origin } })
    expect([origin, answer.status, allows(answer), answer.headers.get('vary')]).toEqual([origin, 200, null, 'Origin'])
  }
})

test('errors can be read by the page, with the headers that say what to do', async () => {
  const response = await ask(PAGE, '/v1/chat/completions', { method: 'POST', headers: { origin: PAGE }, body: '{' })
  expect([response.status, allows(response), response.headers.get('vary')]).toEqual([401, PAGE, 'Origin'])
  const exposed = response.headers.get('access-control-expose-headers')
  for (const name of ['x-request-id', 'x-output-limit', 'x-budget-remaining', 'x-request-cost', 'retry-after', 'server-timing'])
    expect(exposed).toContain(name)
  expect(allows(await ask(PAGE, '/nowhere', { headers: { origin: PAGE } }))).toBe(PAGE)
})

test('* lets every page in, and says so', async () => {
  expect(allows(await preflight('*', 'https://any.example'))).toBe('*')
})

test('without the setting OPTIONS is a method that a path does not take, and no header says anything of origins', async () => {
  const response = await preflight('', PAGE)
  expect([response.status, allows(response), response.headers.get('vary')]).toEqual([405, null, null])
  expect(allows(await ask('', '/health', { headers: { origin: PAGE } }))).toBeNull()
  // What is no preflight is not answered as one.
  expect((await ask(PAGE, '/v1/chat/completions', { method: 'OPTIONS' })).status).toBe(405)
})

test('subdomains are those of the scheme and the port, and not the domain itself', () => {
  const origins = readOrigins('https://*.example.com, http://localhost:5173')
  const let_in = ['https://a.example.com', 'https://a.b.example.com', 'http://localhost:5173']
  for (const origin of let_in) expect(allowedOrigin(origins, origin)).toBe(origin)
  const not = [
    'https://example.com',
    'http://a.example.com',
    'https://a.example.com:8443',
    'https://evil.com/.example.com',
    'http://localhost',
  ]
  for (const origin of not) expect([origin, allowedOrigin(origins, origin)]).toEqual([origin, null])
})

test.for([
  'app.example.com',
  'https://app.example.com/',
  'https://app.example.com/x',
  'ftp://a.example',
  'https://*.com',
  'https://a.*.com',
  '*, https://a.example',
])('an entry that is none is named: %s', (text) => {
  const named = text.split(', ')[0]
  expect(() => configOf({ CORS_ORIGINS: text })).toThrow(new RegExp(`^CORS_ORIGINS: "${named?.replace(/[.*/?]/g, '\\$&')}"`))
})

// A host that refuses, misleads or is away: each route words it for its caller, follows no redirect, asks once, and charges nothing.
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest'
import type { Fault } from '../host/stand-in/server.ts'
import type { ErrorCode } from '../worker/errors.ts'
import { startTestGateway, type TestGateway } from './harness.ts'
import { expectNoTrace, expectRefused, type RawAnswer, type RawRequest, ROUTES, rawRequest } from './raw-request.ts'

let gateway: TestGateway
let key: string
const answers: RawAnswer[] = []

beforeAll(async () => {
  gateway = await startTestGateway({ vars: { FIRST_BYTE_TIMEOUT_SECONDS: '1', HOST_CONCURRENCY: '1000' } })
  await gateway.setPrice('*', { request: '0.001', input: '1', output: '2' })
  ;({ key } = await gateway.makeCustomer({ budgetUsd: '1' }))
})
beforeEach(() => gateway.standIn.reset())
afterAll(() => gateway.stop())

async function send(request: RawRequest): Promise<RawAnswer> {
  const answer = await rawRequest(gateway.url, { key, ...request })
  answers.push(answer)
  return answer
}

/** Each route, and each that can stream both ways. */
const CALLS = ROUTES.flatMap((route) =>
  /embed/.test(route.path)
    ? [{ ...route, how: 'as it is' }]
    : [true, false].map((stream) => ({ ...route, body: { ...route.body, stream }, how: stream ? 'streamed' : 'in one piece' })),
)

const SECRET = 'swordfish'
const HTML = { body: `<html>${SECRET}</html>`, headers: { 'content-type': 'text/html; charset=UTF-8' } }
const JSON_ERROR = { body: { error: `${SECRET} at /home/owner/.ollama` } }
const status = (code: number, rest: { body?: unknown; headers?: Record<string, string> } = JSON_ERROR): Fault => ({
  kind: 'status',
  status: code,
  ...rest,
})
const to = (location: string, code: number): Fault => status(code, { body: '', headers: { location, 'content-type': 'text/plain' } })

const OPERATOR: [number, ErrorCode, RegExp, null] = [502, 'upstream_error', /did not answer as it should: the operator has the cause/, null]
const AWAY: [number, ErrorCode, RegExp, number] = [503, 'upstream_unavailable', /cannot be reached right now: try again/, 5]
const SLOW: [number, ErrorCode, RegExp, null] = [504, 'upstream_timeout', /took too long to answer/, null]
const BUSY: [number, ErrorCode, RegExp, number] = [503, 'host_busy', /as many requests as it takes.*try again/, 2]

const FAULTS: [name: string, fault: Fault, want: [status: number, code: ErrorCode, message: RegExp, retry: number | null]][] = [
  ['500', status(500), OPERATOR],
  ['500 with a page', status(500, HTML), OPERATOR],
  ['401', status(401), OPERATOR],
  ['401 with a page', status(401, HTML), OPERATOR],
  ['403 without a word', status(403, { body: '' }), OPERATOR],
  ['403 with a page', status(403, HTML), OPERATOR],
  ['404 with a page', status(404, HTML), OPERATOR],
  ['400 with a page', status(400, HTML), OPERATOR],
  ['405', status(405), OPERATOR],
  ['413', status(413), OPERATOR],
  ['429', status(429), OPERATOR],
  ['204', status(204, { body: '' }), OPERATOR],
  ['200 with a page', status(200, HTML), OPERATOR],
  ['a redirect to itself', { kind: 'redirect' }, OPERATOR],
  ['a redirect elsewhere on it', { kind: 'redirect', location: '/api/pull' }, OPERATOR],
  ['a redirect away', { kind: 'redirect', location: 'http://evil.example/' }, OPERATOR],
  ['301', to('/api/pull', 301), OPERATOR],
  ['302 to a log-in page', to('https://x.cloudflareaccess.com/cdn-cgi/access/login/x', 302), OPERATOR],
  ['502 with a page', status(502, HTML), AWAY],
  ['503 with a page', status(503, HTML), AWAY],
  ['520', status(520, HTML), AWAY],
  ['521', status(521, HTML), AWAY],
  ['523', status(523, HTML), AWAY],
  ['530', status(530, HTML), AWAY],
  ['504', status(504, HTML), SLOW],
  ['522', status(522, HTML), SLOW],
  ['524', status(524, HTML), SLOW],
  ['503 with its words', status(503, { body: { error: 'server busy, please try again' } }), BUSY],
]

test.for(FAULTS)('%s', async ([, fault, [code, name, message, retry]]) => {
  for (const { path, family, body, how } of CALLS) {
    gateway.standIn.reset()
    gateway.standIn.fault(fault)
    const answer = await send({ path, body })
    expect([path, how, answer.status]).toEqual([path, how, code])
    expectRefused(answer, family, { status: code, code: name, message, retry })
    expect(answer.text).not.toMatch(/html|root|evil|swordfish|cloudflareaccess/)
    expect(gateway.standIn.requests.map((request) => request.path)).toEqual([path])
  }
})

test('a bad request that only the host can see is told in its words', async () => {
  for (const { path, family, body } of CALLS) {
    gateway.standIn.fault(status(400, { body: { error: 'the prompt exceeds the context length' } }))
    const answer = await send({ path, body })
    expectRefused(answer, family, { status: 400, code: 'invalid_request', message: /^the prompt exceeds the context length$/ })
  }
})

test('a host that sends no header is a timeout, and is let go', async () => {
  gateway.standIn.fault({ kind: 'no-header', times: CALLS.length })
  const refusals = await Promise.all(CALLS.map(({ path, body }) => send({ path, body })))
  for (const [index, answer] of refusals.entries()) {
    const family = CALLS[index]?.family ?? 'ollama'
    expectRefused(answer, family, { status: 504, code: 'upstream_timeout', message: /too long to begin.*try again/, retry: null })
  }
  await gateway.standIn.idle()
  expect(gateway.standIn.requests.map(({ closedEarly }) => closedEarly)).toEqual(CALLS.map(() => true))
})

test('a refusal whose words never end is cut off in time', async () => {
  gateway.standIn.replay('error.server-busy.native-chat')
  gateway.standIn.fault({ kind: 'stall', afterChunks: 1 })
  const startMs = Date.now()
  const answer = await send({ path: '/api/chat', body: ROUTES[0]?.body })
  expectRefused(answer, 'ollama', { status: 503, code: 'upstream_unavailable', message: /try again/, retry: 5 })
  expect(Date.now() - startMs).toBeLessThan(10_000)
  await gateway.standIn.idle()
})

const GARBAGE: [name: string, fault: Fault][] = [
  ['no JSON', status(200, { body: 'it works!', headers: { 'content-type': 'text/plain' } })],
  ['nothing', status(200, { body: '', headers: { 'content-type': 'application/json' } })],
  ['an empty object', status(200, { body: {} })],
  ['a list', status(200, { body: [1] })],
]

test.for(GARBAGE)('a success that holds %s is an error of the host, for nothing', async ([, fault]) => {
  for (const { path, family, body, how } of CALLS) {
    gateway.standIn.reset()
    gateway.standIn.fault(fault)
    const answer = await send({ path, body })
    if (how === 'streamed') {
      expect([path, answer.status]).toEqual([path, 200])
      expect(answer.text).toMatch(
        family === 'ollama' ? /(^|\n)\{"error":"[^"]*broke off[^"]*"\}\n$/ : /(^|\n)data: \{.*"message":"[^"]*broke off[^"]*".*\}\n\n$/,
      )
    } else expectRefused(answer, family, { status: 502, code: 'upstream_error', message: /host/, retry: null })
  }
})

const LISTS: [method: string, path: string, family: 'ollama' | 'openai', body?: unknown][] = [
  ['GET', '/api/tags', 'ollama'],
  ['GET', '/v1/models', 'openai'],
  ['POST', '/api/show', 'ollama', { model: 'gemma3:270m' }],
]

test('lists of a host that fails say so', async () => {
  const cases: [fault: Fault, status: number, code: ErrorCode, retry: number | null][] = [
    [status(500), 502, 'upstream_error', null],
    [status(200, HTML), 502, 'upstream_error', null],
    [status(200, { body: 'it works!', headers: { 'content-type': 'text/plain' } }), 502, 'upstream_error', null],
    [status(530, HTML), 503, 'upstream_unavailable', 5],
    [{ kind: 'redirect', location: '/api/pull' }, 502, 'upstream_error', null],
  ]
  for (const [fault, code, name, retry] of cases) {
    for (const [method, path, family, body] of LISTS) {
      gateway.standIn.reset()
      gateway.standIn.fault({ ...fault, path: '/api/tags' })
      const answer = await send({ method, path, body })
      expectRefused(answer, family, { status: code, code: name, message: /host/, retry })
      expect(gateway.standIn.requests.map((request) => request.path)).toEqual(['/api/tags'])
    }
  }
})

test('a list that never comes is a timeout', async () => {
  gateway.standIn.fault({ kind: 'no-header', path: '/api/tags', times: LISTS.length })
  const refusals = await Promise.all(LISTS.map(([method, path, , body]) => send({ method, path, body })))
  for (const [index, answer] of refusals.entries()) {
    expectRefused(answer, LISTS[index]?.[2] ?? 'ollama', { status: 504, code: 'upstream_timeout', message: /host/, retry: null })
  }
})

test('a host that is away is told on each route, and is not healthy', async () => {
  await gateway.standIn.close()
  for (const { path, family, body } of CALLS) {
    const answer = await send({ path, body })
    expectRefused(answer, family, {
      status: 503,
      code: 'upstream_unavailable',
      message: /cannot be reached right now: try again/,
      retry: 5,
    })
  }
  for (const [method, path, family, body] of LISTS) {
    const answer = await send({ method, path, body })
    expectRefused(answer, family, { status: 503, code: 'upstream_unavailable', message: /cannot be reached right now/, retry: 5 })
  }
  const version = await send({ method: 'GET', path: '/api/version' })
  expectRefused(version, 'ollama', { status: 503, code: 'upstream_unavailable', message: /cannot be reached right now/, retry: 5 })
  const health = await rawRequest(gateway.url, { method: 'GET', path: '/health/ollama' })
  expect([health.status, JSON.parse(health.text)]).toMatchObject([503, { state: 'down', cause: 'unreachable' }])
  expect((await rawRequest(gateway.url, { method: 'GET', path: '/health' })).status).toBe(200)
})

test('none of it was charged or is left in flight', () => expectNoTrace(gateway, answers))

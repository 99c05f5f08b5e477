// Cloudflare stands between the gateway and the box and answers in its place: callers hear of it in their dialect, the operator with its cause.
import { afterAll, beforeAll, expect, test } from 'vitest'
import type { EdgeTrouble } from '../host/stand-in/server.ts'
import { HOST_TROUBLES, type HostTrouble } from '../worker/host-trouble.ts'
import { startTestGateway, type TestGateway } from './harness.ts'
import { expectNoTrace, expectRefused, type RawAnswer, type Refused, ROUTES, rawRequest } from './raw-request.ts'

const RIGHT = { clientId: 'right.access', clientSecret: 'right-swordfish' }
const OVER = { ...RIGHT, expiresMs: 0 }

let gateway: TestGateway
const answers: RawAnswer[] = []

beforeAll(async () => {
  gateway = await startTestGateway({ standIn: { access: [RIGHT, { clientId: 'other.access', clientSecret: 'other' }] } })
  await gateway.setPrice('*', { request: '0.001', input: '1', output: '2' })
})
afterAll(() => gateway.stop())

const OPERATORS: Refused = { status: 502, code: 'upstream_error', message: /host.*operator/, retry: null }
const GONE: Refused = { status: 503, code: 'upstream_unavailable', message: /cannot be reached right now/, retry: 5 }
const LATE: Refused = { status: 504, code: 'upstream_timeout', message: /too long/, retry: null }

const TROUBLES: [name: string, edge: object, refusal: Refused, cause: HostTrouble][] = [
  ['the token has expired: a 403 page', { tokens: [OVER] }, OPERATORS, 'access'],
  ['the token was removed: a 302 to the log-in page', { tokens: [], refusal: 'login' }, OPERATORS, 'access'],
  ['an application that answers 401', { tokens: [], refusal: 'unauthorized' }, OPERATORS, 'access'],
  ['the log-in page itself, as 200', trouble('login-page'), OPERATORS, 'answer'],
  ['502: Ollama does not run', trouble('ollama-stopped'), GONE, 'ollama'],
  ['504', trouble('gateway-timeout'), LATE, 'timeout'],
  ['522', trouble('connect-timeout'), LATE, 'timeout'],
  ['524', trouble('answer-timeout'), LATE, 'timeout'],
  ['530, error code: 1033', trouble('tunnel-down'), GONE, 'tunnel'],
  ['530, error code: 1016', trouble('no-dns'), GONE, 'unreachable'],
]

function trouble(kind: EdgeTrouble): object {
  return { tokens: [RIGHT], refusal: 'usual', trouble: kind }
}

test.for(TROUBLES)('%s', async ([, edge, refusal, cause]) => {
  gateway.standIn.reset()
  gateway.standIn.edge(edge)
  const { key } = await gateway.makeCustomer({ budgetUsd: '1' })
  for (const { path, family, body } of ROUTES) {
    for (const stream of /embed/.test(path) ? [false] : [false, true]) {
      const answer = await rawRequest(gateway.url, { path, key, body: { ...body, stream } })
      answers.push(answer)
      expectRefused(answer, family, refusal)
      expect(answer.text).not.toMatch(/html|cloudflare|access|error code/i)
    }
  }
  const health = async () => JSON.parse((await rawRequest(gateway.url, { method: 'GET', path: '/health/ollama' })).text) as object
  await expect.poll(health).toMatchObject({ state: 'down', cause, remedy: HOST_TROUBLES[cause], version: null })
})

test('nothing of it was charged or left in flight, and no secret was told', () =>
  expectNoTrace(gateway, answers, ['swordfish', 'right.access']))

test('with the edge mended the same token is let in', async () => {
  gateway.standIn.reset()
  gateway.standIn.edge({ tokens: [RIGHT] })
  const { key } = await gateway.makeCustomer({ budgetUsd: '1' })
  const [route] = ROUTES
  expect((await rawRequest(gateway.url, { ...route, path: route?.path ?? '', key })).status).toBe(200)
})

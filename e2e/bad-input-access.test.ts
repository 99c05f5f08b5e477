// Cloudflare Access does not let the gateway in: the caller learns that it is the operator's trouble, the operator what to do, and nobody a secret.
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest'
import { HOST_TROUBLES } from '../worker/host-trouble.ts'
import { startTestGateway, type TestGateway } from './harness.ts'
import { expectNoTrace, expectRefused, type RawAnswer, type RawRequest, ROUTES, rawRequest } from './raw-request.ts'

const RIGHT = { clientId: 'right.access', clientSecret: 'right-swordfish' }
const CASES: Record<string, Record<string, string>> = {
  'no token': { CF_ACCESS_CLIENT_ID: '', CF_ACCESS_CLIENT_SECRET: '' },
  'a wrong token': { CF_ACCESS_CLIENT_ID: 'wrong.access', CF_ACCESS_CLIENT_SECRET: 'wrong-swordfish' },
}
const gateways: Record<string, TestGateway> = {}
const answers: Record<string, RawAnswer[]> = { 'no token': [], 'a wrong token': [] }

beforeAll(async () => {
  for (const [name, vars] of Object.entries(CASES)) {
    const gateway = await startTestGateway({ vars, standIn: { access: RIGHT } })
    await gateway.setPrice('*', { request: '0.001', input: '1', output: '2' })
    gateways[name] = gateway
  }
})
beforeEach(() => {
  for (const gateway of Object.values(gateways)) gateway.standIn.reset()
})
afterAll(() => Promise.all(Object.values(gateways).map((gateway) => gateway.stop())))

const REQUESTS: (RawRequest & { family: 'ollama' | 'openai' | 'anthropic' })[] = [
  ...ROUTES.map(({ path, family, body }) => ({ path, family, body })),
  ...ROUTES.filter(({ path }) => !/embed/.test(path)).map(({ path, family, body }) => ({ path, family, body: { ...body, stream: true } })),
  { method: 'GET', path: '/api/tags', family: 'ollama' },
  { method: 'GET', path: '/api/ps', family: 'ollama' },
  { method: 'GET', path: '/v1/models', family: 'openai' },
  { path: '/api/show', family: 'ollama', body: { model: 'gemma3:270m' } },
]

test.for(Object.keys(CASES))("%s: each route says that it is the operator's trouble", async (name) => {
  const gateway = gateways[name] as TestGateway
  const { key } = await gateway.makeCustomer({ budgetUsd: '1' })
  for (const { family, ...request } of REQUESTS) {
    gateway.standIn.reset()
    const answer = await rawRequest(gateway.url, { ...request, key })
    answers[name]?.push(answer)
    expectRefused(answer, family, { status: 502, code: 'upstream_error', message: /host.*operator/, retry: null })
    expect(answer.text).not.toMatch(/access|token|cloudflare|html/i)
    expect(gateway.standIn.requests).toHaveLength(1)
  }
})

test.for(Object.keys(CASES))('%s: the state of the host is public, and says what is wrong, but no secret and no address', async (name) => {
  const gateway = gateways[name] as TestGateway
  const health = await rawRequest(gateway.url, { method: 'GET', path: '/health/ollama' })
  expect([health.status, JSON.parse(health.text)]).toEqual([
    503,
    { state: 'down', cause: 'access', remedy: HOST_TROUBLES.access, version: null, latency_ms: expect.any(Number), models: null },
  ])
  expect(health.text).not.toMatch(/swordfish|127\.0\.0\.1|\.access\b/)
})

test.for(Object.keys(CASES))('%s: the operator is told which settings to look at', async (name) => {
  const gateway = gateways[name] as TestGateway
  const told = () => gateway.logs.find((entry) => (entry as { code?: unknown }).code === 'access_refused')
  await expect.poll(told).toMatchObject({ event: 'error', message: expect.stringMatching(/CF_ACCESS_CLIENT_ID.*_SECRET/) })
})

test.for(Object.keys(CASES))('%s: nothing is charged or left in flight, and no secret is told', async (name) => {
  const gateway = gateways[name] as TestGateway
  await expectNoTrace(gateway, answers[name] ?? [], ['right.access', 'right-swordfish', 'wrong.access', 'wrong-swordfish'])
})

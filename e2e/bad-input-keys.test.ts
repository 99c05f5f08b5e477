// Callers without a good key: whichever route they try, they learn what is wrong with it, reach nothing and pay nothing.
import { afterAll, beforeAll, expect, test } from 'vitest'
import { newKey } from '../worker/keys.ts'
import { startTestGateway, type TestGateway } from './harness.ts'
import { expectNoTrace, expectRefused, type RawAnswer, type RawRequest, ROUTES, rawRequest } from './raw-request.ts'

let gateway: TestGateway
let key: string
const answers: RawAnswer[] = []

beforeAll(async () => {
  gateway = await startTestGateway()
  await gateway.setPrice('gemma3:270m', { request: '0.001', input: '1', output: '2' })
  ;({ key } = await gateway.makeCustomer({ budgetUsd: '1' }))
})
afterAll(() => gateway.stop())

async function send(request: RawRequest): Promise<RawAnswer> {
  const answer = await rawRequest(gateway.url, request)
  answers.push(answer)
  return answer
}

interface KeyedRoute {
  method: string
  path: string
  family: 'ollama' | 'openai' | 'anthropic'
  body?: unknown
}
const KEYED: KeyedRoute[] = [
  ...ROUTES.map(({ path, family, body }) => ({ method: 'POST', path, family, body })),
  { method: 'POST', path: '/v1/messages/count_tokens', family: 'anthropic', body: { model: 'gemma3:270m', messages: [] } },
  { method: 'POST', path: '/api/show', family: 'ollama', body: { model: 'gemma3:270m' } },
  { method: 'GET', path: '/api/tags', family: 'ollama' },
  { method: 'GET', path: '/api/models', family: 'ollama' },
  { method: 'GET', path: '/api/ps', family: 'ollama' },
  { method: 'GET', path: '/v1/models', family: 'openai' },
  { method: 'GET', path: '/v1/models/gemma3:270m', family: 'openai' },
  { method: 'GET', path: '/account/budget', family: 'ollama' },
  { method: 'GET', path: '/account/usage', family: 'ollama' },
  { method: 'GET', path: '/account/requests', family: 'ollama' },
  { method: 'GET', path: '/account/requests/01a20d50-8d83-705c-9bfd-dcb572402703', family: 'ollama' },
]

test.for(KEYED)('$method $path refuses a key that is missing, misplaced, mistyped or unknown', async ({ family, ...route }) => {
  const unknown = newKey().key
  const upper = key.toUpperCase().replace('SK_', 'sk_')
  const cases: [name: string, headers: Record<string, string | string[]>, message: RegExp][] = [
    ['none', {}, /key is missing.*Authorization: Bearer sk_/],
    ['empty', { 'x-api-key': '' }, /key is missing/],
    ['no scheme', { authorization: key }, /does not hold a bearer key/],
    ['basic', { authorization: `Basic ${Buffer.from(`me:${key}`).toString('base64')}` }, /does not hold a bearer key/],
    ['token', { authorization: `Token ${key}` }, /does not hold a bearer key/],
    ['no key', { authorization: 'Bearer ' }, /does not hold a bearer key/],
    ['two words', { authorization: `Bearer ${key} ${key}` }, /does not hold a bearer key/],
    ['a list', { authorization: `Bearer ${key}, Bearer ${key}` }, /does not hold a bearer key/],
    ['two headers', { authorization: [`Bearer ${unknown}`, `Bearer ${key}`] }, /key/],
    ['two keys', { authorization: `Bearer ${unknown}`, 'x-api-key': key }, /different keys/],
    ['cut short', { authorization: `Bearer ${key.slice(0, -1)}` }, /mistyped or cut short/],
    ['a digit wrong', { authorization: `Bearer ${key.slice(0, -1)}${key.endsWith('0') ? '1' : '0'}` }, /mistyped/],
    ['upper case', { 'x-api-key': upper }, /mistyped/],
    ['quoted', { authorization: `Bearer "${key}"` }, /mistyped/],
    ['long', { authorization: `Bearer ${'a'.repeat(8000)}` }, /mistyped/],
    ['not ASCII', { authorization: `Bearer ${key}\u00e9` }, /mistyped/],
    ['SQL', { authorization: "Bearer '/**/OR/**/1=1--" }, /mistyped/],
    ['unknown', { authorization: `Bearer ${unknown}` }, /not known.*operator/],
    ['unknown, as x-api-key', { 'x-api-key': unknown }, /not known/],
    ['a cookie', { cookie: `authorization=Bearer ${key}` }, /missing/],
  ]
  for (const [name, headers, message] of cases) {
    const answer = await send({ ...route, headers })
    expect([name, answer.status]).toEqual([name, 401])
    expectRefused(answer, family, { status: 401, code: 'invalid_api_key', message })
  }
  const inQuery = await send({ ...route, path: `${route.path}?key=${key}&api_key=${key}` })
  expectRefused(inQuery, family, { status: 401, code: 'invalid_api_key', message: /missing/ })
})

test.for(KEYED)(
  '$method $path refuses a key that was revoked or expired, and the key of a suspended account',
  async ({ family, ...route }) => {
    const revoked = await gateway.makeCustomer({ budgetUsd: '1' })
    await gateway.db.prepare('UPDATE api_keys SET revoked_ms = 1 WHERE id = ?').bind(revoked.keyId).run()
    const gone = await send({ ...route, key: revoked.key })
    expectRefused(gone, family, { status: 401, code: 'invalid_api_key', message: /revoked.*new one/ })

    const expired = await gateway.makeCustomer({ budgetUsd: '1', key: { expiresMs: Date.parse('2020-01-02T03:04:05Z') } })
    const late = await send({ ...route, key: expired.key })
    expectRefused(late, family, { status: 401, code: 'invalid_api_key', message: /expired on 2020-01-02T03:04:05.*new one/ })

    const suspended = await gateway.makeCustomer({ budgetUsd: '1' })
    await gateway.db.prepare("UPDATE customers SET status = 'suspended' WHERE id = ?").bind(suspended.id).run()
    const idle = await send({ ...route, key: suspended.key })
    expectRefused(idle, family, { status: 403, code: 'account_suspended', message: /suspended.*operator/ })
  },
)

test('the scheme is taken in any case, and a key beside itself is one key', async () => {
  for (const headers of [{ authorization: `bearer ${key}` }, { authorization: `BEARER  ${key}`, 'x-api-key': key }]) {
    expect((await send({ method: 'GET', path: '/account/budget', headers })).status).toBe(200)
  }
})

test('none of it reached the host or was charged', async () => {
  expect(gateway.standIn.requests.filter(({ method }) => method === 'POST')).toEqual([])
  await expectNoTrace(gateway, answers)
})

test('a key in the wrong place is neither written down nor repeated', async () => {
  const paths = [`/${key}/api/chat`, `/v1/models/${key}`, `/account/requests/${key}`, `/api/${key}`]
  for (const path of paths) await send({ method: 'GET', path, key })
  await send({ path: '/api/chat', key, body: { model: key, messages: [{ role: 'user', content: 'x' }] } })
  await send({ path: '/api/chat', key, body: `{"model": ${key}}` })
  await send({ path: '/api/chat', key, body: `{"${key}": 1, "${key}": 2}` })
  await send({ path: '/api/chat', key, headers: { 'content-encoding': key }, body: '{}' })
  expect(answers.slice(-8).map(({ status }) => status)).toEqual([404, 404, 404, 404, 404, 400, 400, 415])
  await expectNoTrace(gateway, answers)
})

// Models that are not for sale, and the many ways to spell one: each route prices, allows and forwards one name only.
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest'
import { startTestGateway, type TestGateway } from './harness.ts'
import { settled, usageOf } from './ledger.ts'
import { expectNoTrace, expectRefused, type RawAnswer, type RawRequest, ROUTES, type Route, rawRequest, withField } from './raw-request.ts'

let gateway: TestGateway
let key: string
const answers: RawAnswer[] = []

beforeAll(async () => {
  gateway = await startTestGateway()
  await gateway.setPrice('gemma3:270m', { request: '0.001', input: '1', output: '2' })
  await gateway.setPrice('embed-small:latest', { request: '0.001', input: '10' })
  await gateway.setPrice('gone:1b', { request: '0.001' })
  await gateway.setPrice('past:1b', { request: '0.001' })
  await gateway.setPrice('past:1b', { withdrawn: true })
  ;({ key } = await gateway.makeCustomer({ budgetUsd: '1' }))
})
beforeEach(() => gateway.standIn.reset())
afterAll(() => gateway.stop())

async function send(request: RawRequest): Promise<RawAnswer> {
  const answer = await rawRequest(gateway.url, { key, ...request })
  answers.push(answer)
  return answer
}

const asked = ({ path, body }: Route, model: unknown): RawRequest => ({ path, body: withField(body, 'model', model) })
const COUNT_TOKENS: Route = {
  path: '/v1/messages/count_tokens',
  family: 'anthropic',
  body: { model: 'gemma3:270m', messages: [{ role: 'user', content: 'x' }] },
  limits: [],
}
const NOT_NAMES = [
  ...['', ' ', '.', '..', '../gemma3', 'library/../gemma3:270m', 'gemma3:270m/..', '/etc/passwd', '//gemma3:270m', 'a/b/c/d', 'gemma3:'],
  ...['gemma3:270m:latest', ':270m', '-gemma3', 'gemma3 :270m', 'gemma3:270m\u0000', 'gemma3\n:270m', 'gemma3\u2028:270m'],
  ...[
    'gemma3:270m?x=1',
    'gemma3:270m#x',
    'gemma3%3a270m',
    '%2e%2e',
    'gemma3:270m@sha256:0',
    'ｇemma3:270m',
    'gemmа3:270m',
    'gemma3:270m😀',
  ],
  ...['file:///etc/passwd', 'ftp://x/y', 'http://', 'https://https://registry.ollama.ai/library/gemma3:270m', '*', '%', "' OR 1=1--"],
  ...['hf.co/x', 'x'.repeat(257), `${'x/'.repeat(5000)}y`, '__proto__', 'constructor', 'null', '\ud800', '\u202egemma3:270m'],
]

test.for(ROUTES)('$path: what is no name of a model that has a price is not found, and is not asked of the host', async (route) => {
  for (const name of [...NOT_NAMES, 'nope', 'chat-small', 'gemma3', 'gemma3:latest', 'gemma3:1b', 'x/gemma3:270m', 'past:1b']) {
    const answer = await send(asked(route, name))
    const code = name === '' ? 'invalid_request' : 'model_not_found'
    const message = name === '' ? /model: name a model/ : /not offered: GET \/v1\/models/
    expect([name.slice(0, 40), answer.status]).toEqual([name.slice(0, 40), name === '' ? 400 : 404])
    expectRefused(answer, route.family, { status: answer.status, code, message })
    expect(answer.text.length).toBeLessThan(500)
  }
  expect(gateway.standIn.requests).toEqual([])
})

test.for([...ROUTES, COUNT_TOKENS])('$path: a model that is no text is a bad request', async (route) => {
  for (const model of [undefined, null, 7, true, ['gemma3:270m'], { name: 'gemma3:270m' }]) {
    const answer = await send(asked(route, model))
    expectRefused(answer, route.family, { status: 400, code: 'invalid_request', message: /^model: / })
    if (route.family === 'openai') expect(JSON.parse(answer.text).error.param).toBe('model')
  }
  expect(gateway.standIn.requests).toEqual([])
})

test.for([...ROUTES, COUNT_TOKENS])("$path: a model of the owner's cloud account is refused by name", async (route) => {
  const names = [
    'gpt-oss:120b-cloud',
    'gpt-oss:cloud',
    ' GPT-OSS:120B-CLOUD ',
    'gpt-oss:120b-cloud:local',
    'library/x:cloud',
    'x/y:1b-cloud',
  ]
  for (const name of names) {
    const answer = await send(asked(route, name))
    expectRefused(answer, route.family, { status: 403, code: 'model_not_allowed', message: /cloud.*ollama\.com.*not offered/ })
  }
  expect(gateway.standIn.requests).toEqual([])
})

test.for(ROUTES)('$path: a model that the key may not use is refused under each of its names', async (route) => {
  const { key: narrow } = await gateway.makeCustomer({ budgetUsd: '1', key: { models: ['gone:1b'] } })
  const model = String(route.body.model)
  for (const name of [model, model.toUpperCase(), `library/${model}`, `registry.ollama.ai/library/${model}`, `${model}:local`]) {
    const answer = await send({ ...asked(route, name), key: narrow })
    expectRefused(answer, route.family, {
      status: 403,
      code: 'model_not_allowed',
      message: new RegExp(`may not use.*${model}.*/v1/models`),
    })
  }
  expect(gateway.standIn.requests).toEqual([])
})

test.for(ROUTES)('$path: a model that has a price and is not on the host is not found, for nothing', async (route) => {
  const answer = await send(asked(route, 'gone:1b'))
  expectRefused(answer, route.family, { status: 404, code: 'model_not_found', message: /"gone:1b" is not offered/ })
  expect(gateway.standIn.requests).toHaveLength(1)
})

test.for(ROUTES)('$path: a model that cannot do what is asked is a bad request, for nothing', async (route) => {
  const embeds = /embed/.test(route.path)
  const answer = await send(asked(route, embeds ? 'gemma3:270m' : 'embed-small:latest'))
  expectRefused(answer, route.family, { status: 400, code: 'invalid_request', message: /does not support (embeddings|chat|generate)/ })
})

test('/v1/models/{id} and /api/show know the same models as the rest', async () => {
  const lost = [
    'nope',
    'chat-small',
    '..',
    '%2e%2e',
    '%2e%2e%2f%2e%2e%2fapi%2ftags',
    '../api/tags',
    'gemma3:270m%00',
    '%ff',
    '%',
    'past:1b',
    'gone:1b',
  ]
  for (const id of lost) {
    const answer = await send({ method: 'GET', path: `/v1/models/${id}` })
    expectRefused(answer, 'openai', { status: 404, code: 'model_not_found', message: /not offered/ })
  }
  for (const id of ['gemma3:270m', 'gemma3%3A270m', 'GEMMA3:270M', 'library/gemma3:270m', 'library%2Fgemma3:270m']) {
    expect([id, (await send({ method: 'GET', path: `/v1/models/${id}` })).status]).toEqual([id, 200])
  }
  for (const name of ['nope', 'chat-small', '..', 'past:1b', 'gone:1b']) {
    const answer = await send({ path: '/api/show', body: { model: name } })
    expectRefused(answer, 'ollama', { status: 404, code: 'model_not_found', message: /not offered/ })
  }
  for (const body of [{}, { model: 7 }, { model: '', name: '' }, { model: [], name: {} }]) {
    expectRefused(await send({ path: '/api/show', body }), 'ollama', {
      status: 400,
      code: 'invalid_request',
      message: /^model: name a model/,
    })
  }
  const cloud = await send({ path: '/api/show', body: { name: 'gpt-oss:120b-cloud' } })
  expectRefused(cloud, 'ollama', { status: 403, code: 'model_not_allowed', message: /cloud/ })
  expect(new Set(gateway.standIn.requests.map(({ method, path }) => `${method} ${path}`))).toEqual(new Set(['GET /api/tags']))
})

test('none of it was charged or is left in flight', () => expectNoTrace(gateway, answers))

test.for(ROUTES)('$path: all spellings of a model are one model at the host and in the ledger', async (route) => {
  const customer = await gateway.makeCustomer({ budgetUsd: '1' })
  const model = String(route.body.model)
  const spellings = [
    ...[model, ` ${model.toUpperCase()} `, `library/${model}`, `registry.ollama.ai/library/${model}`, `${model}:local`],
    ...[`https://registry.ollama.ai/library/${model}`, `http://library/${model}`],
    ...(model.endsWith(':latest') ? [model.replace(':latest', '')] : []),
  ]
  for (const name of spellings) {
    expect([name, (await rawRequest(gateway.url, { ...asked(route, name), key: customer.key })).status]).toEqual([name, 200])
  }
  expect(new Set(gateway.standIn.requests.map(({ body }) => (body as { model: string }).model))).toEqual(new Set([model]))
  await settled(gateway.db)
  expect((await usageOf(gateway.db, customer.id)).map((row) => row.model)).toEqual(spellings.map(() => model))
})

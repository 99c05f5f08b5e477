// Fields of a wrong type, out of bounds or missing: each route names the field, and lets nothing through that lifts a limit.
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest'
import { startTestGateway, type TestGateway } from './harness.ts'
import { settled, usageOf } from './ledger.ts'
import { expectNoTrace, expectRefused, type RawAnswer, type RawRequest, ROUTES, rawRequest, withField } from './raw-request.ts'

let gateway: TestGateway
let key: string
const answers: RawAnswer[] = []

beforeAll(async () => {
  gateway = await startTestGateway()
  await gateway.setPrice('*', { request: '0.001', input: '1', output: '2', outputDefault: 20, outputMax: 50 })
  ;({ key } = await gateway.makeCustomer({ budgetUsd: '1' }))
})
beforeEach(() => gateway.standIn.reset())
afterAll(() => gateway.stop())

async function send(request: RawRequest): Promise<RawAnswer> {
  const answer = await rawRequest(gateway.url, { key, ...request })
  answers.push(answer)
  return answer
}

const NO_FLAG = ['yes', 1, {}]
const NO_TEXT = [7, true, {}, []]
const NO_LIST = ['x', 7, {}, true]
const NO_NUMBER = ['1', true, {}, []]
const NO_COUNT = [...NO_NUMBER, 1.5]
const NO_OBJECT = ['x', 7, true, []]
const NO_MESSAGES = [...NO_LIST, [7], [null], ['x'], [[]], [{}], [{ role: 7, content: 'x' }], [{ role: 'user', content: 7 }]]

const SAMPLING: [string, unknown[]][] = [
  ['temperature', NO_NUMBER],
  ['top_p', NO_NUMBER],
]
const OPTIONS: [string, unknown[]][] = [
  ['options', NO_OBJECT],
  ['options.temperature', NO_NUMBER],
  ['options.seed', NO_COUNT],
  ['options.top_k', NO_COUNT],
  ['options.num_keep', NO_COUNT],
  ['options.repeat_penalty', NO_NUMBER],
  ['options.stop', ['x', 7, [7]]],
]
const NATIVE: [string, unknown[]][] = [
  ...OPTIONS,
  ['stream', NO_FLAG],
  ['keep_alive', [{}, [], true]],
  ['format', [7, true, []]],
  ['think', [7, {}, []]],
  ['logprobs', NO_FLAG],
  ['top_logprobs', [...NO_COUNT, -1, 21]],
]

/** Values that a field must not have, by route; undefined: the field is left out. */
const WRONG: Record<string, [field: string, values: unknown[]][]> = {
  '/api/chat': [
    ...NATIVE,
    ['messages', [...NO_MESSAGES, [{ role: 'user', content: [] }]]],
    ['messages', [[{ role: 'user', content: 'x', images: 'x' }], [{ role: 'user', content: 'x', images: [7] }]]],
    ['tools', [...NO_LIST, [7]]],
  ],
  '/api/generate': [
    ...NATIVE,
    ['prompt', NO_TEXT],
    ['suffix', NO_TEXT],
    ['system', NO_TEXT],
    ['template', NO_TEXT],
    ['context', ['x', [1.5], ['1'], {}]],
    ['raw', NO_FLAG],
    ['images', [...NO_LIST, [7]]],
  ],
  '/api/embed': [
    ...OPTIONS,
    ['input', [undefined, null, 7, {}, [7], [[1, 2]], [null]]],
    ['truncate', NO_FLAG],
    ['dimensions', [...NO_COUNT, 0, -1]],
  ],
  '/api/embeddings': [...OPTIONS, ['prompt', [undefined, null, ...NO_TEXT]]],
  '/v1/chat/completions': [
    ...SAMPLING,
    ['messages', [undefined, null, [], ...NO_MESSAGES, [{ role: 'user', content: [{}] }], [{ role: 'user', content: ['x'] }]]],
    ['stream', NO_FLAG],
    ['stream_options', [...NO_OBJECT, { include_usage: 'yes' }]],
    ['seed', NO_COUNT],
    ['stop', [7, {}, [7]]],
    ['logprobs', NO_FLAG],
    ['top_logprobs', [...NO_COUNT, -1, 21]],
    ['response_format', [...NO_OBJECT, {}]],
    ['tools', [...NO_LIST, [7]]],
    ['reasoning_effort', NO_TEXT],
    ['frequency_penalty', NO_NUMBER],
    ['presence_penalty', NO_NUMBER],
  ],
  '/v1/completions': [
    ...SAMPLING,
    ['prompt', [undefined, null, '', ...NO_TEXT, ['x']]],
    ['stream', NO_FLAG],
    ['stop', [7, {}, [7]]],
    ['suffix', NO_TEXT],
  ],
  '/v1/embeddings': [
    ['input', [undefined, null, 7, {}, [7], [[1, 2]]]],
    ['encoding_format', ['x', 7, {}]],
    ['dimensions', [...NO_COUNT, 0, -1]],
  ],
  '/v1/responses': [
    ...SAMPLING,
    ['input', [undefined, null, '', [], 7, {}, [7], ['x']]],
    ['instructions', NO_TEXT],
    ['stream', NO_FLAG],
    ['tools', [...NO_LIST, [7], [{ type: 'web_search' }], [{ type: 'web_search_preview' }]]],
    ['text', [...NO_OBJECT, { format: 'json' }, { format: {} }]],
    ['reasoning', [...NO_OBJECT, { effort: 7 }]],
  ],
  '/v1/messages': [
    ...SAMPLING,
    ['messages', [undefined, null, [], ...NO_MESSAGES, [{ role: 'user', content: [{}] }], [{ role: 'user' }]]],
    ['max_tokens', [undefined, null]],
    ['stream', NO_FLAG],
    ['system', [7, true, {}, [7]]],
    ['top_k', NO_COUNT],
    ['stop_sequences', ['x', 7, [7]]],
    [
      'tools',
      [...NO_LIST, [7], [{ type: 'web_search_20250305', name: 'web_search' }], [{ type: 'web_fetch_20250910', name: 'web_fetch' }]],
    ],
    ['thinking', [...NO_OBJECT, {}]],
  ],
}

test.for(ROUTES)('$path refuses a wrong value by the name of its field', async ({ path, family, body }) => {
  for (const [field, values] of WRONG[path] ?? []) {
    for (const value of values) {
      const answer = await send({ path, body: withField(body, field, value) })
      const what = JSON.stringify([field, value])
      expect([what, answer.status]).toEqual([what, 400])
      expectRefused(answer, family, { status: 400, code: 'invalid_request', message: new RegExp(`^${field}\\b`) })
      if (family === 'openai') expect(JSON.parse(answer.text).error.param).toMatch(new RegExp(`^${field}\\b`))
    }
  }
  expect(gateway.standIn.requests).toEqual([])
})

const LIMITED = ROUTES.flatMap((route) => route.limits.map((field) => ({ ...route, field })))

test.for(LIMITED)('$path refuses a $field that is not a positive whole number', async ({ path, family, body, field }) => {
  for (const value of [
    '0',
    '-0',
    '-1',
    '-2',
    '0.5',
    '1.5',
    '1e-3',
    '1e400',
    '-1e400',
    '9007199254740993',
    '"8"',
    '"-1"',
    'true',
    '{}',
    '[]',
    '[8]',
  ]) {
    const text = JSON.stringify(withField(body, field, '@')).replace('"@"', value)
    const answer = await send({ path, body: text })
    expect([value, answer.status]).toEqual([value, 400])
    expectRefused(answer, family, {
      status: 400,
      code: 'invalid_request',
      message: new RegExp(`^${field}: .*(positive whole number|too big)`, 'i'),
    })
    if (family === 'openai') expect(JSON.parse(answer.text).error.param).toBe(field)
  }
  expect(gateway.standIn.requests).toEqual([])
})

test('two limits that differ are refused', async () => {
  const body = { model: 'gemma3:270m', messages: [{ role: 'user', content: 'x' }], max_tokens: 5, max_completion_tokens: 500 }
  const answer = await send({ path: '/v1/chat/completions', body })
  expectRefused(answer, 'openai', { status: 400, code: 'invalid_request', message: /max_tokens and max_completion_tokens differ/ })
})

test('none of it was charged or is left in flight', () => expectNoTrace(gateway, answers))

test.for(LIMITED)('$path: the host gets a limit whatever $field says', async ({ path, body, field, limits }) => {
  const customer = await gateway.makeCustomer({ budgetUsd: '1' })
  const bare = limits.reduce((rest, name) => withField(rest, name, undefined), body)
  // Left out: the price's default. Beyond its maximum: its maximum.
  const cases: [value: unknown, limit: number][] = [
    ...(path === '/v1/messages'
      ? []
      : ([
          [undefined, 20],
          [null, 20],
        ] as [unknown, number][])),
    ...([
      [1, 1],
      [50, 50],
      [51, 50],
      [1_000_000, 50],
    ] as [unknown, number][]),
  ]
  for (const [value, limit] of cases) {
    const answer = await rawRequest(gateway.url, { path, key: customer.key, body: withField(bare, field, value) })
    expect([value, answer.status, answer.headers['x-output-limit']]).toEqual([value, 200, String(limit)])
    const forwarded = gateway.standIn.requests.at(-1)?.body as Record<string, Record<string, unknown>>
    const { max_tokens, max_output_tokens, max_completion_tokens, options } = forwarded
    expect([max_tokens ?? max_output_tokens ?? options?.num_predict, max_completion_tokens]).toEqual([limit, undefined])
  }
  await settled(gateway.db)
  const rows = await usageOf(gateway.db, customer.id)
  expect(rows.map((row) => row.output_limit)).toEqual(cases.map(([, limit]) => limit))
  expect(rows.filter((row) => row.output_tokens > row.output_limit)).toEqual([])
})

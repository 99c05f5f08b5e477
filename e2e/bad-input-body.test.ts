// Bodies that are too large, packed, broken, or mean one thing to JavaScript and another to Go: refused on each route before anything is held.
import { brotliCompressSync, deflateSync, gzipSync, zstdCompressSync } from 'node:zlib'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { startTestGateway, type TestGateway } from './harness.ts'
import { expectNoTrace, expectRefused, type RawAnswer, type RawRequest, ROUTES, type Route, rawRequest } from './raw-request.ts'

const LIMIT_BYTES = 20_000
let gateway: TestGateway
let key: string
const answers: RawAnswer[] = []

beforeAll(async () => {
  gateway = await startTestGateway({ vars: { BODY_LIMIT_BYTES: String(LIMIT_BYTES) } })
  await gateway.setPrice('*', { request: '0.001', input: '1', output: '2' })
  ;({ key } = await gateway.makeCustomer({ budgetUsd: '1' }))
})
afterAll(() => gateway.stop())

async function send(request: RawRequest): Promise<RawAnswer> {
  const answer = await rawRequest(gateway.url, { key, ...request })
  answers.push(answer)
  return answer
}

/** Routes that read a body, those for free included. */
const READING: Route[] = [
  ...ROUTES,
  {
    path: '/v1/messages/count_tokens',
    family: 'anthropic',
    body: { model: 'gemma3:270m', messages: [{ role: 'user', content: 'x' }] },
    limits: [],
  },
  { path: '/api/show', family: 'ollama', body: { model: 'gemma3:270m' }, limits: [] },
]

/** The route's body with more text in it, before its closing brace. */
const more = (route: Route, text: string) => `${JSON.stringify(route.body).slice(0, -1)},${text}}`
const withBytes = (route: Route, bytes: number[]) =>
  Buffer.concat([Buffer.from(`${JSON.stringify(route.body).slice(0, -1)},"x":"`), Buffer.from(bytes), Buffer.from('"}')])
const nested = (levels: number) => `${'['.repeat(levels)}${']'.repeat(levels)}`

test.for(READING)('$path refuses what is not one JSON object in UTF-8', async (route) => {
  const good = JSON.stringify(route.body)
  const cases: [name: string, body: string | Buffer, message: RegExp][] = [
    ['nothing', '', /body is empty.*JSON object/],
    ['blanks', ' \n ', /not valid JSON/],
    ['cut short', good.slice(0, -1), /not valid JSON/],
    ['a bare word', `{"model": gemma3}`, /not valid JSON/],
    ['single quotes', `{'model': 'gemma3:270m'}`, /not valid JSON/],
    ['a comma too many', `${good.slice(0, -1)},}`, /not valid JSON/],
    ['a comment', `${good} // x`, /not valid JSON/],
    ['a second value', `${good}${good}`, /not valid JSON/],
    ['trailing data', `${good}\n{"model":"other"}`, /not valid JSON/],
    ['a trailing NUL', `${good}\u0000`, /not valid JSON/],
    ['a NUL in a key', more(route, '"a\u0000b":1'), /not valid JSON/],
    ['a NUL in a text', more(route, '"a":"\u0000"'), /not valid JSON/],
    ['NaN', more(route, '"temperature":NaN'), /not valid JSON/],
    ['a hexadecimal number', more(route, '"seed":0x10'), /not valid JSON/],
    ['a list', `[${good}]`, /must be a JSON object/],
    ['a text', JSON.stringify(good), /must be a JSON object/],
    ['a number', '7', /must be a JSON object/],
    ['null', 'null', /must be a JSON object/],
    ['a form', 'model=gemma3:270m&prompt=x', /not valid JSON/],
    ['a lone continuation byte', withBytes(route, [0x80]), /UTF-8/],
    ['an overlong slash', withBytes(route, [0xc0, 0xaf]), /UTF-8/],
    ['a surrogate in UTF-8', withBytes(route, [0xed, 0xa0, 0x80]), /UTF-8/],
    ['Latin-1', withBytes(route, [0xe9]), /UTF-8/],
    ['UTF-16', Buffer.from(good, 'utf16le'), /UTF-8|not valid JSON/],
    ['10,000 open lists', `{"model":"gemma3:270m","x":${'['.repeat(10_000)}`, /nested deeper than 200/],
    ['5,000 lists', more(route, `"x":${nested(5_000)}`), /nested deeper than 200/],
    ['2,000 objects', more(route, `"x":${'{"x":'.repeat(2_000)}1${'}'.repeat(2_000)}`), /nested deeper than 200/],
    ['201 levels', more(route, `"x":${nested(200)}`), /nested deeper than 200/],
  ]
  for (const [name, body, message] of cases) {
    const answer = await send({ path: route.path, body })
    expect([name, answer.status]).toEqual([name, 400])
    expectRefused(answer, route.family, { status: 400, code: 'invalid_request', message })
  }
})

test.for(READING)('$path refuses a key that comes twice or that Go would take for another', async (route) => {
  const cases: [text: string, message: RegExp][] = [
    ['"model":"gemma3:270m"', /"model" comes twice/],
    ['"mod\\u0065l":"gemma3:270m"', /"model" comes twice/],
    ['"x":1,"x":1', /"x" comes twice/],
    ['"":1,"":2', /"" comes twice/],
    ['"MODEL":"gemma3:270m"', /"MODEL" could be read as "model": spell it exactly so/],
    ['"Model":"gemma3:270m"', /"Model" could be read as "model"/],
    ['"\\u004dodel":"gemma3:270m"', /"Model" could be read as "model"/],
    ...(/show|count/.test(route.path) ? [] : ([['"Keep_Alive":-1', /"Keep_Alive" could be read as "keep_alive"/]] as [string, RegExp][])),
    ...(/show|count/.test(route.path)
      ? []
      : ([['"\u212aeep_alive":-1', /"\u212aeep_alive" could be read as "keep_alive"/]] as [string, RegExp][])),
    ...(/api\/(chat|generate)|completions|responses|messages/.test(route.path)
      ? ([
          ['"\u017ftream":false', /could be read as "stream"/],
          ['"Stream":true', /could be read as "stream"/],
        ] as [string, RegExp][])
      : []),
  ]
  for (const [text, message] of cases) {
    const answer = await send({ path: route.path, body: more(route, text) })
    expect([text, answer.status]).toEqual([text, 400])
    expectRefused(answer, route.family, { status: 400, code: 'invalid_request', message })
  }
})

test.for(READING)('$path refuses a body that is too large, whatever its length is said to be', async (route) => {
  const refused = { status: 413, code: 'body_too_large' as const, message: /larger than 20000 bytes: shorten it/ }
  const large = JSON.stringify(route.body).padEnd(LIMIT_BYTES + 1)
  expectRefused(await send({ path: route.path, body: large }), route.family, refused)
  expectRefused(await send({ path: route.path, body: large, chunked: true }), route.family, refused)
  // Said to be large, and refused without the rest, which never comes.
  expectRefused(await send({ path: route.path, body: '{}', headers: { 'content-length': 99_999_999 } }), route.family, refused)
})

test.for([true, false])('a refusal reaches a caller who is still sending, in pieces: %s', async (chunked) => {
  const path = '/v1/chat/completions'
  const seen: Record<string, number> = {}
  for (let round = 0; round < 10; round++) {
    for (const request of [
      { path, body: 'x'.repeat(1_000_000), chunked },
      { path, body: 'x'.repeat(1_000_000), chunked, key: 'sk_mistyped' },
      { path: '/v1/nothing', body: 'x'.repeat(1_000_000), chunked },
    ]) {
      const end = await send(request).then(
        ({ status }) => String(status),
        (error: NodeJS.ErrnoException) => error.code ?? '',
      )
      seen[end] = (seen[end] ?? 0) + 1
    }
  }
  expect(seen).toEqual({ 413: 10, 401: 10, 404: 10 })
})

test.for(READING)('$path refuses a packed body, whatever is in it', async (route) => {
  const good = Buffer.from(JSON.stringify(route.body))
  const cases: [encoding: string, body: Buffer][] = [
    ['gzip', gzipSync(good)],
    ['x-gzip', gzipSync(good)],
    ['deflate', deflateSync(good)],
    ['br', brotliCompressSync(good)],
    ['zstd', zstdCompressSync(good)],
    ['gzip', gzipSync(Buffer.alloc(5_000_000, 0x20))],
    ['GZIP', gzipSync(good)],
    ['identity, gzip', gzipSync(good)],
    ['gzip', good],
    ['nonsense', good],
  ]
  for (const [encoding, body] of cases) {
    const answer = await send({ path: route.path, body, headers: { 'content-encoding': encoding } })
    expect([encoding, answer.status]).toEqual([encoding, 415])
    expectRefused(answer, route.family, {
      status: 415,
      code: 'unsupported_encoding',
      message: /Content-Encoding.*not supported: send the JSON/,
    })
  }
  // Packed without saying so.
  expectRefused(await send({ path: route.path, body: gzipSync(good) }), route.family, {
    status: 400,
    code: 'invalid_request',
    message: /not valid UTF-8/,
  })
})

test("a broken body's words are not written down", async () => {
  const bodies = ['{"model":"x","prompt":"swordfish" x}', '{"prompt":swordfish}', 'swordfish', '{"model":"x","swordfish', '["swordfish",]']
  for (const body of bodies) for (const { path } of READING) expect((await send({ path, body })).status).toBe(400)
  const last = answers.at(-1)?.headers['x-request-id']
  await expect
    .poll(() => gateway.logs.some((entry) => (entry as { request_id?: unknown }).request_id === last), { timeout: 60_000 })
    .toBe(true)
  const written = gateway.logs.filter((entry) => /sword|fish/.test(JSON.stringify(entry)))
  expect(written.slice(0, 3)).toEqual([])
})

test('none of it reached the host, was charged or is left in flight', async () => {
  expect(gateway.standIn.requests.filter(({ method }) => method === 'POST')).toEqual([])
  await expectNoTrace(gateway, answers)
})

test.for(ROUTES)('$path takes a body just within the limits, whatever its type and pieces', async (route) => {
  const body = more(route, `"x":${nested(199)}`).padEnd(LIMIT_BYTES)
  for (const headers of [{}, { 'content-type': 'text/plain' }, { 'content-encoding': 'identity' }, { 'content-encoding': '' }]) {
    expect((await rawRequest(gateway.url, { path: route.path, key, body, headers, chunked: true })).status).toBe(200)
  }
})

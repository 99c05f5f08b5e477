// What a caller that does nothing odd gets: recorded answers, byte for byte, and Ollama's refusals.
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest'
import { captureNames, exchange, recordedText } from './captures.ts'
import { type StandIn, startStandIn } from './server.ts'
import { raw, rawRequest } from './test-client.ts'

let standIn: StandIn

beforeAll(async () => {
  standIn = await startStandIn({ pace: 'instant' })
})
beforeEach(() => {
  standIn.reset()
  standIn.setPace('instant')
})
afterAll(() => standIn.close())

const AS_RECORDED = [
  'root.get',
  'api-version.get',
  'api-tags',
  'api-ps',
  'v1-models',
  'v1-models.one',
  'v1-models.one.unknown',
  'api-show',
  'api-show.toy-tools',
  'api-chat.stream',
  'api-chat.nostream',
  'api-chat.long.stream',
  'api-chat.tools.stream',
  'api-chat.tools.nostream',
  'api-chat.tool-result.stream',
  'api-chat.think-supported.stream',
  'api-chat.think-and-format.stream',
  'api-chat.format-json.stream',
  'api-chat.format-schema.nostream',
  'api-chat.logprobs.stream',
  'api-chat.stop.stream',
  'api-chat.load',
  'api-chat.unload',
  'api-generate.stream',
  'api-generate.nostream',
  'api-generate.raw.stream',
  'api-generate.context.nostream',
  'api-generate.load',
  'api-generate.unload',
  'api-embed.one',
  'api-embed.many',
  'api-embed.empty',
  'api-embeddings',
  'v1-chat.stream',
  'v1-chat.stream.usage',
  'v1-chat.nostream',
  'v1-chat.tools.stream.usage',
  'v1-chat.tools.nostream',
  'v1-chat.reasoning.stream.usage',
  'v1-chat.reasoning.nostream',
  'v1-chat.logprobs.stream',
  'v1-chat.logprobs.nostream',
  'v1-chat.json-schema.nostream',
  'v1-completions.stream',
  'v1-completions.stream.usage',
  'v1-completions.nostream',
  'v1-embeddings.one',
  'v1-embeddings.many-base64',
  'v1-messages.stream',
  'v1-messages.nostream',
  'v1-messages.tools.stream',
  'v1-messages.tools.nostream',
  'v1-messages.thinking.stream',
  'v1-messages.count-tokens',
  'v1-responses.stream',
  'v1-responses.nostream',
  'v1-responses.tools.stream',
  'v1-responses.tools.nostream',
  'v1-responses.reasoning.stream',
  'v1-responses.items.stream',
  'api-chat.tools-unsupported.stream',
  'api-chat.think.stream',
  'v1-chat.tools-unsupported',
  'api-generate.suffix-unsupported',
  'number.num-predict-string',
  'number.max-tokens-fraction.v1-chat',
  'modelname.cloud',
  'modelname.dotdot',
  'modelname.v1-models.slash',
  'modelname.v1-models.escaped',
]
// The stand-in is never busy, counts no prompt, and reads no second JSON value; an unknown option is no error.
const ERRORS = captureNames().filter((name) => /^error\.(?!server-busy|prompt-too-long|trailing-data|unknown-option)/.test(name))

test.each([...AS_RECORDED, ...ERRORS])('the request of %s is answered as it was when recorded', async (name) => {
  const { request, response } = exchange(name)
  const own = ['Host', 'Origin', 'Access-Control-Request-Method', 'Access-Control-Request-Headers']
  const headers = request.headers.filter(([header, value]) => own.includes(header) && !value.startsWith('127.0.0.1'))
  const answer = await raw(standIn.url, request.method, request.path, request.body ?? undefined, lowerCased(headers))
  expect(answer.status).toBe(response?.status)
  expect(answer.body).toBe(recordedText(name))
  expect(answer.complete).toBe(true)
  for (const [header, value] of response?.headers ?? []) {
    // Scrubbing changed the length of one recorded body; a 204 and a HEAD have none.
    if (!['Date', 'Content-Length', 'Connection', 'Vary', 'Allow'].includes(header))
      expect(answer.headers[header.toLowerCase()]).toBe(value)
  }
  if (response?.framing === 'chunked') expect(answer.chunks).toHaveLength(response.chunks.length)
})

test('every capture can be replayed, whatever is asked', async () => {
  for (const name of captureNames()) {
    const { response, ended } = exchange(name)
    if (response === null || ended === 'client-closed' || response.framing === 'none') continue
    standIn.replay(name)
    const answer = await raw(standIn.url, 'POST', '/api/chat', { model: 'nope' })
    expect([name, answer.status, answer.body === recordedText(name), answer.complete]).toEqual([
      name,
      response.status,
      true,
      ended === 'eof',
    ])
  }
})

test('a replay is used up, and one of an unknown capture is refused', async () => {
  standIn.replay('v1-chat.repetition-guard.stream', 2)
  const sources = []
  for (let call = 0; call < 3; call++) {
    await raw(standIn.url, 'POST', '/api/chat', chat())
    sources.push(standIn.requests.at(-1)?.capture)
  }
  expect(sources).toEqual(['v1-chat.repetition-guard.stream', 'v1-chat.repetition-guard.stream', 'api-chat.stream'])
  expect(() => standIn.replay('nothing')).toThrow('no such capture: nothing')
  expect(() => standIn.replay('../package')).toThrow('no such capture')
})

test('a replay of a call that its caller gave up on stays open until the caller leaves', async () => {
  standIn.replay('fault.client-close.api-chat.stream')
  const socket = await rawRequest(standIn.url, 'POST', '/api/chat', chat())
  await new Promise((resolve) => socket.once('data', resolve))
  expect(standIn.active()).toBe(1)
  socket.destroy()
  await standIn.idle()
  expect(standIn.requests[0]).toMatchObject({ closedEarly: true, capture: 'fault.client-close.api-chat.stream' })
})

test('the names of one model all run it, and the answer repeats the name that was asked for', async () => {
  for (const model of [
    'GEMMA3:270M',
    'library/gemma3:270m',
    'registry.ollama.ai/library/gemma3:270m',
    ' gemma3:270m ',
    'gemma3:270m:local',
    'chat-small',
  ]) {
    const answer = await raw(standIn.url, 'POST', '/v1/chat/completions', { ...chat(), model })
    expect(answer.status).toBe(200)
    expect(JSON.parse(answer.body).model).toBe(model)
  }
})

test('usage is in a chat stream if asked for and only then, whatever else is asked', async () => {
  for (const extra of [
    {},
    { logprobs: true },
    { stop: ['x'] },
    { model: 'toy-tools' },
    { model: 'toy-tools', tools: [{ type: 'function' }] },
  ]) {
    const body = { ...chat(), stream: true, ...extra }
    const without = await raw(standIn.url, 'POST', '/v1/chat/completions', body)
    const withIt = await raw(standIn.url, 'POST', '/v1/chat/completions', { ...body, stream_options: { include_usage: true } })
    expect(without.body).not.toContain('"usage"')
    expect(withIt.body).toMatch(
      /"choices":\[\],"usage":\{"prompt_tokens":[1-9]\d*,"completion_tokens":[1-9]\d*,"total_tokens":[1-9]\d*\}\}\n\ndata: \[DONE\]\n\n$/,
    )
    expect(without.body).toMatch(/"finish_reason":"\w+"\}\]\}\n\ndata: \[DONE\]\n\n$/)
  }
})

test('what was only recorded as a stream is put together when no stream is asked for', async () => {
  const thinking = await raw(standIn.url, 'POST', '/v1/messages', { ...chat(), model: 'toy-tools', max_tokens: 60 })
  expect(JSON.parse(thinking.body)).toMatchObject({
    content: [
      { type: 'thinking', thinking: 'The user asks for 4+4. That is 8.' },
      { type: 'text', text: 'The answer is 8.iatrics' },
    ],
    stop_reason: 'end_turn',
    usage: { input_tokens: 145, output_tokens: 24 },
  })
  const logprobs = await raw(standIn.url, 'POST', '/api/chat', { ...chat(), stream: false, logprobs: true })
  expect(JSON.parse(logprobs.body)).toMatchObject({
    message: { content: 'Say yes. mendatanguser\n' },
    eval_count: 6,
    prompt_eval_count: 12,
  })
  expect(JSON.parse(logprobs.body).logprobs).toHaveLength(6)
})

test('embeddings are as many and as long as asked for', async () => {
  const native = JSON.parse((await raw(standIn.url, 'POST', '/api/embed', { model: 'embed-small', input: ['a', 'b'] })).body)
  expect(native.embeddings.map((vector: number[]) => vector.length)).toEqual([640, 640])
  expect(native.prompt_eval_count).toBe(6) // 2 inputs at the recorded 3 tokens
  const body = { model: 'embed-small', input: ['a', 'b', 'c'], dimensions: 4, encoding_format: 'base64' }
  const openAi = JSON.parse((await raw(standIn.url, 'POST', '/v1/embeddings', body)).body)
  expect(openAi.data.map((one: { embedding: string }) => Buffer.from(one.embedding, 'base64').length)).toEqual([16, 16, 16])
})

test('a path that Ollama does not have is 404 and a wrong method 405 with Allow', async () => {
  expect(await raw(standIn.url, 'GET', '/nothing')).toMatchObject({ status: 404, body: '404 page not found' })
  expect(await raw(standIn.url, 'POST', '/api/pull', {})).toMatchObject({ status: 404 })
  expect(await raw(standIn.url, 'GET', '/api/chat')).toMatchObject({
    status: 405,
    body: '405 method not allowed',
    headers: { allow: 'POST' },
  })
  expect(await raw(standIn.url, 'DELETE', '/api/tags')).toMatchObject({ status: 405, headers: { allow: 'GET, HEAD' } })
})

test('show reads the old field, as the CLI sends it', async () => {
  expect((await raw(standIn.url, 'POST', '/api/show', { model: '', name: 'toy-tools' })).body).toBe(recordedText('api-show.toy-tools'))
})

test('HEAD has the header of GET and no body', async () => {
  expect(await raw(standIn.url, 'HEAD', '/')).toMatchObject({ status: 200, body: '', headers: { 'content-length': '17' } })
  expect(await raw(standIn.url, 'HEAD', '/v1/models')).toMatchObject({ status: 405 })
})

test('a foreign Host or Origin is refused, an allowed Origin is told so', async () => {
  expect(await raw(standIn.url, 'GET', '/api/tags', undefined, { host: 'gateway.example.com' })).toMatchObject({ status: 403, body: '' })
  expect(await raw(standIn.url, 'GET', '/api/tags', undefined, { origin: 'https://evil.example' })).toMatchObject({ status: 403, body: '' })
  const allowed = await raw(standIn.url, 'GET', '/api/version', undefined, { origin: 'http://localhost:3000' })
  expect(allowed).toMatchObject({ status: 200, headers: { 'access-control-allow-origin': 'http://localhost:3000', vary: 'Origin' } })
})

test('an encoded body is refused', async () => {
  const answer = await raw(standIn.url, 'POST', '/api/chat', 'not JSON', { 'content-encoding': 'gzip' })
  expect(answer).toMatchObject({ status: 400, body: recordedText('encoding.gzip.native') })
})

test('a request is kept as it came', async () => {
  await raw(standIn.url, 'POST', '/v1/messages?beta=true', { ...chat(), max_tokens: 5 }, { 'x-test': 'yes' })
  await raw(standIn.url, 'POST', '/api/chat', '{"model": ')
  await raw(standIn.url, 'GET', '/api/tags')
  expect(standIn.requests).toMatchObject([
    {
      method: 'POST',
      path: '/v1/messages?beta=true',
      headers: { 'x-test': 'yes' },
      body: { max_tokens: 5 },
      status: 200,
      closedEarly: false,
    },
    { method: 'POST', path: '/api/chat', body: '{"model": ', status: 400 },
    { method: 'GET', path: '/api/tags', body: null, status: 200 },
  ])
})

test('at the recorded pace the first chunk comes when it came', async () => {
  standIn.setPace('recorded')
  const startedAt = performance.now()
  await raw(standIn.url, 'POST', '/api/chat', { ...chat(), options: { num_predict: 2 } })
  const tookMs = performance.now() - startedAt
  expect(tookMs).toBeGreaterThanOrEqual(105) // the second token was recorded at 107 ms
})

test('a number as the pace is the time between chunks', async () => {
  standIn.setPace(20)
  const startedAt = performance.now()
  await raw(standIn.url, 'POST', '/api/chat', { ...chat(), options: { num_predict: 5 } })
  const tookMs = performance.now() - startedAt
  expect(tookMs).toBeGreaterThanOrEqual(95) // 5 tokens and the last line: 5 waits of 20 ms, less the timers' rounding
})

test('a caller that hangs up ends its answer', async () => {
  standIn.setPace(5)
  const socket = await rawRequest(standIn.url, 'POST', '/api/chat', { ...chat(), options: { num_predict: 400 } })
  await new Promise((resolve) => socket.once('data', resolve))
  expect(standIn.active()).toBe(1)
  socket.destroy()
  await standIn.idle()
  expect(standIn.requests[0]).toMatchObject({ closedEarly: true, status: 200 })
  expect(standIn.requests[0]?.endedAt).not.toBeNull()
})

function chat() {
  return { model: 'gemma3:270m', messages: [{ role: 'user', content: 'Why is the sky blue?' }] }
}

function lowerCased(headers: [string, string][]): Record<string, string> {
  return Object.fromEntries(headers.map(([name, value]) => [name.toLowerCase(), value]))
}

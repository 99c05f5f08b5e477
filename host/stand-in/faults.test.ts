// Each fault does on the wire what its name says.
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest'
import { recorded, recordedText } from './captures.ts'
import { type Fault, type StandIn, startStandIn } from './server.ts'
import { raw, rawRequest } from './test-client.ts'

let standIn: StandIn

beforeAll(async () => {
  standIn = await startStandIn({ pace: 'instant' })
})
beforeEach(() => standIn.reset())
afterAll(() => standIn.close())

const STREAMS = {
  '/api/chat': 'api-chat.stream',
  '/api/generate': 'api-generate.stream',
  '/v1/chat/completions': 'v1-chat.stream',
  '/v1/completions': 'v1-completions.stream',
  '/v1/messages': 'v1-messages.stream',
  '/v1/responses': 'v1-responses.stream',
} as const
const PATHS = Object.keys(STREAMS) as (keyof typeof STREAMS)[]

test('no-header: nothing comes until the caller leaves', async () => {
  standIn.fault({ kind: 'no-header' })
  const socket = await rawRequest(standIn.url, 'POST', '/api/chat', asking())
  let bytes = 0
  socket.on('data', (part) => {
    bytes += part.length
  })
  // Another call, sent later, is answered meanwhile: the first one is not waiting for its turn.
  await raw(standIn.url, 'POST', '/api/chat', asking())
  expect(standIn.active()).toBe(1)
  socket.destroy()
  await standIn.idle()
  expect(bytes).toBe(0)
  expect(standIn.requests[0]).toMatchObject({ fault: 'no-header', status: null, closedEarly: true })
})

test('slow-header: the header comes late, and then the whole answer', async () => {
  const startedAt = performance.now()
  const answer = await failing({ kind: 'slow-header', ms: 80 })
  expect(performance.now() - startedAt).toBeGreaterThanOrEqual(79)
  expect(answer.body).toBe(recordedText('api-chat.stream'))
})

test.each([0, 1, 7, 41])('broken: after %d chunks the connection ends without the terminating chunk', async (afterChunks) => {
  const answer = await failing({ kind: 'broken', afterChunks })
  expect(answer.status).toBe(200)
  expect(answer.chunks).toHaveLength(afterChunks)
  expect(answer.complete).toBe(false)
  await standIn.idle()
  expect(standIn.requests[0]?.closedEarly).toBe(false)
})

test('broken: a body with a length breaks off before it', async () => {
  const answer = await failing({ kind: 'broken', afterChunks: 1 }, '/api/chat', { ...asking(), stream: false })
  expect(answer.status).toBe(200)
  expect(answer.complete).toBe(false)
  expect(answer.body.length).toBeGreaterThan(0)
  expect(answer.headers['content-length']).toBe('483')
})

test.each(PATHS)('no-terminator: on %s all tokens come, then a clean end', async (path) => {
  const answer = await failing({ kind: 'no-terminator' }, path)
  const whole = recorded(STREAMS[path]).chunks.map(({ data }) => String(data))
  expect(answer.complete).toBe(true)
  expect(whole.slice(0, answer.chunks.length)).toEqual(answer.chunks)
  expect(answer.chunks.length).toBeGreaterThan(10)
  expect(answer.body).not.toMatch(
    /"done":true|"finish_reason":"|\[DONE\]|content_block_stop|message_stop|response\.completed|output_text\.done/,
  )
})

test.each(PATHS)('error-line: %s ends as it did when its runner was killed', async (path) => {
  const answer = await failing({ kind: 'error-line', afterChunks: 9 }, path)
  const killed = recordedText(`fault.runner-killed.${STREAMS[path].replace('.stream', '')}.stream`)
  const first = recorded(STREAMS[path]).chunks.slice(0, 9)
  const rest = answer.chunks.slice(9).join('')
  expect(answer.complete).toBe(true)
  expect(answer.chunks.slice(0, 9)).toEqual(first.map(({ data }) => data))
  if (path.startsWith('/api/')) expect(rest).toBe('{"error":"an error was encountered while running the model: unexpected EOF"}\n')
  else if (path === '/v1/messages' || path === '/v1/responses') expect(rest).toBe('')
  else expect(scrubbed(rest)).toBe(scrubbed(killed.slice(killed.lastIndexOf('data: '))))
})

test('error-line: a call that is not streamed gets the recorded 500', async () => {
  const answer = await failing({ kind: 'error-line', afterChunks: 3 }, '/v1/messages', { ...asking(), stream: false })
  expect(answer).toMatchObject({ status: 500, body: recordedText('fault.runner-killed.v1-messages.nostream') })
})

test.each(PATHS)('huge-frame: on %s one frame of that many bytes comes mid-stream', async (path) => {
  const answer = await failing({ kind: 'huge-frame', bytes: 300_000 }, path)
  const longest = answer.body.split(/\n\n?/).reduce((most, line) => (line.length > most.length ? line : most), '')
  // An event's name has a line of its own, which counts as part of the frame.
  expect(Buffer.byteLength(longest)).toBeGreaterThan(299_900)
  expect(Buffer.byteLength(longest)).toBeLessThanOrEqual(300_000)
  JSON.parse(longest.replace('data: ', ''))
  expect(answer.body.endsWith(String(recorded(STREAMS[path]).chunks.at(-1)?.data))).toBe(true)
})

test('huge-frame: bytes are not kept for a caller that does not read', async () => {
  standIn.fault({ kind: 'huge-frame', bytes: 2_000_000_000 })
  const socket = await rawRequest(standIn.url, 'POST', '/api/chat', asking())
  await new Promise((resolve) => socket.once('data', resolve))
  socket.pause()
  expect(standIn.active()).toBe(1)
  socket.destroy()
  await standIn.idle()
  expect(standIn.requests[0]?.closedEarly).toBe(true)
})

test('status: what is ordered, and otherwise what Ollama or Cloudflare would show', async () => {
  const own = await failing({ kind: 'status', status: 429, body: { error: 'slow down' }, headers: { 'Retry-After': '7' } })
  expect(own).toMatchObject({
    status: 429,
    body: '{"error":"slow down"}',
    headers: { 'retry-after': '7', 'content-type': 'application/json; charset=utf-8' },
  })
  expect((await failing({ kind: 'status', status: 503 })).body).toBe(recordedText('error.server-busy.native-chat'))
  expect((await failing({ kind: 'status', status: 503 }, '/v1/messages')).body).toContain('overloaded_error')
  for (const status of [502, 524, 530]) {
    const answer = await failing({ kind: 'status', status })
    expect(answer).toMatchObject({ status, headers: { 'content-type': 'text/html; charset=UTF-8' } })
    expect(answer.body).toContain(`error code: ${status}`)
  }
})

test('stall: after the chunks nothing more comes, and the connection stays open', async () => {
  standIn.fault({ kind: 'stall', afterChunks: 3 })
  const socket = await rawRequest(standIn.url, 'POST', '/api/chat', asking())
  let text = ''
  socket.setEncoding('utf8')
  await new Promise<void>((resolve) => {
    socket.on('data', (part) => {
      text += part
      if (text.split('"done":false').length === 4) resolve()
    })
  })
  await raw(standIn.url, 'GET', '/api/version')
  expect(standIn.active()).toBe(1)
  expect(text).not.toContain('"done":true')
  socket.destroy()
  await standIn.idle()
  expect(standIn.requests[0]).toMatchObject({ fault: 'stall', closedEarly: true })
})

test('redirect: 307, to where it was told or to its own path', async () => {
  expect(await failing({ kind: 'redirect', location: 'https://elsewhere.example/' })).toMatchObject({
    status: 307,
    headers: { location: 'https://elsewhere.example/' },
  })
  expect(await failing({ kind: 'redirect' })).toMatchObject({ status: 307, headers: { location: '/api/chat' } })
})

test.each(PATHS)('zero-counts: on %s the text comes and every closing count is zero', async (path) => {
  for (const stream of [true, false]) {
    const answer = await failing({ kind: 'zero-counts' }, path, { ...asking(), stream, stream_options: { include_usage: true } })
    // What /v1/messages says at its start is an estimate.
    const closing = answer.body.replace(/^event: message_start\n.*\n/, '')
    const counts = [...closing.matchAll(/"(?:eval_count|prompt_eval_count|\w+_tokens)":(\d+)/g)].filter(
      ([text]) => !text.includes('max_output_tokens'),
    )
    expect(counts.length).toBeGreaterThanOrEqual(2)
    expect(counts.every(([, count]) => count === '0')).toBe(true)
    expect(answer.body).toMatch(/sky|capital|colours/)
  }
})

test('split: the same bytes in pieces of that size, also within a character', async () => {
  standIn.replay('api-chat.unicode.stream')
  const answer = await failing({ kind: 'split', bytes: 7 })
  expect(answer.body).toBe(recordedText('api-chat.unicode.stream'))
  expect(answer.chunks.length).toBe(Math.ceil(Buffer.byteLength(answer.body) / 7))
})

test('a fault hits as many requests as told, and only the path that it is meant for', async () => {
  standIn.fault({ kind: 'status', status: 500, times: 2, path: '/api/chat' })
  const statuses = []
  for (const path of ['/api/generate', '/api/chat', '/api/chat', '/api/chat'])
    statuses.push((await raw(standIn.url, 'POST', path, asking())).status)
  expect(statuses).toEqual([200, 500, 500, 200])
  standIn.fault({ kind: 'status', status: 500 })
  standIn.reset()
  expect((await raw(standIn.url, 'POST', '/api/chat', asking())).status).toBe(200)
})

test('a fault in a replay has the shape of the route that was recorded', async () => {
  standIn.replay('v1-messages.stream')
  const answer = await failing({ kind: 'no-terminator' }, '/api/chat')
  expect(answer.chunks.at(-1)).toBe(recorded('v1-messages.stream').chunks.at(-4)?.data)
})

test('a fault that makes no sense is refused by name', () => {
  expect(() => standIn.fault({ kind: 'nothing' } as unknown as Fault)).toThrow('fault.kind')
  expect(() => standIn.fault({ kind: 'split', bytes: 0 })).toThrow('fault.bytes')
  expect(() => standIn.fault({ kind: 'broken' } as unknown as Fault)).toThrow('fault.afterChunks')
})

function failing(fault: Fault, path = '/api/chat', body: unknown = asking()) {
  standIn.fault(fault)
  return raw(standIn.url, 'POST', path, body)
}

/** One body that every route understands. */
function asking() {
  const text = 'Why is the sky blue?'
  return {
    model: 'gemma3:270m',
    stream: true,
    messages: [{ role: 'user', content: text }],
    prompt: text,
    input: text,
    max_tokens: 40,
    max_output_tokens: 40,
  }
}

/** Ids and times differ, and usage is on every chunk of a recording that asked for it. */
function scrubbed(frame: string): string {
  return frame
    .replace(/"id":"[^"]*"/, '')
    .replace(/"created":\d+/, '')
    .replace(/,"usage":\{[^}]*\}/, '')
}

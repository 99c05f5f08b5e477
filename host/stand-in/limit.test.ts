// Output limits and long answers on every route, streamed and whole: the tokens that come and the counts that are given agree.
import { afterAll, beforeAll, expect, test } from 'vitest'
import { type StandIn, startStandIn } from './server.ts'
import { raw } from './test-client.ts'
import { type InferencePath, saidBy, wireOf } from './wires.ts'

let standIn: StandIn

beforeAll(async () => {
  standIn = await startStandIn({ pace: 'instant' })
})
afterAll(() => standIn.close())

const ROUTES: InferencePath[] = ['/api/chat', '/api/generate', '/v1/chat/completions', '/v1/completions', '/v1/messages', '/v1/responses']
const CASES = ROUTES.flatMap((path) => [1, 3, 11, 101, 250, 400].map((limit) => ({ path, limit })))

test.each(CASES)('$path streams $limit tokens when limited to them', async ({ path, limit }) => {
  const answer = await raw(standIn.url, 'POST', path, asking(path, 'Why?', limit, true))
  const wire = wireOf(path)
  expect(answer.chunks.filter((chunk) => wire.isToken(chunk))).toHaveLength(limit)
  expect(answer.body).toContain(counting(path, limit))
  expect(answer.body).toMatch(ending(path, 'length'))
  for (const event of answer.body.split(/\n+/)) if (/^(?:data: )?\{/.test(event)) JSON.parse(event.replace('data: ', ''))
})

test.each(CASES)('$path gives $limit tokens in one piece when limited to them', async ({ path, limit }) => {
  const [streamed, whole] = await Promise.all(
    [true, false].map((stream) => raw(standIn.url, 'POST', path, asking(path, 'Why?', limit, stream))),
  )
  const said = saidBy(
    wireOf(path),
    (streamed?.chunks ?? []).filter((chunk) => wireOf(path).isToken(chunk)),
  )
  expect(whole?.body).toContain(counting(path, limit))
  expect(whole?.body).toMatch(ending(path, 'length'))
  expect(whole?.body).toContain(JSON.stringify(said.text))
})

test.each(ROUTES)('%s streams 400 tokens when a long answer is asked for without a limit', async (path) => {
  const wire = wireOf(path)
  const answer = await raw(standIn.url, 'POST', path, asking(path, 'Tell me a long story.', path === '/v1/messages' ? 5_000 : null, true))
  expect(answer.chunks.filter((chunk) => wire.isToken(chunk))).toHaveLength(400)
  expect(answer.body).toContain(counting(path, 400))
  if (path !== '/api/chat') expect(answer.body).toMatch(ending(path, 'stop'))
})

test('the sums of a shortened answer are sums', async () => {
  const answer = await raw(standIn.url, 'POST', '/v1/chat/completions', asking('/v1/chat/completions', 'Why?', 7, false))
  expect(JSON.parse(answer.body).usage).toEqual({ prompt_tokens: 15, completion_tokens: 7, total_tokens: 22 })
})

test('a limit that is not reached changes nothing', async () => {
  const answer = await raw(standIn.url, 'POST', '/api/chat', asking('/api/chat', 'Why?', 60, true))
  expect(standIn.requests.at(-1)?.capture).toBe('api-chat.stream')
  expect(answer.body).toContain('"eval_count":40')
})

test.each([0, -1])('a limit of %d is none', async (limit) => {
  const answer = await raw(standIn.url, 'POST', '/api/chat', asking('/api/chat', 'Why?', limit, true))
  expect(answer.body).toContain('"eval_count":40')
})

test('a limit within the thinking leaves the text out, and the open block is closed', async () => {
  const answer = await raw(standIn.url, 'POST', '/v1/messages', { ...asking('/v1/messages', 'Why?', 3, true), model: 'toy-tools' })
  expect(saidBy(wireOf('/v1/messages'), answer.chunks)).toMatchObject({ text: '', thinking: 'The user asks' })
  expect(answer.chunks.map((chunk) => chunk.split('\n')[0]?.slice('event: '.length))).toEqual([
    'message_start',
    'content_block_start',
    'content_block_delta',
    'content_block_delta',
    'content_block_delta',
    'content_block_stop',
    'message_delta',
    'message_stop',
  ])
  expect(answer.body).toContain('"type":"content_block_stop","index":0')
})

test('a limit below what a tool call takes leaves the call out', async () => {
  const body = { ...asking('/api/chat', 'Weather?', 5, true), model: 'toy-tools', think: false, tools: [{ type: 'function' }] }
  const cut = await raw(standIn.url, 'POST', '/api/chat', body)
  expect(cut.body).not.toContain('tool_calls')
  expect(cut.body).toContain('"eval_count":5')
  const whole = await raw(standIn.url, 'POST', '/api/chat', { ...body, options: { num_predict: 28 } })
  expect(whole.body).toContain('tool_calls')
})

test('the events of a responses stream are numbered without a gap and repeat the text', async () => {
  const answer = await raw(standIn.url, 'POST', '/v1/responses', asking('/v1/responses', 'Why?', 130, true))
  const numbers = [...answer.body.matchAll(/"sequence_number":(\d+)/g)].map(([, number]) => Number(number))
  expect(numbers).toEqual(numbers.map((_, index) => index))
  const { text } = saidBy(wireOf('/v1/responses'), answer.chunks)
  // Twice in the done events of text and part, once each in the item's and the response's.
  expect(answer.body.split(JSON.stringify(text))).toHaveLength(5)
  expect(answer.body).toContain('"max_output_tokens":130')
})

function asking(path: InferencePath, prompt: string, limit: number | null, stream: boolean): Record<string, unknown> {
  const messages = [{ role: 'user', content: prompt }]
  const base = { model: 'gemma3:270m', stream }
  const tokens = limit === null ? {} : { max_tokens: limit }
  switch (path) {
    case '/api/chat':
      return { ...base, messages, options: limit === null ? {} : { num_predict: limit } }
    case '/api/generate':
      return { ...base, prompt, options: limit === null ? {} : { num_predict: limit } }
    case '/v1/completions':
      return { ...base, ...tokens, prompt, stream_options: { include_usage: true } }
    case '/v1/responses':
      return { ...base, input: prompt, ...(limit === null ? {} : { max_output_tokens: limit }) }
    default:
      return { ...base, ...tokens, messages, stream_options: { include_usage: true } }
  }
}

function counting(path: InferencePath, tokens: number): string {
  if (path.startsWith('/api/')) return `"eval_count":${tokens}`
  return path === '/v1/messages' || path === '/v1/responses' ? `"output_tokens":${tokens}` : `"completion_tokens":${tokens}`
}

function ending(path: InferencePath, reason: 'length' | 'stop'): RegExp {
  if (path === '/v1/responses') return /"status":"completed"/
  if (path === '/v1/messages') return reason === 'length' ? /"stop_reason":"max_tokens"/ : /"stop_reason":"end_turn"/
  return new RegExp(`"(?:done_reason|finish_reason)":"${reason}"`)
}

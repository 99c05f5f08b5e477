import { expect, test } from 'vitest'
import { jsonLine, logLine, parseLog } from './log-line.ts'

const at = new Date(2026, 10, 24, 11, 2, 33).getTime()
const line = (message: unknown, level = 'log', colours = false) =>
  logLine({ timestampMs: at, level, message: typeof message === 'string' ? message : JSON.stringify(message) }, colours)
const words = (text: string) => text.replace(/ {2,}/g, '  ')

const request = {
  event: 'request',
  request_id: '01980000-0000-7000-8000-000000000000',
  customer: 'Demo',
  customer_id: 1,
  key_id: 1,
  model: 'gemma3:270m',
  dialect: 'ollama',
  status: 200,
  outcome: 'completed',
  code: null,
  input_tokens: 15,
  output_tokens: 128,
  cached_tokens: 0,
  cost_usd: '0.0001527',
  first_ms: 213,
  total_ms: 2104,
  estimated: false,
}

test('a request is one line: who, what, tokens, cost, times, ending', () => {
  expect(words(line(request))).toBe('11:02:33  Demo  gemma3:270m  ollama  15 → 128 tokens  $0.0001527  first 0.21 s of 2.10 s  completed')
})

test('an ending that is not the usual one shows its status, an estimate says so', () => {
  const abandoned = { ...request, outcome: 'abandoned', code: 'hung_up', estimated: true }
  expect(words(line(abandoned))).toContain('15 → 128 tokens (estimated)  $0.0001527  first 0.21 s of 2.10 s  abandoned (hung_up, 200)')
  const failed = { ...request, outcome: 'failed', code: 'upstream_error', status: 502, output_tokens: 0, cost_usd: '0', first_ms: null }
  expect(words(line(failed))).toContain('15 → 0 tokens  $0  nothing in 2.10 s  failed (upstream_error, 502)')
})

test('a refusal is one line: why, and what was asked', () => {
  const refused = {
    event: 'refused',
    code: 'budget_exceeded',
    status: 402,
    request_id: 'r1',
    method: 'POST',
    path: '/api/chat',
    message: 'The budget is used up.',
  }
  expect(line(refused)).toBe(
    '11:02:33  refused  budget_exceeded  The budget is used up.  status=402 request_id=r1 method=POST path=/api/chat',
  )
})

test('any other event is its name, its message and the rest', () => {
  expect(line({ event: 'sweep', expired: 3 })).toBe('11:02:33  sweep  expired=3')
  expect(line({ event: 'error', code: 'host_refused', status: 500, message: 'no text', request_id: null })).toBe(
    '11:02:33  error  host_refused  no text  status=500',
  )
})

test('text that is no object is shown as it is', () => {
  expect(line('Uncaught Error: oops', 'error')).toBe('11:02:33  Uncaught Error: oops')
  expect(line('{"half": ')).toBe('11:02:33  {"half":')
  expect(parseLog('{"no":"event"}')).toBe(null)
})

test('control characters never reach the terminal', () => {
  expect(words(line({ ...request, customer: 'Eve\u001b[2J\r\nforged line' }))).toContain('Eve [2J forged line')
})

test('colours come only when asked for', () => {
  expect(line({ event: 'error', message: 'x' }, 'log', true)).toBe('\u001b[31m11:02:33  error  x\u001b[0m')
  expect(line({ event: 'sweep' }, 'log', true)).toBe('\u001b[2m11:02:33  sweep\u001b[0m')
  expect(line(request, 'log', true)).not.toContain('\u001b')
})

test('as JSON, objects stay as they are and text becomes one', () => {
  expect(jsonLine({ timestampMs: at, level: 'log', message: '{"event":"sweep","settled":2}' })).toBe('{"event":"sweep","settled":2}')
  expect(jsonLine({ timestampMs: at, level: 'error', message: 'Uncaught Error' })).toBe(
    '{"event":"runtime","level":"error","message":"Uncaught Error"}',
  )
})

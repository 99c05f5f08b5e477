// Test support for bad input: requests exactly as written, which fetch would tidy up; a good request for each route; and what a refusal looks like.
import { request as httpRequest, type IncomingHttpHeaders, type OutgoingHttpHeaders } from 'node:http'
import { expect } from 'vitest'
import type { ErrorCode, Family } from '../worker/errors.ts'
import type { TestGateway } from './harness.ts'
import { expectProved } from './ledger.ts'

export interface RawRequest {
  /** POST unless told. */
  method?: string
  /** Sent as it is: neither resolved nor escaped. */
  path: string
  key?: string
  headers?: OutgoingHttpHeaders
  /** Bytes and text go out as they are, anything else as JSON. */
  body?: unknown
  /** In pieces, without a Content-Length. */
  chunked?: boolean
}

export interface RawAnswer {
  path: string
  status: number
  headers: IncomingHttpHeaders
  text: string
}

/** Sends a request on a connection of its own, and reads the answer to its end. Rejects when there is none. */
export function rawRequest(url: string, { method = 'POST', path, key, headers = {}, body, chunked }: RawRequest): Promise<RawAnswer> {
  const { hostname, port } = new URL(url)
  const bytes = bytesOf(body)
  const all: OutgoingHttpHeaders = { ...(key === undefined ? {} : { authorization: `Bearer ${key}` }), ...headers }
  if (bytes !== null) all['content-type'] ??= 'application/json'
  if (bytes !== null && !chunked) all['content-length'] ??= bytes.byteLength
  const { promise, resolve, reject } = Promise.withResolvers<RawAnswer>()
  const call = httpRequest({ hostname, port, method, path, headers: all, agent: false }, (answer) => {
    const pieces: Buffer[] = []
    answer.on('data', (piece) => pieces.push(piece))
    answer.on('error', reject)
    answer.on('end', () => {
      resolve({ path, status: answer.statusCode ?? 0, headers: answer.headers, text: Buffer.concat(pieces).toString() })
      call.destroy()
    })
  })
  call.on('error', reject)
  for (let at = 0; chunked && bytes !== null && at < bytes.byteLength; at += 1000) call.write(bytes.subarray(at, at + 1000))
  call.end(chunked ? null : bytes)
  return promise
}

function bytesOf(body: unknown): Buffer | null {
  if (body === undefined) return null
  if (body instanceof Uint8Array) return Buffer.from(body)
  return Buffer.from(typeof body === 'string' ? body : JSON.stringify(body))
}

export interface Route {
  path: string
  family: Family
  /** A request that is answered. */
  body: Record<string, unknown>
  /** The fields that limit the output. */
  limits: string[]
}

const messages = [{ role: 'user', content: 'Why is the sky blue?' }]
const model = 'gemma3:270m'

/** Every route that costs money. */
export const ROUTES: readonly Route[] = [
  { path: '/api/chat', family: 'ollama', body: { model, messages, options: { num_predict: 8 } }, limits: ['options.num_predict'] },
  { path: '/api/generate', family: 'ollama', body: { model, prompt: 'x', options: { num_predict: 8 } }, limits: ['options.num_predict'] },
  { path: '/api/embed', family: 'ollama', body: { model: 'embed-small:latest', input: 'x' }, limits: [] },
  { path: '/api/embeddings', family: 'ollama', body: { model: 'embed-small:latest', prompt: 'x' }, limits: [] },
  {
    path: '/v1/chat/completions',
    family: 'openai',
    body: { model, messages, max_tokens: 8 },
    limits: ['max_tokens', 'max_completion_tokens'],
  },
  { path: '/v1/completions', family: 'openai', body: { model, prompt: 'x', max_tokens: 8 }, limits: ['max_tokens'] },
  { path: '/v1/embeddings', family: 'openai', body: { model: 'embed-small:latest', input: 'x' }, limits: [] },
  { path: '/v1/responses', family: 'openai', body: { model, input: 'x', max_output_tokens: 8 }, limits: ['max_output_tokens'] },
  { path: '/v1/messages', family: 'anthropic', body: { model, messages, max_tokens: 8 }, limits: ['max_tokens'] },
]

/** The body with another value at a dotted path; without it where the value is undefined. */
export function withField(body: Record<string, unknown>, path: string, value: unknown): Record<string, unknown> {
  const [key = '', ...rest] = path.split('.')
  if (rest.length > 0) return { ...body, [key]: withField(body[key] as Record<string, unknown>, rest.join('.'), value) }
  return Object.fromEntries(Object.entries({ ...body, [key]: value }).filter(([, each]) => each !== undefined))
}

const OPENAI_TYPES: Partial<Record<ErrorCode, string>> = {
  invalid_api_key: 'authentication_error',
  account_suspended: 'permission_error',
  model_not_allowed: 'permission_error',
  route_forbidden: 'permission_error',
  not_found: 'not_found_error',
  model_not_found: 'not_found_error',
}
const ANTHROPIC_TYPES: Partial<Record<ErrorCode, string>> = {
  ...OPENAI_TYPES,
  body_too_large: 'request_too_large',
  host_busy: 'overloaded_error',
  upstream_timeout: 'timeout_error',
}

export interface Refused {
  status: number
  code: ErrorCode
  message: RegExp
  /** Where retrying is of use: how many seconds to wait, or null for the caller to choose. Final unless told. */
  retry?: number | null
}

/** The caller is refused in the envelope of its dialect, with a request id, a hint whether to retry, and words that help. */
export function expectRefused(answer: RawAnswer, family: Family, { status, code, message, retry }: Refused): void {
  const { headers, text } = answer
  const about = `${answer.path} ${answer.status} ${text}`
  expect(answer.status, about).toBe(status)
  const requestId = headers['x-request-id']
  expect(requestId, about).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[0-9a-f]{4}-[0-9a-f]{12}$/)
  expect(headers['content-type'], about).toMatch(/^application\/json/)
  expect([headers['x-should-retry'], headers['retry-after']], about).toEqual(
    retry === undefined ? ['false', undefined] : [undefined, retry === null ? undefined : String(retry)],
  )
  const fallback = status < 500 ? 'invalid_request_error' : 'api_error'
  const said = expect.stringMatching(message)
  const body = JSON.parse(text)
  if (family === 'ollama') expect(body, about).toEqual({ error: said })
  if (family === 'openai') {
    const error = { message: said, type: OPENAI_TYPES[code] ?? fallback, code }
    expect(body, about).toEqual({ error: { ...error, param: body.error.param } })
    expect([null, 'string'], about).toContain(body.error.param === null ? null : typeof body.error.param)
  }
  if (family === 'anthropic') {
    const error = { type: ANTHROPIC_TYPES[code] ?? fallback, message: said }
    expect(body, about).toEqual({ type: 'error', error, request_id: requestId })
    expect(headers['request-id']).toBe(requestId)
  }
}

/** Nothing in flight, nothing charged, every sum agrees; each refusal is in the log; and no secret is in any answer or in the log. */
export async function expectNoTrace(gateway: TestGateway, answers: readonly RawAnswer[], secrets: readonly string[] = []): Promise<void> {
  await expectProved(gateway.db)
  expect(await gateway.db.prepare('SELECT coalesce(sum(cost_nano), 0) AS cost FROM usage').first('cost')).toBe(0)
  const refusals = answers.filter(({ status }) => status >= 400).map(({ headers }) => headers['x-request-id'])
  const unlogged = () => {
    const logged = new Set(gateway.logs.map((entry) => (entry as { request_id?: unknown }).request_id))
    return refusals.filter((id) => !logged.has(id))
  }
  await expect.poll(unlogged, { timeout: 60_000 }).toEqual([])
  const told = JSON.stringify([answers.map(({ headers, text }) => [headers, text]), gateway.logs])
  // As much of a key as would help to guess the rest.
  expect(told.match(/sk_[0-9a-f]{20,}/gi) ?? []).toEqual([])
  expect(secrets.filter((secret) => told.includes(secret))).toEqual([])
}

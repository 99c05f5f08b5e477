// What a vendor refuses before any model sees it: a wrong key, no JSON, fields that it does not know.
import { isObject, type JsonObject } from '../../worker/json.ts'
import type { Vendor } from '../../worker/vendors/vendor-request.ts'
import { type Answer, refusal } from './answer.ts'
import { ANTHROPIC_BETA_FIELDS, ANTHROPIC_FIELDS, OPENAI_FIELDS, REQUIRED } from './fields.ts'
import type { ReceivedRequest } from './request.ts'

/** The refusal; null for a request that the vendor would take. */
export function refused(vendor: Vendor, apiKey: string, request: ReceivedRequest): Answer | null {
  return vendor === 'openai' ? refusedByOpenai(apiKey, request) : refusedByAnthropic(apiKey, request)
}

/** Reasoning models, which do not take `max_tokens`. */
export function isReasoning(model: unknown): boolean {
  return typeof model === 'string' && /^(o|gpt-5|gpt-6)/.test(model)
}

function refusedByOpenai(apiKey: string, request: ReceivedRequest): Answer | null {
  const invalid = (message: string, param?: string, code?: string) =>
    refusal('openai', 400, { type: 'invalid_request_error', message, ...(param && { param }), ...(code && { code }) })
  const given = bearer(request)
  if (given !== apiKey) {
    // As the vendor does: ends of the key are in the words.
    const message =
      given === null ? 'There is no API key in this request.' : `Incorrect API key provided: ${given.slice(0, 7)}****${given.slice(-4)}.`
    return refusal('openai', 401, { type: 'invalid_request_error', message, code: 'invalid_api_key' })
  }
  const path = pathOf(request)
  if (isModels(request, path)) return null
  const known = OPENAI_FIELDS[path]
  if (known === undefined) return refusal('openai', 404, { type: 'invalid_request_error', message: `No such route: ${path}` })
  if (request.method !== 'POST') return refusal('openai', 405, { type: 'invalid_request_error', message: 'Only POST is taken here.' })
  if (!isObject(request.body)) return invalid('The body of this request is not a JSON object.')
  const missing = missingField(path, request.body)
  if (missing !== undefined) return invalid(`A required parameter is missing: '${missing}'.`, missing, 'missing_required_parameter')
  const unknown = Object.keys(request.body).find((field) => !known.includes(field))
  if (unknown !== undefined) return invalid(`Unknown parameter: '${unknown}'.`, unknown, 'unknown_parameter')
  if (path === '/v1/chat/completions' && (request.body.max_tokens ?? null) !== null && isReasoning(request.body.model)) {
    return invalid("'max_tokens' does not go with this model: say 'max_completion_tokens'.", 'max_tokens', 'unsupported_parameter')
  }
  return null
}

function refusedByAnthropic(apiKey: string, request: ReceivedRequest): Answer | null {
  const invalid = (message: string) => refusal('anthropic', 400, { type: 'invalid_request_error', message })
  // Either will do; older SDKs send the first, newer ones the second.
  const keys = [request.header('x-api-key'), bearer(request)].filter((key) => key !== null)
  if (keys.length === 0) return refusal('anthropic', 401, { type: 'authentication_error', message: 'x-api-key header is required' })
  if (keys.some((key) => key !== apiKey)) return refusal('anthropic', 401, { type: 'authentication_error', message: 'invalid x-api-key' })
  if (request.header('anthropic-version') === null) return invalid('anthropic-version: header is required')
  const path = pathOf(request)
  if (isModels(request, path)) return null
  const known = ANTHROPIC_FIELDS[path]
  if (known === undefined) return refusal('anthropic', 404, { type: 'not_found_error', message: 'Not found' })
  if (request.method !== 'POST') return refusal('anthropic', 405, { type: 'invalid_request_error', message: 'Method not allowed' })
  if (!isObject(request.body)) return invalid('The body of this request is not a JSON object.')
  const missing = missingField(path, request.body)
  if (missing !== undefined) return invalid(`${missing}: Field required`)
  const beta = request.header('anthropic-beta') === null ? [] : ANTHROPIC_BETA_FIELDS
  const unknown = Object.keys(request.body).find((field) => !known.includes(field) && !beta.includes(field))
  return unknown === undefined ? null : invalid(`${unknown}: Extra inputs are not permitted`)
}

/** Without the query. */
export function pathOf(request: ReceivedRequest): string {
  return request.path.split('?')[0] ?? request.path
}

function isModels({ method }: ReceivedRequest, path: string): boolean {
  return method === 'GET' && /^\/v1\/models(\/[^/]+)?$/.test(path)
}

function bearer(request: ReceivedRequest): string | null {
  return /^Bearer (.+)$/i.exec(request.header('authorization') ?? '')?.[1] ?? null
}

function missingField(path: string, body: JsonObject): string | undefined {
  return REQUIRED[path]?.find((field) => (body[field] ?? null) === null)
}

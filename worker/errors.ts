// The closed list of what can go wrong, and how each family of dialects words it on the wire.
import type { HostTrouble } from './host-trouble.ts'
import { withoutKeys } from './keys.ts'

/** With the status of each. */
export const STATUS = {
  invalid_request: 400,
  invalid_api_key: 401,
  budget_exceeded: 402,
  account_suspended: 403,
  ended_by_operator: 403,
  model_not_allowed: 403,
  route_forbidden: 403,
  not_found: 404,
  model_not_found: 404,
  method_not_allowed: 405,
  body_too_large: 413,
  unsupported_encoding: 415,
  rate_limited: 429,
  internal_error: 500,
  upstream_error: 502,
  host_busy: 503,
  ledger_unavailable: 503,
  upstream_overloaded: 503,
  upstream_unavailable: 503,
  upstream_timeout: 504,
} as const
export type ErrorCode = keyof typeof STATUS

/** Whose envelope an error wears. */
export type Family = 'ollama' | 'openai' | 'anthropic'

interface ErrorDetails {
  /** The field or header at fault. */
  param?: string
  retryAfterSeconds?: number
  /** Set where no retry can help although the status suggests one. */
  final?: boolean
  /** For the operator's log; never shown to the caller. */
  cause?: unknown
  /** Whose request it was, where that is known: for the operator's log. */
  who?: { customer: string; customer_id: number; key_id: number }
  /** The message may hold words of the caller's content: it is told, not written down. */
  quotes?: boolean
  headers?: Record<string, string>
  /** What is wrong with the host: for the operator's alerts; never shown to the caller. */
  host?: HostTrouble
}

/** An expected outcome that is told to the caller: `message` says what is wrong and what to do about it. */
export class GatewayError extends Error {
  readonly code: ErrorCode
  readonly details: ErrorDetails

  constructor(code: ErrorCode, message: string, details: ErrorDetails = {}) {
    super(withoutKeys(message), { cause: details.cause })
    this.code = code
    this.details = details
  }

  get status(): (typeof STATUS)[ErrorCode] {
    return STATUS[this.code]
  }
}

/** The operator has ended the request (`kill`). It is no refusal that another try would change. */
export function endedByOperator(charge: string): GatewayError {
  return new GatewayError('ended_by_operator', `The operator ended this request: ${charge}. Ask them before it is sent again.`)
}

/** A fault of the gateway itself: the cause is for the log alone. */
export function gatewayFault(cause?: unknown): GatewayError {
  return new GatewayError('internal_error', 'The gateway failed: the operator has the cause.', { cause })
}

const OPENAI_TYPES: Partial<Record<ErrorCode, string>> = {
  invalid_api_key: 'authentication_error',
  budget_exceeded: 'insufficient_quota',
  account_suspended: 'permission_error',
  ended_by_operator: 'permission_error',
  model_not_allowed: 'permission_error',
  route_forbidden: 'permission_error',
  not_found: 'not_found_error',
  model_not_found: 'not_found_error',
  rate_limited: 'rate_limit_error',
}

const ANTHROPIC_TYPES: Partial<Record<ErrorCode, string>> = {
  ...OPENAI_TYPES,
  budget_exceeded: 'billing_error',
  body_too_large: 'request_too_large',
  host_busy: 'overloaded_error',
  upstream_overloaded: 'overloaded_error',
  upstream_timeout: 'timeout_error',
}

/** The error as a JSON value in the envelope that the family's clients expect. */
export function errorBody(family: Family, error: GatewayError, requestId: string): Record<string, unknown> {
  const fallback = error.status < 500 ? 'invalid_request_error' : 'api_error'
  switch (family) {
    case 'ollama':
      return { error: error.message }
    case 'openai':
      return {
        error: { message: error.message, type: OPENAI_TYPES[error.code] ?? fallback, param: error.details.param ?? null, code: error.code },
      }
    case 'anthropic':
      return { type: 'error', error: { type: ANTHROPIC_TYPES[error.code] ?? fallback, message: error.message }, request_id: requestId }
  }
}

/** The whole refusal: status, envelope, request id, and whether and when a retry is of use (official SDKs obey both headers). */
export function errorResponse(family: Family, error: GatewayError, requestId: string): Response {
  const headers = new Headers({ 'content-type': 'application/json; charset=utf-8', 'x-request-id': requestId, ...error.details.headers })
  if (family === 'anthropic') headers.set('request-id', requestId)
  if (error.details.retryAfterSeconds !== undefined) headers.set('retry-after', String(error.details.retryAfterSeconds))
  else if (error.details.final ?? error.status < 500) headers.set('x-should-retry', 'false')
  return new Response(JSON.stringify(errorBody(family, error, requestId)), { status: error.status, headers })
}

/** Whose envelope a path speaks. The lists of models are of two families at one path, told apart by a header. */
export function familyOfPath(path: string, headers: Headers): Family {
  if (path.startsWith('/v1/messages') || (path.startsWith('/v1/models') && headers.has('anthropic-version'))) return 'anthropic'
  return path.startsWith('/v1') ? 'openai' : 'ollama'
}

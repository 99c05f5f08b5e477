// What a vendor's error means for the caller. The vendor knows the operator, not the customer: what is between those two is told in general words.
import { GatewayError } from '../errors.ts'
import { causeOf, log } from '../log.ts'
import { modelNotFound } from '../refusal.ts'

/** An error as a vendor put it, with its status; 200 for one within an answer. */
export interface VendorError {
  status: number
  /** OpenAI's code, or Anthropic's type; '' where there is none. */
  code: string
  message: string
  /** The field at fault, where the vendor names one. */
  param?: string | undefined
  retryAfterSeconds?: number | undefined
}

const RETRY_AFTER_SECONDS = 2
/** A wait beyond is none that a client should sit out. */
const RETRY_AFTER_MAX_SECONDS = 3600

/** OpenAI's `insufficient_quota` comes with 429, Anthropic's empty balance with 400 or 402. */
const UNPAID_CODE = /^(insufficient_quota|billing_error|billing_hard_limit_reached|billing_not_active)$/
const UNPAID_WORDS = /credit balance is too low|exceeded your current quota/i
/** Codes and types of errors within an answer that are about the request. */
const CALLERS_CODE =
  /^(invalid_(?!api_key)|context_length_exceeded|string_above_max_length|unsupported_|content_policy_violation|content_filter)/
/** Who the operator is to the vendor: their keys, organisation, project, workspace, and pages of their account. */
const IDENTITY = [
  /\b(?:sk|sess|pk|rk)-[A-Za-z0-9*_.-]{4,}/g,
  /\b(?:org|wrkspc|acct)[-_][A-Za-z0-9_-]{4,}/gi,
  // With a digit in it: `user_location` is a field.
  /\b(?:proj|user)[-_](?=[A-Za-z_-]*\d)[A-Za-z0-9_-]{4,}/gi,
  /\b(?:in |for |of )?(?:your )?(?:organization|organisation|project|workspace)\b:?\s+(?:[`"']?[A-Za-z0-9][\w.-]*[`"']?)/gi,
  /https?:\/\/\S*(?:platform\.openai\.com|console\.anthropic\.com|platform\.claude\.com)\S*/gi,
]

/** The vendor's words for the caller's own mistake, without who the operator is. */
function withoutIdentity(text: string): string {
  return IDENTITY.reduce((words, pattern) => words.replace(pattern, '…'), text)
}

/** Whose request met it. */
export interface Asker {
  requestId: string
  /** As the caller named it. */
  model: string
}

/** Logs what is the operator's trouble, with its cause. */
export function vendorRefusal(vendor: string, error: VendorError, { requestId, model }: Asker): GatewayError {
  const { status, code, message, param } = error
  const told = (event: string) =>
    log({
      event: 'error',
      code: event,
      request_id: requestId,
      vendor,
      status,
      vendor_code: code.slice(0, 64),
      message: withoutIdentity(message).slice(0, 500),
    })
  if (status === 401 || status === 403 || /^(invalid_api_key|authentication_error|permission_error)$/.test(code)) {
    told('vendor_refused_key')
    return new GatewayError('upstream_error', `${OPERATORS} The vendor of "${model}" did not let the gateway in.`, { final: true })
  }
  if (status === 402 || UNPAID_CODE.test(code) || UNPAID_WORDS.test(message)) {
    told('vendor_unpaid')
    return new GatewayError('upstream_unavailable', `${OPERATORS} "${model}" is not to be had right now.`, { final: true })
  }
  if (code === 'model_not_found' || status === 404) {
    told('vendor_model_not_found')
    return modelNotFound(model)
  }
  if (status === 429 || /rate_limit/.test(code)) {
    const retryAfterSeconds = waitOf(error.retryAfterSeconds)
    told('vendor_rate_limited')
    return new GatewayError('rate_limited', `The vendor of "${model}" takes no more requests right now: wait ${retryAfterSeconds} s.`, {
      retryAfterSeconds,
    })
  }
  if (status === 529 || status === 503 || /overloaded/.test(code)) {
    return new GatewayError('upstream_overloaded', `The vendor of "${model}" is overloaded: try again in a moment.`, {
      retryAfterSeconds: waitOf(error.retryAfterSeconds),
    })
  }
  if (status === 413 || code === 'request_too_large')
    return new GatewayError('body_too_large', 'The vendor takes no request as large: shorten it.')
  if (status === 400 || status === 422 || (status === 200 && CALLERS_CODE.test(code))) {
    return new GatewayError('invalid_request', withoutIdentity(message), { quotes: true, ...(param === undefined ? {} : { param }) })
  }
  told('vendor_failed')
  if (status === 408 || status === 504 || code === 'timeout_error')
    return new GatewayError('upstream_timeout', `The vendor of "${model}" took too long to answer: try again, or ask for less.`)
  return new GatewayError('upstream_error', `The vendor of "${model}" failed: try again in a moment.`)
}

const OPERATORS = 'This is for the operator to mend, who has the cause:'

function waitOf(seconds: number | undefined): number {
  return Math.min(RETRY_AFTER_MAX_SECONDS, Math.max(1, Math.ceil(seconds ?? RETRY_AFTER_SECONDS)))
}

/** A vendor that could not be reached at all. */
export function vendorUnreachable(vendor: string, cause: unknown): GatewayError {
  log({ event: 'error', code: 'vendor_unreachable', vendor, message: causeOf(cause) })
  return new GatewayError('upstream_unavailable', 'The vendor of this model cannot be reached right now: try again in a moment.', {
    cause,
    retryAfterSeconds: 5,
  })
}

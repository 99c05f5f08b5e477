// The one place that calls fetch; and the host: how it is asked, and what its refusals mean for a caller.
import type { Config } from './config.ts'
import { GatewayError, type HostTrouble } from './errors.ts'
import { isObject, type JsonObject } from './json.ts'
import { causeOf, log } from './log.ts'
import { hostBusy, modelNotFound } from './refusal.ts'

interface UpstreamCall {
  method?: 'GET' | 'POST'
  body?: string
  signal?: AbortSignal
}

/** How much of an error answer is read. */
const ERROR_BODY_BYTES = 65_536

/**
 * Calls the host as itself: none of the caller's headers, the Access token if there is one, no redirect followed (it would carry that token along).
 * Throws upstream_unavailable where no answer comes; an abort is thrown as it is.
 */
export async function callHost(config: Config, path: string, call: UpstreamCall): Promise<Response> {
  const headers = new Headers({ accept: 'application/json, application/x-ndjson, text/event-stream' })
  if (call.body !== undefined) headers.set('content-type', 'application/json')
  if (config.access !== null) {
    headers.set('CF-Access-Client-Id', config.access.clientId)
    headers.set('CF-Access-Client-Secret', config.access.clientSecret)
  }
  return callUpstream(`${config.ollamaBaseUrl}${path}`, headers, call, (cause) => {
    const message = 'The host cannot be reached right now: try again in a moment.'
    return new GatewayError('upstream_unavailable', message, { cause, retryAfterSeconds: 5, host: 'unreachable' })
  })
}

/** Follows no redirect: it would carry the headers along. Throws what `unreachable` makes of no answer; an abort is thrown as it is. */
export async function callUpstream(
  url: string,
  headers: Headers,
  call: UpstreamCall,
  unreachable: (cause: unknown) => Error,
): Promise<Response> {
  try {
    return await fetch(url, {
      method: call.method ?? 'GET',
      headers,
      redirect: 'manual',
      ...(call.body === undefined ? {} : { body: call.body }),
      ...(call.signal === undefined ? {} : { signal: call.signal }),
    })
  } catch (error) {
    if (call.signal?.aborted) throw error
    throw unreachable(error)
  }
}

/** Whether this is an answer to read on: 200, and not a page for people. */
export function isAnswer(response: Response): boolean {
  return response.status === 200 && !(response.headers.get('content-type') ?? '').startsWith('text/html')
}

/** What a refusal of the host means for the caller. What is the operator's trouble goes to the log, and to the caller in general words. */
export async function hostRefusal(response: Response, model: string): Promise<GatewayError> {
  const error = await refusalOf(response, model)
  error.details.host = troubleOf(response)
  return error
}

/** Cloudflare says 530 where no tunnel is connected, cloudflared says 502 where nothing listens behind it. */
function troubleOf(response: Response): HostTrouble {
  const { status } = response
  if (isAccessRefusal(response)) return 'access'
  if (status === 530) return 'tunnel'
  if (status === 504 || status === 522 || status === 524) return 'timeout'
  return status === 502 || status === 503 ? 'ollama' : status > 520 ? 'unreachable' : 'answer'
}

async function refusalOf(response: Response, model: string): Promise<GatewayError> {
  const said = await errorText(response)
  const { status } = response
  if (isAccessRefusal(response)) {
    log({
      event: 'error',
      code: 'access_refused',
      status,
      message: 'Cloudflare Access did not let the gateway in: check CF_ACCESS_CLIENT_ID and _SECRET.',
    })
    return upstreamError()
  }
  if (status === 404 && said !== null) return modelNotFound(model)
  if (status === 403 && said !== null && /cloud/i.test(said)) {
    return new GatewayError('model_not_allowed', `The model "${model}" does not run on this host.`, { param: 'model' })
  }
  if (status === 503 && said !== null) return hostBusy()
  const notEmbedding = said !== null && /does not support embeddings/i.test(said)
  if (status === 501 || notEmbedding)
    return new GatewayError('invalid_request', `The model "${model}" does not support embeddings.`, { param: 'model' })
  if (status === 400 && said !== null) return new GatewayError('invalid_request', withoutPaths(said), { quotes: true })
  log({ event: 'error', code: 'host_refused', status, message: said ?? 'no text' })
  if (status === 504 || status === 522 || status === 524) return new GatewayError('upstream_timeout', 'The host took too long to answer.')
  if (status === 502 || status === 503 || status >= 520) {
    return new GatewayError('upstream_unavailable', 'The host cannot be reached right now: try again in a moment.', {
      retryAfterSeconds: 5,
    })
  }
  return upstreamError()
}

/** The host answered, but not as it should. */
export function upstreamError(cause?: unknown): GatewayError {
  return new GatewayError('upstream_error', 'The host did not answer as it should: the operator has the cause.', { cause })
}

/** The host's words without the places of its files. */
function withoutPaths(text: string): string {
  return text.replace(/(^|[\s"'(:=])(?:[A-Za-z]:)?(?:[\\/][\w.@ -]+){2,}/g, '$1…')
}

/** Access answers a missing or wrong service token with its login page, or with 401 or 403 and a page; Ollama has no pages. */
function isAccessRefusal(response: Response): boolean {
  const { status, headers } = response
  if (status >= 300 && status < 400) return /cloudflareaccess\.com|\/cdn-cgi\/access\//.test(headers.get('location') ?? '')
  return (status === 401 || status === 403) && (headers.get('content-type') ?? '').startsWith('text/html')
}

/** The text of the host's error, whichever envelope it wears; null where there is none. */
async function errorText(response: Response): Promise<string | null> {
  const value = await errorJson(response)
  const text = isObject(value?.error) ? value.error.message : value?.error
  return typeof text === 'string' && text !== '' ? text.slice(0, 1000) : null
}

/** The JSON object of an error answer, of which so much is read; null where it is none. */
export async function errorJson(response: Response): Promise<JsonObject | null> {
  try {
    const value: unknown = JSON.parse(await firstBytes(response, ERROR_BODY_BYTES))
    return isObject(value) ? value : null
  } catch (error) {
    if (!(error instanceof SyntaxError)) log({ event: 'error', code: 'host_refused', status: response.status, message: causeOf(error) })
    return null
  }
}

async function firstBytes(response: Response, max: number): Promise<string> {
  const decoder = new TextDecoder()
  let text = ''
  for await (const piece of response.body ?? []) {
    text += decoder.decode(piece as Uint8Array, { stream: true })
    if (text.length > max) break
  }
  return text
}

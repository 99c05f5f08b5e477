// The one place that calls fetch; and the host: how it is asked, and what its refusals mean for a caller.
import type { Config } from './config.ts'
import { GatewayError } from './errors.ts'
import { isAccessRefusal, isTimeout, troubleOf, troubleOfError } from './host-trouble.ts'
import { isObject, type JsonObject } from './json.ts'
import { causeOf, log } from './log.ts'
import { hostBusy, modelNotFound } from './refusal.ts'

interface UpstreamCall {
  method?: 'GET' | 'POST'
  body?: string
  signal?: AbortSignal
  /** Asked in place of the network. */
  service?: Pick<Fetcher, 'fetch'>
}

/** How much of an error answer is read. */
const ERROR_BODY_BYTES = 65_536

/** Behind a VPC service the address says nothing but the Host header: this is one that Ollama lets in. */
const SERVICE_URL = 'http://localhost:11434'

/**
 * Calls the host as itself: none of the caller's headers, the Access token if there is one, no redirect followed (it would carry that token along).
 * A VPC service goes before the address; no Access is in front of it, so no token goes there. Throws upstream_unavailable where no answer comes;
 * an abort is thrown as it is.
 */
export async function callHost({ access, hostService, ollamaBaseUrl }: Config, path: string, call: UpstreamCall): Promise<Response> {
  const headers = new Headers({ accept: 'application/json, application/x-ndjson, text/event-stream' })
  if (call.body !== undefined) headers.set('content-type', 'application/json')
  if (access !== null && hostService === null) {
    headers.set('CF-Access-Client-Id', access.clientId)
    headers.set('CF-Access-Client-Secret', access.clientSecret)
  }
  const [url, service] = hostService === null ? [ollamaBaseUrl] : [SERVICE_URL, hostService]
  return callUpstream(`${url}${path}`, headers, { ...call, ...(service && { service }) }, (cause) => {
    const message = 'The host cannot be reached right now: try again in a moment.'
    const host = hostService === null ? 'unreachable' : troubleOfError(cause)
    return new GatewayError('upstream_unavailable', message, { cause, retryAfterSeconds: 5, host })
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
    return await (call.service ?? globalThis).fetch(url, {
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
  const text = await errorBytes(response)
  const error = refusalOf(response, errorText(text), model)
  error.details.host = troubleOf(response, text)
  return error
}

/** `said`: the host's own words, if these are. */
function refusalOf(response: Response, said: string | null, model: string): GatewayError {
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
  if (isTimeout(status)) return new GatewayError('upstream_timeout', 'The host took too long to answer.')
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

/** The text of the host's error, whichever envelope it wears; null where there is none. */
function errorText(body: string): string | null {
  const value = objectIn(body)
  const text = isObject(value?.error) ? value.error.message : value?.error
  return typeof text === 'string' && text !== '' ? text.slice(0, 1000) : null
}

/** The JSON object of an error answer, of which so much is read; null where it is none. */
export async function errorJson(response: Response): Promise<JsonObject | null> {
  return objectIn(await errorBytes(response))
}

function objectIn(text: string): JsonObject | null {
  try {
    const value: unknown = JSON.parse(text)
    return isObject(value) ? value : null
  } catch {
    return null
  }
}

/** The begin of an error answer's body; nothing where it breaks off. */
async function errorBytes(response: Response): Promise<string> {
  try {
    return await firstBytes(response, ERROR_BODY_BYTES)
  } catch (error) {
    log({ event: 'error', code: 'host_refused', status: response.status, message: causeOf(error) })
    return ''
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

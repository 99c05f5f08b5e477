// Asks a vendor, as the gateway and nobody else: its key, a list of headers, and none of the caller's beside it.
import type { VendorAccess } from '../config.ts'
import type { GatewayError } from '../errors.ts'
import { isObject, type JsonObject } from '../json.ts'
import { callUpstream, errorJson } from '../upstream.ts'
import { type Asker, vendorRefusal, vendorUnreachable } from './vendor-refusal.ts'
import type { Vendor } from './vendor-request.ts'

/** Where the caller names none: what a vendor takes for an old client. */
const ANTHROPIC_VERSION = '2023-06-01'

/**
 * Betas that change neither what is billed nor whose data is seen. Others do not reach the vendor; a field that needs one is refused by the list
 * of fields.
 */
const BETAS = new Set([
  'claude-code-20250219',
  'computer-use-2024-10-22',
  'computer-use-2025-01-24',
  'computer-use-2025-11-24',
  'effort-2025-11-24',
  'extended-cache-ttl-2025-04-11',
  'fine-grained-tool-streaming-2025-05-14',
  'interleaved-thinking-2025-05-14',
  'output-128k-2025-02-19',
  'prompt-caching-2024-07-31',
  'structured-outputs-2025-11-13',
  'task-budgets-2026-03-13',
  'token-efficient-tools-2025-02-19',
])

interface VendorCall {
  vendor: Vendor
  access: VendorAccess
  path: string
  body: JsonObject
  stream: boolean
  /** The caller's, of which a few reach the vendor. */
  headers: Headers
  signal: AbortSignal
}

/** Throws upstream_unavailable where no answer comes; an abort is thrown as it is. */
export function callVendor({ vendor, access, path, body, stream, headers: asked, signal }: VendorCall): Promise<Response> {
  const headers = new Headers({ accept: stream ? 'text/event-stream' : 'application/json', 'content-type': 'application/json' })
  if (vendor === 'openai') headers.set('authorization', `Bearer ${access.apiKey}`)
  else {
    headers.set('x-api-key', access.apiKey)
    const version = asked.get('anthropic-version') ?? ''
    headers.set('anthropic-version', /^\d{4}-\d\d-\d\d$/.test(version) ? version : ANTHROPIC_VERSION)
    const betas = (asked.get('anthropic-beta') ?? '').split(',').map((beta) => beta.trim())
    const passed = betas.filter((beta) => BETAS.has(beta))
    if (passed.length > 0) headers.set('anthropic-beta', passed.join(','))
  }
  const call = { method: 'POST' as const, body: JSON.stringify(body), signal }
  return callUpstream(`${access.baseUrl}${path}`, headers, call, (cause) => vendorUnreachable(vendor, cause))
}

/** What an answer other than 200 means for the caller. */
export async function refusalOfVendor(vendor: Vendor, answer: Response, asker: Asker): Promise<GatewayError> {
  const body = await errorJson(answer)
  const error = isObject(body?.error) ? body.error : {}
  const text = (value: unknown) => (typeof value === 'string' ? value : '')
  return vendorRefusal(
    vendor,
    {
      status: answer.status,
      code: text(error.code) || text(error.type),
      message: text(error.message) || `status ${answer.status}`,
      param: text(error.param) || undefined,
      retryAfterSeconds: retryAfterSeconds(answer.headers),
    },
    asker,
  )
}

/** Seconds, or a date; OpenAI says milliseconds beside it. */
function retryAfterSeconds(headers: Headers): number | undefined {
  const ms = Number(headers.get('retry-after-ms') ?? Number.NaN)
  if (Number.isFinite(ms) && ms > 0) return ms / 1000
  const value = headers.get('retry-after')
  if (value === null) return undefined
  const seconds = /^\d+(\.\d+)?$/.test(value) ? Number(value) : (Date.parse(value) - Date.now()) / 1000
  return Number.isFinite(seconds) && seconds > 0 ? seconds : undefined
}

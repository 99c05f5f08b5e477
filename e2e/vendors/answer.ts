// What a stand-in is to send: an exchange, or a refusal of its own.
import type { Vendor } from '../../worker/vendors/vendor-request.ts'
import type { VendorExchange } from './fixtures.ts'

export interface Answer {
  /** The exchange's; null for a refusal of the stand-in itself. */
  name: string | null
  status: number
  headers: Readonly<Record<string, string>>
  body: string
}

// Node sends its own.
const OWN_HEADERS = new Set(['date', 'connection', 'content-encoding', 'content-length', 'transfer-encoding'])

/** The answer of an exchange, its body untouched. */
export function recorded({ name, status, headers, body }: VendorExchange): Answer {
  return { name, status, headers: Object.fromEntries(Object.entries(headers).filter(([header]) => !OWN_HEADERS.has(header))), body }
}

interface Refused {
  type: string
  message: string
  param?: string
  code?: string
}

/** A refusal in the vendor's envelope. */
export function refusal(vendor: Vendor, status: number, { type, message, param, code }: Refused): Answer {
  if (vendor === 'openai') {
    const body = JSON.stringify({ error: { message, type, param: param ?? null, code: code ?? null } }, null, 2)
    return { name: null, status, headers: { 'content-type': 'application/json', 'x-request-id': 'req_madeup_refused' }, body }
  }
  const body = JSON.stringify({ type: 'error', error: { type, message }, request_id: 'req_madeup_refused' })
  return { name: null, status, headers: { 'content-type': 'application/json', 'request-id': 'req_madeup_refused' }, body }
}

// Test support: requests exactly as written, which fetch would tidy up; the routes of all dialects; and what a refusal looks like in each.
import { request as httpRequest, type IncomingHttpHeaders, type OutgoingHttpHeaders } from 'node:http'
import { expect } from 'vitest'
import type { Family } from '../worker/errors.ts'
import type { TestGateway } from './harness.ts'
import { settled } from './ledger.ts'

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
  const bytes = body === undefined ? null : body instanceof Uint8Array || typeof body === 'string' ? Buffer.from(body) : json(body)
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
  if (bytes === null || !chunked) call.end(bytes ?? undefined)
  else {
    for (let at = 0; at < bytes.byteLength; at += 1000) call.write(bytes.subarray(at, at + 1000))
    call.end()
  }
  return promise
}

function json(value: unknown): Buffer {
  return Buffer.from(JSON.stringify(value))
}

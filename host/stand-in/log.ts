// What reached the stand-in, and how each request ended.
import type { IncomingMessage } from 'node:http'
import type { Fault } from './faults.ts'

const REQUESTS_MAX = 2_000

/** A request as it arrived. */
export interface RecordedRequest {
  method: string
  /** With the query. */
  path: string
  /** Names in lower case. */
  headers: Record<string, string>
  /** Parsed JSON, or the text, or null. */
  body: unknown
  /** Milliseconds since 1970. */
  receivedAt: number
  /** The status of the answer; null where none is sent. */
  status: number | null
  /** The capture that the answer comes from; null for an answer that was never recorded. */
  capture: string | null
  fault: Fault['kind'] | null
  /** The caller hung up before the answer ended. */
  closedEarly: boolean
  /** Milliseconds since 1970 when the answer ended, in whatever way; null before. */
  endedAt: number | null
}

/** Adds a request to the log, which keeps the last 2,000. */
export function note(log: RecordedRequest[], req: IncomingMessage, body: unknown): RecordedRequest {
  const seen: RecordedRequest = {
    method: req.method ?? 'GET',
    path: req.url ?? '/',
    headers: headersOf(req),
    body,
    receivedAt: Date.now(),
    status: null,
    capture: null,
    fault: null,
    closedEarly: false,
    endedAt: null,
  }
  log.push(seen)
  if (log.length > REQUESTS_MAX) log.shift()
  return seen
}

function headersOf(req: IncomingMessage): Record<string, string> {
  return Object.fromEntries(
    Object.entries(req.headers).map(([name, value]) => [name, Array.isArray(value) ? value.join(', ') : (value ?? '')]),
  )
}

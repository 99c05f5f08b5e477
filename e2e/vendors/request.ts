// A request as it reached a vendor's stand-in.
import type { IncomingMessage } from 'node:http'

export interface ReceivedRequest {
  method: string
  /** With the query. */
  path: string
  /** As they were spelled, in the order in which they came. */
  headers: readonly (readonly [name: string, value: string])[]
  /** The value of a header, whatever its case; null without it. */
  header(name: string): string | null
  text: string
  /** Parsed JSON; undefined where it is none. */
  body: unknown
  /** The name of the exchange that it is answered with; null until that is known, or where the stand-in refuses it. */
  answer: string | null
  /** The status of the answer; null until that is known. */
  status: number | null
  /** When its answer has ended, in whatever way: whether it was the caller who left before. */
  closed: Promise<boolean>
}

/** Reads a request to its end. Rejects if the caller leaves before. */
export async function readRequest(req: IncomingMessage, closed: Promise<boolean>): Promise<ReceivedRequest> {
  const parts: Buffer[] = []
  for await (const part of req) parts.push(part as Buffer)
  const text = Buffer.concat(parts).toString()
  const headers: [string, string][] = []
  for (let i = 0; i + 1 < req.rawHeaders.length; i += 2) headers.push([req.rawHeaders[i] ?? '', req.rawHeaders[i + 1] ?? ''])
  return {
    method: req.method ?? 'GET',
    path: req.url ?? '/',
    headers,
    header: (name) => headers.find(([known]) => known.toLowerCase() === name.toLowerCase())?.[1] ?? null,
    text,
    body: parsed(text),
    answer: null,
    status: null,
    closed,
  }
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}

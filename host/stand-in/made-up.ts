// Answers that were never recorded: a status that was ordered, a redirect, a page of Cloudflare's.
import { type Answer, recordedText } from './captures.ts'
import type { Fault } from './faults.ts'

/** An answer in one piece. */
export function madeUp(status: number, headers: [string, string][], body: string): Answer {
  const chunks = body === '' ? [] : [{ atMs: 0, data: body }]
  return { source: null, status, headers, framing: 'content-length', headerAtMs: 0, chunks, ending: 'end' }
}

/** The status that a fault orders. Without a body of its own: Cloudflare's page for 502 and 520 upwards, Ollama's words otherwise. */
export function orderedStatus(fault: Extract<Fault, { kind: 'status' }>, path: string): Answer {
  const body = fault.body === undefined ? usualBody(fault.status, path) : fault.body
  const text = typeof body === 'string' ? body : JSON.stringify(body)
  const own = Object.entries(fault.headers ?? {})
  const typed = own.some(([name]) => name.toLowerCase() === 'content-type')
  return madeUp(fault.status, typed ? own : [['Content-Type', typeOf(text)], ...own], text)
}

function usualBody(status: number, path: string): string {
  if (status === 502 || status >= 520) {
    return `<!DOCTYPE html><html><head><title>Error ${status}</title></head><body>error code: ${status}</body></html>\n`
  }
  const dialect = path === '/v1/messages' ? 'v1-messages' : path.startsWith('/v1/') ? 'v1-chat' : 'native-chat'
  const busy = recordedText(`error.server-busy.${dialect}`)
  return status === 503 ? busy : busy.replace(/server busy[^"]*/, `status ${status}`)
}

function typeOf(text: string): string {
  if (text.startsWith('<')) return 'text/html; charset=UTF-8'
  return /^[[{]/.test(text) ? 'application/json; charset=utf-8' : 'text/plain'
}

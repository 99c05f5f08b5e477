// Sends an answer in a manner: silences, pieces, a break, and stopping as soon as the caller is gone.
import { once } from 'node:events'
import type { ServerResponse } from 'node:http'
import { setTimeout as sleep, setImmediate as turn } from 'node:timers/promises'
import type { Answer } from './answer.ts'
import type { Manner } from './play.ts'
import { isStream, splitEvents } from './sse.ts'

// setTimeout knows no longer time.
const MS_MAX = 2 ** 31 - 1

/** Resolves when no more is to be sent: all was, it broke as it was told to, or the caller left. */
export async function send(res: ServerResponse, answer: Answer, manner: Manner | undefined): Promise<'sent' | 'broke' | 'left'> {
  const gone = new AbortController()
  res.once('close', () => gone.abort())
  if (res.destroyed) gone.abort()
  const { signal } = gone
  const { pace = 0, delayMs = 0, holdOpen, breakAfterBytes, chunkBytes } = manner ?? {}

  await pause(delayMs, signal)
  if (signal.aborted) return 'left'
  res.writeHead(answer.status, headersOf(answer))
  res.flushHeaders()

  // Pieces may reach over the end of an event, unless something is to happen between two events.
  const byEvent = chunkBytes === undefined || pace > 0 || holdOpen !== undefined
  const events = byEvent && isStream(answer.headers) ? splitEvents(answer.body) : [answer.body]
  let left = breakAfterBytes ?? Number.POSITIVE_INFINITY
  for (const [index, event] of events.entries()) {
    if (index === holdOpen) await Promise.race([manner?.hold(), aborted(signal)])
    if (index > 0) await pause(pace, signal)
    for (const piece of pieces(Buffer.from(event), chunkBytes)) {
      if (signal.aborted) return 'left'
      await write(res, piece.subarray(0, left), signal)
      left -= piece.length
      if (left <= 0) return broken(res)
    }
  }
  if (holdOpen !== undefined && holdOpen >= events.length) await Promise.race([manner?.hold(), aborted(signal)])
  if (signal.aborted) return 'left'
  res.end()
  return 'sent'
}

/** What was written is flushed first; then the connection closes before the answer has ended. */
function broken(res: ServerResponse): 'broke' {
  res.socket?.destroySoon()
  return 'broke'
}

function headersOf(answer: Answer): Record<string, string> {
  if (isStream(answer.headers)) return answer.headers
  return { ...answer.headers, 'content-length': String(Buffer.byteLength(answer.body)) }
}

function pieces(bytes: Buffer, size: number | undefined): Buffer[] {
  if (size === undefined) return [bytes]
  return Array.from({ length: Math.ceil(bytes.length / size) }, (_, index) => bytes.subarray(index * size, (index + 1) * size))
}

/** Pieces that are written in turns arrive as pieces; a caller that reads slowly is waited for. */
async function write(res: ServerResponse, bytes: Buffer, signal: AbortSignal): Promise<void> {
  if (bytes.length === 0) return
  if (res.write(bytes)) await turn()
  else await once(res, 'drain', { signal }).catch(() => {})
}

async function pause(ms: number, signal: AbortSignal): Promise<void> {
  if (ms === Number.POSITIVE_INFINITY) return aborted(signal)
  if (ms > 0) await sleep(Math.min(ms, MS_MAX), undefined, { signal }).catch(() => {})
}

function aborted(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve()
    else signal.addEventListener('abort', () => resolve(), { once: true })
  })
}

// Sends an answer: the pace, back-pressure, how it ends, and stopping as soon as the caller is gone.
import type { ServerResponse } from 'node:http'
import { setTimeout as sleep, setImmediate as turn } from 'node:timers/promises'
import type { Answer } from './captures.ts'

/** `recorded` keeps each chunk's time, `instant` does not wait, a number is the milliseconds between two chunks. */
export type Pace = 'recorded' | 'instant' | number

// At full speed the others get a turn, and a caller's leaving is noticed, after this many chunks.
const CHUNKS_A_TURN = 32

/** Throws for what is no pace. */
export function checkedPace(pace: unknown): Pace {
  if (pace === 'recorded' || pace === 'instant') return pace
  if (typeof pace === 'number' && Number.isFinite(pace) && pace >= 0) return pace
  throw new Error('pace: recorded, instant or the milliseconds between chunks')
}

/**
 * Sends the answer. Resolves when nothing more is to be sent: all was, or it broke as it was meant to, or the caller left.
 * `extraDelayMs` comes before the header. An answer that holds resolves when its caller leaves.
 */
export async function send(res: ServerResponse, answer: Answer, pace: Pace, extraDelayMs = 0): Promise<'sent' | 'broke' | 'left'> {
  const gone = new AbortController()
  res.once('close', () => gone.abort())
  if (res.destroyed) gone.abort()
  const startedAt = performance.now() + extraDelayMs
  const until = (offsetMs: number) => pause(startedAt + offsetMs - performance.now(), gone.signal)
  const isGone = () => gone.signal.aborted

  if (answer.headerAtMs === null) return left(gone.signal)
  await until(pace === 'recorded' ? answer.headerAtMs : 0)
  if (isGone()) return 'left'
  res.writeHead(answer.status, headersOf(answer))
  // Otherwise the header travels with the first chunk, as Ollama's does.
  if (answer.chunks.length === 0 || pace === 'recorded') res.flushHeaders()

  for (const [index, chunk] of answer.chunks.entries()) {
    if (pace !== 'instant') await until(pace === 'recorded' ? chunk.atMs : index * pace)
    else if (index % CHUNKS_A_TURN === CHUNKS_A_TURN - 1) await turn()
    if (isGone()) return 'left'
    if (!res.write(chunk.data)) await drained(res, gone.signal)
    if (isGone()) return 'left'
  }
  if (answer.ending === 'hold') return left(gone.signal)
  if (answer.ending === 'end') {
    res.end()
    return 'sent'
  }
  // What was written is flushed first; then the connection closes without the terminating chunk.
  res.socket?.destroySoon()
  return 'broke'
}

function headersOf(answer: Answer): string[] {
  const headers = answer.headers.flat()
  if (answer.framing !== 'content-length') return headers
  const length = answer.lengthSaid ?? answer.chunks.reduce((sum, chunk) => sum + Buffer.byteLength(chunk.data), 0)
  return [...headers, 'Content-Length', String(length)]
}

async function pause(ms: number, signal: AbortSignal): Promise<void> {
  if (ms > 0) await sleep(ms, undefined, { signal }).catch(() => {})
}

function left(signal: AbortSignal): Promise<'left'> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve('left')
    else signal.addEventListener('abort', () => resolve('left'), { once: true })
  })
}

/** Resolves when the caller has read on, or has left. */
function drained(res: ServerResponse, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) return resolve()
    const done = () => {
      res.off('drain', done)
      signal.removeEventListener('abort', done)
      resolve()
    }
    res.once('drain', done)
    signal.addEventListener('abort', done, { once: true })
  })
}

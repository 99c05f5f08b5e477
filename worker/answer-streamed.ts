// A streamed answer: the host's bytes at once and unchanged, metered on the side, settled at its end whatever that is.
import { answerMostBytes } from './answer-size.ts'
import type { Dialect, FrameValue } from './dialects/dialect.ts'
import { errorFrame } from './dialects/error-frame.ts'
import { GatewayError } from './errors.ts'
import { concat, type Frame } from './frames.ts'
import { networkBody, passThrough } from './pass-through.ts'
import type { PumpEnd } from './pump.ts'
import type { ReadRequest } from './read-request.ts'
import { relay } from './relay.ts'
import type { Run } from './run.ts'

const encoder = new TextEncoder()

/** The response to a caller who asked for a stream; it begins at once. */
export function streamedAnswer(run: Run, answer: Response): Response {
  const { config, request, defer } = run.exchange
  const headers = run.headers(null)
  headers.set(
    'content-type',
    answer.headers.get('content-type') ?? (run.dialect.framing === 'ndjson' ? 'application/x-ndjson' : 'text/event-stream'),
  )

  const shared = {
    bufferBytes: config.streamBufferBytes,
    idleTimeoutMs: config.idleTimeoutMs,
    deadlineMs: run.deadlineMs,
    hangUp: request.signal,
    close: (end: PumpEnd) => close(run, end),
  }
  const native = passesUnread(run) ? networkBody(answer) : null
  const { body, done } =
    native !== null
      ? passThrough(native, {
          ...shared,
          observe: (piece) => observe(run, piece).length,
          begun: () => run.meter.firstTokenMs !== null,
        })
      : relay(answer.body, { ...shared, pass: (piece) => passed(run, piece, observe(run, piece)) })
  defer(done)
  return new Response(body, { headers })
}

/** Where its bytes pass unchanged, and no more of them can wait for a slow caller than the buffer may hold. */
function passesUnread({ dialect, read, hold, exchange }: Run): boolean {
  if (rewriting(dialect, read) !== undefined) return false
  const bounds = { outputTokens: hold.outputLimit * read.asked.runs, inputBytes: read.input.bound }
  return answerMostBytes(dialect.name, read.body, bounds) <= exchange.config.streamBufferBytes
}

function observe(run: Run, piece: Uint8Array): [Frame, FrameValue | null][] {
  const nowMs = Date.now()
  const frames = run.meter.push(piece, nowMs)
  run.checkpoint(nowMs)
  return frames
}

/** What is done to frames: set where usage was asked for on the caller's behalf. */
function rewriting(dialect: Dialect, { asked }: ReadRequest): Dialect['withoutUsage'] {
  return asked.usageAsked ? undefined : dialect.withoutUsage
}

/** The piece itself, or its frames without usage. */
function passed(run: Run, piece: Uint8Array, frames: [Frame, FrameValue | null][]): Uint8Array {
  const rewrite = rewriting(run.dialect, run.read)
  if (rewrite === undefined) return piece
  return concat(...frames.map(([frame, value]) => (value === null ? frame.bytes : written(frame, value, rewrite(value)))))
}

function written(frame: Frame, value: FrameValue, kept: FrameValue | null): Uint8Array {
  if (kept === value) return frame.bytes
  return kept === null ? new Uint8Array(0) : encoder.encode(`data: ${JSON.stringify(kept)}\n\n`)
}

/** Settles, and says what the caller is still owed: held-back bytes, and an error where the answer has no end of its own. */
function close(run: Run, end: PumpEnd): Uint8Array | null {
  const rest = run.meter.end(Date.now())
  const { seen } = run.meter
  // Of a stream that passes unchanged the rest has gone out with its piece.
  const held = passed(run, new Uint8Array(0), rest)
  if (seen.terminated && seen.failed === null) {
    run.settle('completed', 200)
    return held
  }
  if (end === 'hung_up' || end === 'slow') {
    run.settle('abandoned', 200, end)
    return null
  }
  const error = endError(end)
  run.settle('failed', 200, seen.failed === null ? end : 'host_failed')
  // The host has said it itself where its dialect has words for it.
  return seen.failed === null ? concat(held, errorFrame(run.dialect, error, run.exchange.requestId, rest.length > 0)) : held
}

/** Why an answer has no end of its own, for its caller. */
function endError(end: PumpEnd): GatewayError {
  switch (end) {
    case 'silent':
      return new GatewayError('upstream_timeout', 'The host fell silent in the middle of its answer: what came until then is charged.')
    case 'deadline':
      return new GatewayError('upstream_timeout', 'The answer took longer than a request may run: what came until then is charged.')
    default:
      return new GatewayError('upstream_error', 'The host broke off its answer: what came until then is charged.')
  }
}

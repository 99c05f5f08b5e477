// A streamed answer: the upstream's bytes at once and unchanged, metered on the side, settled at its end whatever that is.
import { answerMostBytes } from './answer-size.ts'
import { errorFrame } from './dialects/error-frame.ts'
import { endedByOperator, GatewayError } from './errors.ts'
import { concat } from './frames.ts'
import type { MeteredFrame } from './meter.ts'
import { networkBody, passThrough } from './pass-through.ts'
import type { PumpEnd } from './pump.ts'
import { relay } from './relay.ts'
import { Rewriter } from './rewriter.ts'
import type { Run } from './run.ts'

/** The response to a caller who asked for a stream; it begins at once. */
export function streamedAnswer(run: Run, answer: Response): Response {
  const { config, defer } = run.exchange
  const { wire, hangUp, idleMs } = run.destination
  const headers = run.headers(null)
  headers.set(
    'content-type',
    answer.headers.get('content-type') ?? (wire.framing === 'ndjson' ? 'application/x-ndjson' : 'text/event-stream'),
  )

  const rewriter = new Rewriter(run.destination, run.meter.seen)
  const shared = {
    bufferBytes: config.streamBufferBytes,
    idleTimeoutMs: idleMs,
    deadlineMs: run.deadlineMs,
    hangUp: hangUp.signal,
    killed: run.killed,
    onLost: hangUp.happen,
    close: (end: PumpEnd) => close(run, rewriter, end),
  }
  const pass = (piece: Uint8Array) => rewriter.pass(piece, observe(run, piece))
  const { seen } = run.meter
  const begun = () => run.meter.firstTokenMs !== null
  const isPast = () => begun() && !seen.terminated
  const isOver = () => seen.failed !== null
  const handOver = () => {
    rewriter.stop()
    return run.meter.held()
  }
  const native = passesUnread(run, rewriter) ? networkBody(answer) : null
  const { body, done } =
    native === null
      ? relay(answer.body, { ...shared, pass })
      : passThrough(native, {
          ...shared,
          observe: (piece) => observe(run, piece).length,
          begun,
          opening: rewriter.hidesFailures ? { pass, handOver, isPast, isOver } : undefined,
        })
  defer(done)
  return new Response(body, { headers })
}

/** Where its bytes pass unchanged, and no more of them can wait for a slow caller than the buffer may hold. */
function passesUnread({ destination, hold, exchange }: Run, rewriter: Rewriter): boolean {
  if (rewriter.dropsUsage) return false
  const { reading, wire } = destination
  const bounds = { outputTokens: hold.outputLimit * reading.runs, inputBytes: reading.input.bound }
  return answerMostBytes(wire.name, reading.dense, bounds) <= exchange.config.streamBufferBytes
}

function observe(run: Run, piece: Uint8Array): MeteredFrame[] {
  const nowMs = Date.now()
  const frames = run.meter.push(piece, nowMs)
  run.checkpoint(nowMs)
  return frames
}

/** Settles, and says what the caller is still owed: held-back bytes, and an error where the answer has no end of its own. */
function close(run: Run, rewriter: Rewriter, end: PumpEnd): Uint8Array | null {
  const { wire, name, failure } = run.destination
  const rest = run.meter.end(Date.now())
  const { failed, terminated } = run.meter.seen
  // Of a stream that passes unchanged the rest has gone out with its piece.
  const held = rewriter.pass(new Uint8Array(0), rest)
  if (terminated && failed === null) {
    run.complete()
    return held
  }
  if (end === 'hung_up' || end === 'slow') {
    run.settle('abandoned', 200, end)
    return null
  }
  if (end === 'killed') run.kill(200)
  else run.settle('failed', 200, failed === null ? end : 'upstream_failed')
  const told = (error: GatewayError) => concat(held, errorFrame(wire, error, run.exchange.requestId, rest.length > 0))
  if (failed === null) return told(endError(name, end))
  // The upstream has said it itself where its words may be passed on, and its dialect has some for it.
  return rewriter.withheld && failure !== undefined ? told(failure(failed)) : held
}

/** Why an answer has no end of its own, for its caller. */
function endError(who: string, end: PumpEnd): GatewayError {
  switch (end) {
    case 'silent':
      return new GatewayError('upstream_timeout', `${who} fell silent in the middle of its answer: what came until then is charged.`)
    case 'killed':
      return endedByOperator('what came until then is charged')
    case 'deadline':
      return new GatewayError('upstream_timeout', 'The answer took longer than a request may run: what came until then is charged.')
    default:
      return new GatewayError('upstream_error', `${who} broke off its answer: what came until then is charged.`)
  }
}

// An answer in one piece: read as a stream from the host all the same, so that no proxy on the way gives up on a long silence.
import type { FrameValue } from './dialects/dialect.ts'
import { endedByOperator, GatewayError } from './errors.ts'
import { concat } from './frames.ts'
import { isObject } from './json.ts'
import { networkBody, passThrough } from './pass-through.ts'
import { type PumpEnd, pump } from './pump.ts'
import type { Run } from './run.ts'

/** The largest answer that is put together in memory: parsed it takes some times as much, of the 128 MB that an isolate has. */
const ANSWER_MAX_BYTES = 12 * 1024 * 1024

/** Reads the host's answer to its end and says it in one piece, as the host itself would have. Throws what went wrong; it is settled then. */
export async function wholeAnswer(run: Run, answer: Response): Promise<Response> {
  const pieces: Uint8Array[] = []
  const values: FrameValue[] = []
  const keep = (frames: [unknown, FrameValue | null][]) => {
    for (const [, value] of frames) if (value !== null) values.push(value)
    return frames.length
  }
  let total = 0
  const end = await readToEnd(run, answer, (piece) => {
    total += piece.byteLength
    if (total > ANSWER_MAX_BYTES) throw new Error('the answer is too large to be put together')
    const nowMs = Date.now()
    const frames = run.destination.wire.framing === null ? pieces.push(piece) : keep(run.meter.push(piece, nowMs))
    run.checkpoint(nowMs)
    return frames
  })
  keep(run.meter.end(Date.now()))
  const { wire } = run.destination
  const body = wire.framing === null ? single(run, pieces) : aggregated(run, values)
  if (body === null) throw failure(run, end)

  const headers = run.headers(run.complete())
  headers.set('content-type', wire.family === 'ollama' ? 'application/json; charset=utf-8' : 'application/json')
  return new Response(body, { headers })
}

/** Reads as a streamed answer is passed on, without JavaScript for each chunk, where that is possible. */
function readToEnd(run: Run, answer: Response, observe: (piece: Uint8Array) => number): Promise<PumpEnd> {
  const { wire, idleMs, hangUp } = run.destination
  const limits = { idleTimeoutMs: idleMs, deadlineMs: run.deadlineMs, hangUp: hangUp.signal, killed: run.killed }
  const native = wire.framing === null ? null : networkBody(answer)
  if (native === null) return pump(answer.body, limits, observe).done
  const begun = () => run.meter.firstTokenMs !== null
  const { body, done } = passThrough(native, { ...limits, bufferBytes: ANSWER_MAX_BYTES, observe, begun, close: () => null })
  // Nobody is sent these bytes, but somebody has to take them.
  new Response(body).arrayBuffer().catch(() => {})
  return done
}

/** One JSON value of the host's, as it came; null if it is not whole. */
function single(run: Run, pieces: Uint8Array[]): Uint8Array | null {
  const bytes = concat(...pieces)
  try {
    const value: unknown = JSON.parse(new TextDecoder().decode(bytes))
    if (isObject(value)) run.meter.whole(value, Date.now())
  } catch {
    return null
  }
  const { terminated, failed } = run.meter.seen
  return terminated && failed === null ? bytes : null
}

function aggregated(run: Run, values: FrameValue[]): string | null {
  const { seen } = run.meter
  const { aggregate } = run.destination.wire
  if (!seen.terminated || seen.failed !== null || aggregate === undefined) return null
  return JSON.stringify(aggregate(values))
}

/**
 * An answer without its end is not handed out, and so not charged; but a caller who leaves before it is finished pays for what was made
 * for them until then.
 */
function failure(run: Run, end: PumpEnd): GatewayError {
  const { failed } = run.meter.seen
  const error = wordsFor(run, end)
  if (end === 'hung_up') run.settle('abandoned', error.status, end)
  else if (end === 'killed') run.kill(error.status)
  else run.void(error.status, failed === null ? end : 'upstream_failed')
  return error
}

function wordsFor({ destination, meter }: Run, end: PumpEnd): GatewayError {
  const { name, failure } = destination
  if (meter.seen.failed !== null && failure !== undefined) return failure(meter.seen.failed)
  if (end === 'killed') return endedByOperator('nothing is charged')
  return end === 'silent' || end === 'deadline'
    ? new GatewayError('upstream_timeout', `${name} took too long over its answer: nothing is charged. Ask for less, or for a stream.`)
    : new GatewayError('upstream_error', `${name} broke off its answer: nothing is charged. Try again.`)
}

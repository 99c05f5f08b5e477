// A customer's request, as the business reads it: read → admit → forward → pass on and meter → settle.

import { noteUsedUp } from './alerts/refused.ts'
import { streamedAnswer } from './answer-streamed.ts'
import { wholeAnswer } from './answer-whole.ts'
import { authenticate } from './auth.ts'
import type { Config } from './config.ts'
import { destinationOf } from './destination.ts'
import type { Dialect } from './dialects/dialect.ts'
import { endedByOperator, GatewayError, gatewayFault } from './errors.ts'
import type { Exchange } from './exchange.ts'
import type { JsonObject } from './json.ts'
import type { Admitted, Ask } from './ledger/admission.ts'
import { d1Trouble } from './ledger/retry.ts'
import { sweep } from './ledger/settlement.ts'
import { causeOf, log } from './log.ts'
import { offersOf } from './offers.ts'
import { type ReadRequest, readRequest } from './read-request.ts'
import { modelNotFound, refusalError } from './refusal.ts'
import { Run } from './run.ts'
import { isAnswer } from './upstream.ts'

/** A lease outlives the longest wait before its first renewal by this, milliseconds. */
const LEASE_SLACK_MS = 30_000
/** Every so many-th admission sweeps beside the schedule. */
const SWEEP_ONE_IN = 50

/** Serves one request of a dialect. Throws GatewayError for what the caller is to be told before an answer has begun. */
export async function serve(dialect: Dialect, exchange: Exchange): Promise<Response> {
  const read = await readRequest(dialect, exchange)
  if (read.answer !== undefined) return answeredHere(read, read.answer, exchange)

  const askedMs = Date.now()
  const admission = await admitted(dialect, read, exchange)
  const run = new Run(destinationOf(dialect, read, admission.hold, exchange), admission, exchange, Date.now())
  try {
    const answer = await forward(run)
    const response = run.destination.reading.stream ? streamedAnswer(run, answer) : await wholeAnswer(run, answer)
    response.headers.set('server-timing', `admit;dur=${run.startMs - askedMs}, upstream;dur=${Date.now() - run.startMs}`)
    return response
  } catch (error) {
    // Whatever threw without settling was no ending that anybody foresaw; the hold must not wait for its lease.
    run.void(500, 'internal_error')
    throw error
  }
}

/** A request that would only load or unload a model: what is loaded is the owner's to decide, so nothing is, and nothing is charged. */
async function answeredHere(read: ReadRequest, answer: JsonObject, exchange: Exchange): Promise<Response> {
  const caller = await authenticate(exchange.db, exchange.request.headers)
  const { hasHostModel } = await offersOf(exchange, caller)
  if (!hasHostModel(read.model)) throw modelNotFound(read.model)
  if (/^0+[a-z]*$/.test(String(read.body.keep_alive ?? ''))) {
    throw new GatewayError('route_forbidden', 'Which models stay loaded is decided by the host: leave keep_alive out.', {
      param: 'keep_alive',
    })
  }
  return Response.json(answer, { headers: { 'x-request-id': exchange.requestId } })
}

/** The one round trip to D1 before the first byte. Throws the refusal. */
async function admitted(dialect: Dialect, read: ReadRequest, exchange: Exchange): Promise<Admitted> {
  const { config, db, ledger, defer } = exchange
  const ask: Ask = {
    id: exchange.requestId,
    keyHash: read.keyHash,
    model: read.model,
    name: read.vendorName,
    dialect: dialect.name,
    readings: askReadings(read, config),
    hostConcurrency: config.hostConcurrency,
    deadlineMs: config.deadlineMs,
  }
  const verdict = await ledger.admit(ask, defer).catch((error) => {
    throw ledgerError(error)
  })
  if (!verdict.admitted) {
    noteUsedUp(db, verdict, defer)
    throw refusalError(verdict, ask, read, config)
  }
  if (Math.random() * SWEEP_ONE_IN < 1)
    defer(sweep(db).catch((error) => log({ event: 'error', code: 'sweep_failed', message: causeOf(error) })))
  return verdict
}

/** The readings that are one, for the ledger. */
function askReadings({ readings }: ReadRequest, config: Config): Ask['readings'] {
  return Object.fromEntries(
    Object.entries(readings).flatMap(([upstream, reading]) => {
      if (reading instanceof GatewayError) return []
      const { outputAsked, outputLeast, runs, rereads, cacheWrite, input } = reading
      const [firstByteMs, idleMs] =
        upstream === 'ollama' ? [config.firstByteTimeoutMs, config.idleTimeoutMs] : [config.vendorSilenceMs, config.vendorSilenceMs]
      const leaseMs = Math.max(firstByteMs, config.checkpointMs + idleMs) + LEASE_SLACK_MS
      return [[upstream, { inputBound: input.bound, outputAsked, outputLeast, runs, rereads, cacheWrite, leaseMs }]]
    }),
  )
}

/** D1's own trouble, told apart: gone in a moment, or until the day's quota begins anew at 00:00 UTC. */
export function ledgerError(cause: unknown): GatewayError {
  switch (d1Trouble(cause)) {
    case 'busy':
      return new GatewayError('ledger_unavailable', 'The ledger is busy: try again in a moment.', { cause, retryAfterSeconds: 2 })
    case 'day_used_up': {
      const midnight = new Date()
      const seconds = Math.ceil((midnight.setUTCHours(24, 0, 0, 0) - Date.now()) / 1000)
      return new GatewayError('ledger_unavailable', 'The gateway has used up its database quota of the day: it is back at 00:00 UTC.', {
        cause,
        retryAfterSeconds: seconds,
      })
    }
    case 'fault':
      return gatewayFault(cause)
  }
}

/** Asks who serves the model. Throws what became of it if that is no answer; the hold is settled then. */
async function forward(run: Run): Promise<Response> {
  const { destination } = run
  const { hangUp } = destination
  // Nobody has been asked yet, so nobody bills for it.
  if (hangUp.happened) {
    run.void(400, 'hung_up', 'abandoned')
    throw hungUp()
  }
  const abort = new AbortController()
  const onEnd = () => abort.abort()
  hangUp.signal.addEventListener('abort', onEnd)
  run.killed.addEventListener('abort', onEnd)
  const timer = setTimeout(() => abort.abort(), destination.firstByteMs)
  try {
    const answer = await destination.ask(abort.signal)
    if (isAnswer(answer)) return answer
    throw await destination.refusal(answer)
  } catch (thrown) {
    const error = forwardError(thrown, run, abort.signal.aborted)
    if (error.code === 'ended_by_operator') run.kill(error.status)
    else run.settle(hangUp.signal.aborted ? 'abandoned' : 'failed', error.status, error.code)
    throw error
  } finally {
    clearTimeout(timer)
    hangUp.signal.removeEventListener('abort', onEnd)
    run.killed.removeEventListener('abort', onEnd)
  }
}

function forwardError(thrown: unknown, { destination, killed }: Run, isAborted: boolean): GatewayError {
  if (thrown instanceof GatewayError) return thrown
  if (destination.hangUp.signal.aborted) return hungUp()
  if (killed.aborted) return endedByOperator('nothing is charged')
  if (isAborted)
    return new GatewayError('upstream_timeout', `${destination.name} took too long to begin its answer: try again, or ask for less.`)
  return gatewayFault(thrown)
}

function hungUp(): GatewayError {
  return new GatewayError('invalid_request', 'The caller hung up.')
}

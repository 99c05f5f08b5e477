// A customer's request, as the business reads it: read → admit → forward → pass on and meter → settle.

import { streamedAnswer } from './answer-streamed.ts'
import { wholeAnswer } from './answer-whole.ts'
import { authenticate } from './auth.ts'
import type { Dialect } from './dialects/dialect.ts'
import { GatewayError, gatewayFault } from './errors.ts'
import type { Exchange } from './exchange.ts'
import { offers } from './host-models.ts'
import type { Admitted, Ask } from './ledger/admission.ts'
import { d1Trouble } from './ledger/retry.ts'
import { sweep } from './ledger/settlement.ts'
import { causeOf, log } from './log.ts'
import { type ReadRequest, readRequest } from './read-request.ts'
import { modelNotFound, refusalError } from './refusal.ts'
import { Run } from './run.ts'
import { callHost, hostRefusal, isAnswer } from './upstream.ts'

/** A lease outlives the longest wait before its first renewal by this, milliseconds. */
const LEASE_SLACK_MS = 30_000
/** Every so many-th admission sweeps beside the schedule. */
const SWEEP_ONE_IN = 50

/** Serves one request of a dialect. Throws GatewayError for what the caller is to be told before an answer has begun. */
export async function serve(dialect: Dialect, exchange: Exchange): Promise<Response> {
  const read = await readRequest(dialect, exchange.request, exchange.config.bodyLimitBytes)
  if (read.asked.answer !== undefined) return answeredHere(read, exchange)

  const askedMs = Date.now()
  const admission = await admitted(dialect, read, exchange)
  const run = new Run(dialect, read, admission, exchange, Date.now())
  try {
    const answer = await forward(run)
    const response = read.asked.stream ? streamedAnswer(run, answer) : await wholeAnswer(run, answer)
    response.headers.set('server-timing', `admit;dur=${run.startMs - askedMs}, host;dur=${Date.now() - run.startMs}`)
    return response
  } catch (error) {
    // Whatever threw without settling was no ending that anybody foresaw; the hold must not wait for its lease.
    run.void(500, 'internal_error')
    throw error
  }
}

/** A request that would only load or unload a model: what is loaded is the owner's to decide, so nothing is, and nothing is charged. */
async function answeredHere(read: ReadRequest, exchange: Exchange): Promise<Response> {
  const caller = await authenticate(exchange.db, exchange.request.headers)
  const isOffered = await offers(exchange.db, caller)
  if (!isOffered(read.model)) throw modelNotFound(read.model)
  if (/^0+[a-z]*$/.test(String(read.body.keep_alive ?? ''))) {
    throw new GatewayError('route_forbidden', 'Which models stay loaded is decided by the host: leave keep_alive out.', {
      param: 'keep_alive',
    })
  }
  return Response.json(read.asked.answer, { headers: { 'x-request-id': exchange.requestId } })
}

/** The one round trip to D1 before the first byte. Throws the refusal. */
async function admitted(dialect: Dialect, read: ReadRequest, exchange: Exchange): Promise<Admitted> {
  const { config, db, ledger, defer } = exchange
  const ask: Ask = {
    id: exchange.requestId,
    keyHash: read.keyHash,
    model: read.model,
    dialect: dialect.name,
    inputBound: read.input.bound,
    outputAsked: read.asked.outputAsked,
    runs: read.asked.runs,
    hostConcurrency: config.hostConcurrency,
    deadlineMs: config.deadlineMs,
    leaseMs: Math.max(config.firstByteTimeoutMs, config.checkpointMs + config.idleTimeoutMs) + LEASE_SLACK_MS,
  }
  const verdict = await ledger.admit(ask, defer).catch((error) => {
    throw ledgerError(error)
  })
  if (!verdict.admitted) throw refusalError(verdict, ask)
  if (Math.random() * SWEEP_ONE_IN < 1)
    defer(sweep(db).catch((error) => log({ event: 'error', code: 'sweep_failed', message: causeOf(error) })))
  return verdict
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

/** Asks the host, always for a stream where it can stream. Throws what became of it if that is no answer; the hold is settled then. */
async function forward(run: Run): Promise<Response> {
  const { dialect, read, exchange } = run
  const { config, request } = exchange
  const body = dialect.forward(read.body, run.hold.upstreamModel ?? read.model, run.hold.outputLimit)
  const abort = new AbortController()
  const onHangUp = () => abort.abort()
  request.signal.addEventListener('abort', onHangUp)
  if (request.signal.aborted) abort.abort() // while it was admitted
  const timer = setTimeout(() => abort.abort(), config.firstByteTimeoutMs)
  try {
    const answer = await callHost(config, dialect.path, { method: 'POST', body: JSON.stringify(body), signal: abort.signal })
    if (isAnswer(answer)) return answer
    throw await hostRefusal(answer, read.model)
  } catch (thrown) {
    const error = forwardError(thrown, request.signal.aborted, abort.signal.aborted)
    run.settle(request.signal.aborted ? 'abandoned' : 'failed', error.status, error.code)
    throw error
  } finally {
    clearTimeout(timer)
    request.signal.removeEventListener('abort', onHangUp)
  }
}

function forwardError(thrown: unknown, hungUp: boolean, aborted: boolean): GatewayError {
  if (thrown instanceof GatewayError) return thrown
  if (hungUp) return new GatewayError('invalid_request', 'The caller hung up.')
  if (aborted) return new GatewayError('upstream_timeout', 'The host took too long to begin its answer: try again, or ask for less.')
  return gatewayFault(thrown)
}

// One admitted request while it runs: its meter, its checkpoints, and the one settlement that ends it.
import type { Destination } from './destination.ts'
import type { Exchange } from './exchange.ts'
import { watchForKill } from './kill-watch.ts'
import type { Hold, Standing } from './ledger/admission.ts'
import { renew, renewalMs } from './ledger/lease.ts'
import { type Ending, settleSurely } from './ledger/settlement.ts'
import { causeOf, log } from './log.ts'
import { Meter, type Metered, NOTHING } from './meter.ts'
import { formatUsd, type NanoUsd } from './money.ts'
import { logRequest } from './request-log.ts'

/** How soon a checkpoint that failed is tried again, milliseconds. */
const CHECKPOINT_AGAIN_MS = 5_000

export class Run {
  readonly destination: Destination
  readonly hold: Hold
  readonly standing: Standing
  readonly exchange: Exchange
  readonly meter: Meter
  /** When the upstream was asked, milliseconds since 1970. */
  readonly startMs: number
  /** Aborted when the operator ends the request. */
  readonly killed: AbortSignal
  readonly #kill = new AbortController()
  readonly #stopWatching: () => void
  #checkpointDueMs: number
  #renewing = false
  #settled: Metered | null = null

  constructor(destination: Destination, { hold, standing }: { hold: Hold; standing: Standing }, exchange: Exchange, nowMs: number) {
    this.destination = destination
    this.hold = hold
    this.standing = standing
    this.exchange = exchange
    this.startMs = nowMs
    const { wire, reading } = destination
    const { input, runs, cacheWrite } = reading
    this.meter = new Meter(wire, hold, { inputBound: input.bound, inputEstimate: input.estimate, runs, cacheWrite }, nowMs)
    this.#checkpointDueMs = nowMs + exchange.config.checkpointMs
    this.killed = this.#kill.signal
    this.#stopWatching = watchForKill(exchange, hold.id, () => this.#kill.abort())
  }

  /** When a request at a price per GPU second must have ended; null for others. */
  get deadlineMs(): number | null {
    return this.hold.price.gpuSecondNano > 0 ? this.startMs + this.exchange.config.deadlineMs : null
  }

  /** Renews the lease and writes down what was delivered, where it is time to: at a stream's age of CHECKPOINT_SECONDS, and each time at twice the age. */
  checkpoint(nowMs: number): void {
    if (nowMs < this.#checkpointDueMs || this.#renewing || this.#settled !== null) return
    const { db, defer } = this.exchange
    const ageMs = nowMs - this.startMs
    this.#checkpointDueMs = nowMs + ageMs
    this.#renewing = true
    // Of an answer in one piece nothing is delivered before its end.
    const { used, costNano } = this.destination.reading.stream ? this.meter.metered('abandoned', nowMs) : NOTHING
    const { id, customerId } = this.hold
    const leaseMs = renewalMs(ageMs, this.destination.idleMs)
    const renewal = renew(db, { customerId, id, costNano, used, firstMs: this.#firstMs(), leaseMs })
      .then((isKilled) => {
        if (isKilled) this.#kill.abort()
      })
      .catch((error) => {
        this.#checkpointDueMs = nowMs + CHECKPOINT_AGAIN_MS
        log({ event: 'error', code: 'checkpoint_failed', request_id: id, message: causeOf(error) })
      })
      .finally(() => {
        this.#renewing = false
      })
    defer(renewal)
  }

  /** Ends the request, once: what counts is the first call. Returns what it is charged for; the ledger is written after the answer. */
  settle(outcome: Ending['outcome'], status: number, code: string | null = null): Metered {
    return this.#settled ?? this.#end(outcome, this.meter.metered(outcome, Date.now()), status, code)
  }

  /** Ends a request whose answer is whole: completed, or abandoned where it was read on to its end for its counts, for a caller who had left. */
  complete(): Metered {
    const { hangUp } = this.destination
    const isLeft = hangUp.happen !== undefined && hangUp.happened
    return this.settle(isLeft ? 'abandoned' : 'completed', 200, isLeft ? 'hung_up' : null)
  }

  /**
   * Ends a request that the operator has ended, as one that failed: its caller, who did not choose the end, pays for what was handed out. One who
   * had left before pays as who leaves.
   */
  kill(status: number): void {
    const isLeft = this.destination.hangUp.happened
    if (isLeft) this.settle('abandoned', status, 'killed')
    else if (this.destination.reading.stream) this.settle('failed', status, 'killed')
    else this.void(status, 'killed')
  }

  /** Ends a request of which nothing was handed out, or of which nobody has been asked: it costs nothing. */
  void(status: number, code: string, outcome: 'failed' | 'abandoned' = 'failed'): void {
    if (this.#settled === null) this.#end(outcome, NOTHING, status, code)
  }

  #end(outcome: Ending['outcome'], metered: Metered, status: number, code: string | null): Metered {
    this.#settled = metered
    this.#stopWatching()
    const nowMs = Date.now()
    const { config, ledger, defer, requestId } = this.exchange
    const { customerId, id } = this.hold
    const { used, costNano, estimated } = metered
    const ending: Ending = { customerId, keyId: this.standing.keyId, id, outcome, estimated, costNano, used, firstMs: this.#firstMs() }
    const failed = (error: unknown) => log({ event: 'error', code: 'settle_failed', request_id: id, message: causeOf(error) })
    const settling = settleSurely(
      () => ledger.settle(ending, defer),
      (ms) => scheduler.wait(ms),
    )
    defer(settling.catch(failed))
    if (outcome === 'completed' && estimated && this.hold.upstream !== 'ollama') {
      const message = 'the vendor reported counts that are missing or cannot be: the request is charged by its bounds'
      log({ event: 'error', code: 'vendor_counts', request_id: id, vendor: this.hold.upstream, model: this.hold.model, message })
    }
    const { keyId, customerName } = this.standing
    const { model, upstream } = this.hold
    const dialect = this.destination.wire.name
    const chargedNano = this.#charged(costNano)
    const [firstMs, totalMs] = [this.#firstMs(), nowMs - this.startMs]
    logRequest(
      {
        id: requestId,
        customerId,
        customerName,
        keyId,
        model,
        dialect,
        upstream,
        status,
        outcome,
        code,
        metered,
        chargedNano,
        firstMs,
        totalMs,
      },
      config.metrics,
    )
    return metered
  }

  /** What is charged of a cost: no more than the hold where there is a budget, as the ledger has it. */
  #charged(costNano: NanoUsd): NanoUsd {
    return this.standing.roomNano === null ? costNano : (Math.min(costNano, this.hold.holdNano) as NanoUsd)
  }

  /** What the answer's headers say of money and limits. `metered`: what it came to, where that is known by then. */
  headers(metered: Metered | null): Headers {
    const { hold, standing } = this
    const headers = new Headers({ 'x-request-id': this.exchange.requestId, 'cache-control': 'no-cache, no-transform' })
    if (this.destination.wire.family === 'anthropic') headers.set('request-id', this.exchange.requestId)
    if (hold.outputLimit > 0) headers.set('x-output-limit', String(hold.outputLimit))
    const taken = metered === null ? hold.holdNano : this.#charged(metered.costNano)
    if (standing.roomNano !== null) headers.set('x-budget-remaining', formatUsd(standing.roomNano - taken))
    if (metered !== null) headers.set('x-request-cost', formatUsd(taken))
    const [limit, requests] = tighter(standing)
    if (limit !== null) {
      headers.set('x-ratelimit-limit-requests', String(limit))
      headers.set('x-ratelimit-remaining-requests', String(Math.max(0, limit - requests - 1)))
    }
    return headers
  }

  #firstMs(): number | null {
    return this.meter.firstTokenMs === null ? null : Math.max(0, this.meter.firstTokenMs - this.startMs)
  }
}

/** The limit of requests a minute with less room, and what was used of it. */
function tighter({ customer, key }: Standing): [number | null, number] {
  const room = (limit: Standing['key']) => (limit.rpm === null ? Number.POSITIVE_INFINITY : limit.rpm - limit.requests)
  const limit = room(key) < room(customer) ? key : customer
  return [limit.rpm, limit.requests]
}

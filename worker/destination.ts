// Where an admitted request goes, and how: to the host, or to the vendor whose model it is.
import type { Dialect, Wire } from './dialects/dialect.ts'
import { GatewayError, gatewayFault } from './errors.ts'
import type { Exchange } from './exchange.ts'
import { type HangUp, stopsAfter, stopsAtOnce } from './hang-up.ts'
import type { Hold } from './ledger/admission.ts'
import type { Reading, ReadRequest } from './read-request.ts'
import type { Seen } from './seen.ts'
import { callHost, hostRefusal } from './upstream.ts'
import { callVendor, refusalOfVendor } from './vendors/vendor-call.ts'
import { vendorDialectOf } from './vendors/vendor-dialect.ts'
import { vendorRefusal } from './vendors/vendor-refusal.ts'

export interface Destination {
  /** In words for the caller. */
  name: string
  reading: Reading
  wire: Wire
  /** How long it may be silent, milliseconds: before its answer, and in it. */
  firstByteMs: number
  idleMs: number
  hangUp: HangUp
  /** Throws upstream_unavailable where no answer comes; an abort is thrown as it is. */
  ask(signal: AbortSignal): Promise<Response>
  /** What an answer other than 200 means for the caller. */
  refusal(answer: Response): Promise<GatewayError>
  /** The words for an error within an answer, where its own must not reach the caller. */
  failure?(failed: NonNullable<Seen['failed']>): GatewayError
}

/** Throws where the price names an upstream that has no reading of the request, which admission refuses. */
export function destinationOf(dialect: Dialect, read: ReadRequest, hold: Hold, exchange: Exchange): Destination {
  const reading = read.readings[hold.upstream]
  if (reading === undefined || reading instanceof GatewayError) throw gatewayFault(new Error(`no reading for ${hold.upstream}`))
  return hold.upstream === 'ollama' ? toHost(dialect, read, reading, hold, exchange) : toVendor(dialect, read, reading, hold, exchange)
}

function toHost(dialect: Dialect, read: ReadRequest, reading: Reading, hold: Hold, { config, request }: Exchange): Destination {
  const body = () => JSON.stringify(dialect.forward(read.body, hold.upstreamModel ?? read.model, hold.outputLimit))
  return {
    name: 'The host',
    reading,
    wire: dialect,
    firstByteMs: config.firstByteTimeoutMs,
    idleMs: config.idleTimeoutMs,
    hangUp: stopsAtOnce(request.signal),
    ask: async (signal) => callHost(config, dialect.path, { method: 'POST', body: body(), signal }),
    refusal: (answer) => hostRefusal(answer, read.model),
  }
}

function toVendor(dialect: Dialect, read: ReadRequest, reading: Reading, hold: Hold, exchange: Exchange): Destination {
  const { config, request, requestId } = exchange
  const vendorDialect = vendorDialectOf(dialect.name)
  const access = vendorDialect && config.vendors[vendorDialect.vendor]
  if (vendorDialect === undefined || access === undefined) throw gatewayFault(new Error(`no access to ${hold.upstream}`))
  const { vendor, path } = vendorDialect
  const { model, outputLimit } = hold
  const asker = { requestId, model }
  const stream = reading.stream && vendorDialect.streamed !== null
  const decided = { model: hold.upstreamModel ?? model, outputLimit, limitField: config.openaiLimitField }
  const body = () => vendorDialect.request.forward(read.body, decided)
  return {
    name: 'The vendor of this model',
    reading,
    wire: (stream && vendorDialect.streamed) || vendorDialect.whole,
    firstByteMs: config.vendorSilenceMs,
    idleMs: config.vendorSilenceMs,
    hangUp: stopsAfter(request.signal, config.readOnMs),
    ask: async (signal) => callVendor({ vendor, access, path, body: body(), stream, headers: request.headers, signal }),
    refusal: (answer) => refusalOfVendor(vendor, answer, asker),
    failure: (failed) => vendorRefusal(vendor, { status: 200, ...failed }, asker),
  }
}

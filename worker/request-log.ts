// What is kept of a request that has ended, beside the ledger: one line for the log, and the same figures for Analytics Engine where that is bound.
import { log } from './log.ts'
import type { Metered } from './meter.ts'
import { formatUsd, type NanoUsd } from './money.ts'
import type { Outcome, Upstream } from './schema.ts'

/** Ids, names of models and figures: never a word of content, nor a key. */
export interface EndedRequest {
  id: string
  customerId: number
  customerName: string
  keyId: number
  model: string
  dialect: string
  upstream: Upstream
  status: number
  outcome: Exclude<Outcome, 'expired'>
  /** Why it ended so; null for an answer that is whole. */
  code: string | null
  metered: Metered
  chargedNano: NanoUsd
  /** From when the upstream was asked; null: no token was delivered. */
  firstMs: number | null
  totalMs: number
}

export function logRequest(request: EndedRequest, metrics: AnalyticsEngineDataset | null): void {
  const { metered, outcome, code, status, firstMs, totalMs, upstream } = request
  const { used, estimated } = metered
  log({
    event: 'request',
    request_id: request.id,
    customer: request.customerName,
    customer_id: request.customerId,
    key_id: request.keyId,
    model: request.model,
    dialect: request.dialect,
    upstream,
    status,
    outcome,
    code,
    input_tokens: used.input,
    cached_tokens: used.cached,
    ...(upstream === 'ollama' ? {} : vendorCounts(used)),
    output_tokens: used.output,
    cost_usd: formatUsd(request.chargedNano),
    estimated,
    first_ms: firstMs,
    total_ms: totalMs,
  })
  try {
    metrics?.writeDataPoint(dataPoint(request))
  } catch (error) {
    // A figure that is not kept must not keep a request from being settled.
    log({ event: 'error', code: 'metrics', request_id: request.id, message: String(error).slice(0, 200) })
  }
}

/** What only a vendor tells, for the log. */
function vendorCounts({ cacheWrite, cacheWriteLong, reasoning }: Metered['used']) {
  return { cache_write_tokens: cacheWrite, cache_write_long_tokens: cacheWriteLong, reasoning_tokens: reasoning }
}

/** The columns are documented in docs/watching.md: one that is added goes to the end, none ever changes its place. */
function dataPoint(request: EndedRequest): AnalyticsEngineDataPoint {
  const { used, estimated } = request.metered
  return {
    // What Cloudflare samples by, where there is too much: each customer by themselves.
    indexes: [String(request.customerId)],
    blobs: [request.model, request.dialect, request.upstream, request.outcome, request.code ?? '', String(request.keyId), request.id],
    doubles: [
      ...[request.status, used.input, used.cached, used.output, request.chargedNano, request.firstMs ?? -1, request.totalMs],
      ...[estimated ? 1 : 0, used.gpuMs, used.cacheWrite + used.cacheWriteLong, used.reasoning],
    ],
  }
}

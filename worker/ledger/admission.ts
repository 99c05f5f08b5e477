// Admission: one statement decides, writes the hold and answers; why a request was refused is asked in a second call.
import type { NanoUsd } from '../money.ts'
import { PRICE_FIELDS, type Price } from '../pricing.ts'
import type { BudgetPeriod, Upstream } from '../schema.ts'
import type { CacheWrite } from '../vendors/vendor-request.ts'
import { ADMIT, EXPLAIN, LIMIT } from './admission-sql.ts'
import { retryTransient } from './retry.ts'

/** The fewest output tokens that a fitted limit may leave, unless the caller asks for fewer. */
export const OUTPUT_LEAST = 256

/** How a request is read by who serves it, as far as its hold goes. */
export interface AskReading {
  /** The most input tokens that the request can be. */
  inputBound: number
  /** Of each run. null: the price's default. 0: no output at all (embeddings). */
  outputAsked: number | null
  /** The fewest output tokens of each run that are of use; fewer are, where fewer are asked for. */
  outputLeast: number
  /** How often the model runs for it, or how many answers it gives: each has the output limit. */
  runs: number
  /** Each run reads the run before it, as input. */
  rereads: boolean
  cacheWrite: CacheWrite
  leaseMs: number
}

export interface Ask {
  /** UUIDv7; the request's id, and the token that settles it. */
  id: string
  keyHash: string
  /** Canonical name. */
  model: string
  /** The name that a vendor's model of this name has, which is without a tag. */
  name: string
  dialect: string
  /** By each upstream that can serve a request such as this: whose model it is the price says. */
  readings: Partial<Record<Upstream, AskReading>>
  hostConcurrency: number
  deadlineMs: number
  /** Only for tests: milliseconds in place of the database's clock. */
  nowMs?: number
}

interface Limit {
  budgetNano: NanoUsd | null
  spentNano: NanoUsd
  heldNano: NanoUsd
  period: BudgetPeriod
  rpm: number | null
  tpm: number | null
  concurrency: number | null
  inFlight: number
  requests: number
  tokens: number
}

type Refusal =
  | 'invalid_api_key'
  | 'revoked_api_key'
  | 'expired_api_key'
  | 'account_suspended'
  | 'model_not_allowed'
  | 'model_not_found'
  | 'not_read'
  | 'cache_not_priced'
  | 'host_busy'
  | 'rate_limited'
  | 'budget_exceeded'

/** Who asked and how things stand, before this request's own hold. */
export interface Standing {
  nowMs: number
  customerId: number
  customerName: string
  keyId: number
  customer: Limit
  key: Limit
  /** When the oldest request of the last minute began; null where no limit per minute is set or none did. */
  oldestMs: number | null
  /** Of a prepaid customer: what was paid in less what was used, and what running requests hold of it, whenever they began; null: postpaid. */
  balance: { leftNano: NanoUsd; heldNano: NanoUsd } | null
  /** The smallest room of the budgets and the balance; null: unlimited. */
  roomNano: NanoUsd | null
}

export interface Hold {
  id: string
  customerId: number
  priceId: number
  price: Price
  upstream: Upstream
  /** By the name that it is priced and booked under. */
  model: string
  /** Its name at the upstream; null: the same. */
  upstreamModel: string | null
  holdNano: NanoUsd
  outputLimit: number
  createdMs: number
}

export interface Admitted {
  admitted: true
  hold: Hold
  standing: Standing
}

/**
 * `leastNano`: what the hold would be at the least that the output may be limited to. `not_read`: the model is one of `upstream`, and the ask
 * has no reading for that.
 */
export interface Refused {
  admitted: false
  refusal: Refusal
  upstream: Upstream | null
  expiresMs: number | null
  leastNano: NanoUsd
  standing: Standing | null
}

export type Verdict = Admitted | Refused

/** The statement that decides one request and writes its hold: one request a statement, since one that admitted several would read the sums once and overspend. */
export function admissionStatement(db: D1Database, ask: Ask): D1PreparedStatement {
  return db.prepare(ADMIT).bind(JSON.stringify(ask))
}

/** What that statement gave. Null: no hold was written, for a reason that `explained` finds. */
export function admissionOf(result: D1Result<unknown> | undefined): Admitted | null {
  const row = result?.results[0] as Row | undefined
  return row === undefined ? null : admittedOf(row)
}

/**
 * Why an ask was not given a hold: the refusal, or the hold that it had been given before, if that reply was lost.
 * Null: nothing stands in its way any more. One D1 call. Throws what D1 throws.
 */
export async function explained(db: D1Database, ask: Ask): Promise<Verdict | null> {
  const explain = db.prepare(EXPLAIN).bind(JSON.stringify(ask))
  const [result] = await retryTransient(() => db.batch<ExplainedRow>([explain]))
  const row = result?.results[0]
  if (row === undefined) throw new Error('the statement that explains an admission gave no row')
  if (row.id !== null) return admittedOf(row as Row)
  if (row.verdict === 'admitted') return null
  return {
    admitted: false,
    refusal: row.verdict,
    upstream: row.upstream,
    expiresMs: row.expires_ms,
    leastNano: row.least_nano ?? (0 as NanoUsd),
    standing: row.known === null ? null : standingOf(row.standing),
  }
}

interface Row {
  id: string
  price_id: number
  upstream: Upstream
  model: string
  hold_nano: NanoUsd
  output_limit: number
  created_ms: number
  /** JSON arrays, in the order of STANDING and PRICE. */
  standing: string
  price: string
}

type ExplainedRow = { [column in keyof Row]: Row[column] | null } & {
  verdict: Refusal | 'admitted'
  known: number | null
  expires_ms: number | null
  least_nano: NanoUsd | null
  standing: string
}

function admittedOf(row: Row): Admitted {
  const standing = standingOf(row.standing)
  const [upstreamModel, ...priced] = JSON.parse(row.price) as [string | null, ...number[]]
  return {
    admitted: true,
    standing,
    hold: {
      id: row.id,
      customerId: standing.customerId,
      priceId: row.price_id,
      price: Object.fromEntries(PRICE_FIELDS.map((field, index) => [field, priced[index]])) as Price,
      upstream: row.upstream,
      model: row.model,
      upstreamModel,
      holdNano: row.hold_nano,
      outputLimit: row.output_limit,
      createdMs: row.created_ms,
    },
  }
}

/** In the order of STANDING. */
type StandingValues = [number, number, string, number, number | null, NanoUsd, NanoUsd | null, NanoUsd, ...LimitValues, ...LimitValues]
/** In the order of LIMIT. */
type LimitValues = [
  NanoUsd | null,
  BudgetPeriod,
  NanoUsd,
  NanoUsd,
  number | null,
  number | null,
  number | null,
  number | null,
  number | null,
  number | null,
]

function standingOf(json: string): Standing {
  const [nowMs, customerId, customerName, keyId, oldestMs, room, left, held, ...limits] = JSON.parse(json) as StandingValues
  const customer = limitOf(limits.slice(0, LIMIT.length) as LimitValues)
  const key = limitOf(limits.slice(LIMIT.length) as LimitValues)
  const balance = left === null ? null : { leftNano: left, heldNano: held }
  const unlimited = customer.budgetNano === null && key.budgetNano === null && balance === null
  return { nowMs, customerId, customerName, keyId, customer, key, oldestMs, balance, roomNano: unlimited ? null : room }
}

function limitOf([budgetNano, period, spentNano, heldNano, rpm, tpm, concurrency, inFlight, requests, tokens]: LimitValues): Limit {
  return {
    budgetNano,
    period,
    spentNano,
    heldNano,
    rpm,
    tpm,
    concurrency,
    inFlight: inFlight ?? 0,
    requests: requests ?? 0,
    tokens: tokens ?? 0,
  }
}

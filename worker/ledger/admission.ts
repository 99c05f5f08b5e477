// Admission: one statement decides and writes the hold, a second one in the same batch says what was decided and why.
import type { NanoUsd } from '../money.ts'
import type { Price } from '../pricing.ts'
import type { BudgetPeriod } from '../schema.ts'
import { periodOfDaySql } from './periods.ts'
import { retryTransient } from './retry.ts'

/** The fewest output tokens that a fitted limit may leave, unless the caller asks for fewer. */
export const OUTPUT_LEAST = 256

/**
 * How much older than its admission an id may be: it is made when a request arrives, by the Worker's clock, and its body may take a while.
 * What counts as the last minute is said by the database's clock.
 */
const ID_LAG_MS = 240_000

export interface Ask {
  /** UUIDv7; the request's id, and the token that settles it. */
  id: string
  keyHash: string
  /** Canonical name. */
  model: string
  dialect: string
  /** The most input tokens that the request can be. */
  inputBound: number
  /** null: the price's default. 0: no output at all (embeddings). */
  outputAsked: number | null
  /** How often the host will run the model for it: each run has the output limit, and reads the run before it. */
  runs: number
  hostConcurrency: number
  deadlineMs: number
  leaseMs: number
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
  /** The smallest room of the budgets; null: unlimited. */
  roomNano: NanoUsd | null
}

export interface Hold {
  id: string
  customerId: number
  priceId: number
  price: Price
  upstreamModel: string | null
  holdNano: NanoUsd
  outputLimit: number
  createdMs: number
}

/** `leastNano`: what the hold would be at the least that the output may be limited to. */
export type Verdict =
  | { admitted: true; hold: Hold; standing: Standing }
  | { admitted: false; refusal: Refusal; expiresMs: number | null; leastNano: NanoUsd; standing: Standing | null }

const day = 'a.now / 86400000'
const since = (period: string) => `${period} * 86400000`

/** One row, always: the verdict and all that explains it. `?1` is the ask as JSON, since D1 binds numbers as REAL. */
const VERDICT = `
WITH ask AS (
  SELECT ?1 ->> 'id' AS id, ?1 ->> 'keyHash' AS hash, ?1 ->> 'model' AS model, ?1 ->> 'dialect' AS dialect, ?1 ->> 'inputBound' AS input_bound,
    ?1 ->> 'outputAsked' AS output_asked, ?1 ->> 'runs' AS runs, ?1 ->> 'hostConcurrency' AS host_concurrency, ?1 ->> 'deadlineMs' AS deadline_ms,
    ?1 ->> 'leaseMs' AS lease_ms, coalesce(?1 ->> 'nowMs', CAST(unixepoch('subsec') * 1000 AS INTEGER)) AS now
), who AS (
  SELECT a.*, k.id AS key_id, k.customer_id, k.revoked_ms, k.expires_ms, c.status, c.name AS customer_name,
    k.models IS NULL OR EXISTS (SELECT 1 FROM json_each(k.models) WHERE value = a.model) AS model_allowed,
    c.budget_nano, c.budget_period, c.rpm, c.tpm, c.concurrency,
    k.budget_nano AS k_budget_nano, k.budget_period AS k_budget_period, k.rpm AS k_rpm, k.tpm AS k_tpm, k.concurrency AS k_concurrency,
    ${periodOfDaySql('c.budget_period', day)} AS period, ${periodOfDaySql('k.budget_period', day)} AS k_period,
    coalesce(c.rpm, c.tpm, k.rpm, k.tpm) IS NOT NULL AS counts_minute,
    printf('%012x', a.now - 60000 - ${ID_LAG_MS}) AS oldest_id,
    (SELECT p.id FROM prices p WHERE p.model IN (a.model, '*') AND p.valid_from_ms <= a.now ORDER BY p.model = '*', p.valid_from_ms DESC, p.id DESC LIMIT 1) AS price_id
  FROM ask a LEFT JOIN api_keys k ON k.hash = a.hash LEFT JOIN customers c ON c.id = k.customer_id
), host AS (
  SELECT count(*) AS n FROM who w CROSS JOIN holds h WHERE h.upstream = 'ollama' AND h.expires_ms > w.now AND h.id <> w.id
), flight AS (
  SELECT coalesce(sum(h.expires_ms > w.now), 0) AS n, coalesce(sum(iif(h.created_ms >= ${since('w.period')}, h.hold_nano, 0)), 0) AS held,
    coalesce(sum(h.key_id = w.key_id AND h.expires_ms > w.now), 0) AS k_n, coalesce(sum(iif(h.key_id = w.key_id AND h.created_ms >= ${since('w.k_period')}, h.hold_nano, 0)), 0) AS k_held
  FROM who w CROSS JOIN holds h ON h.customer_id = w.customer_id AND h.id <> w.id
), recent AS (
  SELECT count(*) AS requests, coalesce(sum(tokens), 0) AS tokens, coalesce(sum(mine), 0) AS k_requests, coalesce(sum(mine * tokens), 0) AS k_tokens, min(created_ms) AS oldest FROM (
    SELECT u.input_tokens + u.output_tokens AS tokens, u.key_id = w.key_id AS mine, u.created_ms
      FROM who w CROSS JOIN usage u ON u.customer_id = w.customer_id AND u.id >= substr(w.oldest_id, 1, 8) || '-' || substr(w.oldest_id, 9)
        WHERE w.counts_minute AND u.created_ms > w.now - 60000
    UNION ALL
    SELECT h.input_bound + h.runs * h.output_limit, h.key_id = w.key_id, h.created_ms
      FROM who w CROSS JOIN holds h ON h.customer_id = w.customer_id AND h.id <> w.id WHERE w.counts_minute AND h.created_ms > w.now - 60000)
), room AS (
  SELECT w.*, p.withdrawn, p.upstream, p.request_nano, p.model_nano, p.input_pico, p.cached_input_pico, p.output_pico, p.gpu_second_nano, p.output_default, p.output_max,
    host.n AS host_n, f.n AS in_flight, f.held, f.k_n AS k_in_flight, f.k_held, r.requests, r.tokens, r.k_requests, r.k_tokens, r.oldest,
    coalesce((SELECT spent_nano FROM spend WHERE owner = 'c' || w.customer_id AND period = w.period), 0) AS spent,
    coalesce((SELECT spent_nano FROM spend WHERE owner = 'k' || w.key_id AND period = w.k_period), 0) AS k_spent,
    min(coalesce(w.tpm - r.tokens, 1000000000), coalesce(w.k_tpm - r.k_tokens, 1000000000)) AS room_tokens
  FROM who w, host, flight f, recent r LEFT JOIN prices p ON p.id = w.price_id
), fit AS (
  SELECT *, min(coalesce(budget_nano - spent - held, 9000000000000000), coalesce(k_budget_nano - k_spent - k_held, 9000000000000000)) AS room_nano,
    (request_nano + model_nano) * 1000 + input_bound * max(input_pico, cached_input_pico) + deadline_ms * gpu_second_nano AS base_pico,
    runs * output_pico + (runs - 1) * input_pico AS unit_pico,
    min(coalesce(output_asked, output_default), output_max) AS wanted
  FROM room
), fitted AS (
  SELECT *, min(${OUTPUT_LEAST}, wanted) AS least, (room_tokens - input_bound) / runs AS token_fit,
    CASE WHEN unit_pico = 0 THEN wanted ELSE (room_nano * 1000 - base_pico) / unit_pico END AS money_fit
  FROM fit
), limited AS (
  SELECT *, max(0, min(wanted, token_fit, money_fit)) AS output_limit FROM fitted
), priced AS (
  SELECT *, (base_pico + output_limit * unit_pico + 999) / 1000 AS hold_nano, (base_pico + least * unit_pico + 999) / 1000 AS least_nano FROM limited
), verdict AS (
  SELECT *, CASE
    WHEN key_id IS NULL THEN 'invalid_api_key'
    WHEN revoked_ms IS NOT NULL THEN 'revoked_api_key'
    WHEN expires_ms <= now THEN 'expired_api_key'
    WHEN status <> 'active' THEN 'account_suspended'
    WHEN NOT model_allowed THEN 'model_not_allowed'
    WHEN price_id IS NULL OR withdrawn THEN 'model_not_found'
    WHEN requests >= rpm OR k_requests >= k_rpm OR in_flight >= concurrency OR k_in_flight >= k_concurrency OR room_tokens < input_bound OR token_fit < least THEN 'rate_limited'
    WHEN money_fit < least OR hold_nano > room_nano THEN 'budget_exceeded'
    WHEN upstream = 'ollama' AND host_n >= host_concurrency THEN 'host_busy'
    ELSE 'admitted' END AS verdict
  FROM priced
)`

const ADMIT = `INSERT INTO holds (customer_id, id, key_id, price_id, model, dialect, upstream, hold_nano, input_bound, output_limit, runs, created_ms, expires_ms)
${VERDICT}
SELECT customer_id, id, key_id, price_id, model, dialect, upstream, hold_nano, input_bound, output_limit, runs, now, now + lease_ms
FROM verdict WHERE verdict = 'admitted' ON CONFLICT DO NOTHING`

/** Reads the hold that stands, so that an admission whose reply was lost can be asked again under the same id. */
const EXPLAIN = `${VERDICT}
SELECT v.*, h.id AS hold_id, h.hold_nano AS held_nano, h.output_limit AS held_limit, h.created_ms AS held_ms, p.id AS pinned_id, p.upstream_model,
  p.request_nano AS p_request, p.model_nano AS p_model, p.input_pico AS p_input, p.cached_input_pico AS p_cached, p.output_pico AS p_output, p.gpu_second_nano AS p_gpu
FROM verdict v LEFT JOIN holds h ON h.customer_id = v.customer_id AND h.id = v.id LEFT JOIN prices p ON p.id = h.price_id`

/**
 * Decides one request and writes its hold: one D1 batch, one round trip. Asked again with the same id it finds its own hold.
 * One ask a call on purpose: a statement that admitted several would read the sums once and overspend.
 * Throws what D1 throws.
 */
export async function admit(db: D1Database, ask: Ask): Promise<Verdict> {
  const json = JSON.stringify(ask)
  const results = await retryTransient(() => db.batch<Row>([db.prepare(ADMIT).bind(json), db.prepare(EXPLAIN).bind(json)]))
  const row = results[1]?.results[0]
  if (!row) throw new Error('the admission statement gave no row')
  if (row.hold_id === null) {
    // The clock moved between the two statements past what had refused the first: a retry is admitted.
    const refusal = row.verdict === 'admitted' ? 'rate_limited' : (row.verdict as Refusal)
    return {
      admitted: false,
      refusal,
      expiresMs: row.expires_ms as number | null,
      leastNano: (row.least_nano ?? 0) as NanoUsd,
      standing: row.key_id === null ? null : standingOf(row),
    }
  }
  return { admitted: true, hold: holdOf(row), standing: standingOf(row) }
}

type Row = Record<string, string | number | null>

function holdOf(row: Row): Hold {
  return {
    id: row.hold_id as string,
    customerId: row.customer_id as number,
    priceId: row.pinned_id as number,
    price: {
      requestNano: row.p_request as number,
      modelNano: row.p_model as number,
      inputPico: row.p_input as number,
      cachedInputPico: row.p_cached as number,
      outputPico: row.p_output as number,
      gpuSecondNano: row.p_gpu as number,
    },
    upstreamModel: row.upstream_model as string | null,
    holdNano: row.held_nano as NanoUsd,
    outputLimit: row.held_limit as number,
    createdMs: row.held_ms as number,
  }
}

function standingOf(row: Row): Standing {
  const unlimited = row.budget_nano === null && row.k_budget_nano === null
  return {
    nowMs: row.now as number,
    customerId: row.customer_id as number,
    customerName: row.customer_name as string,
    keyId: row.key_id as number,
    customer: limitOf(row, '', { spent: 'spent', held: 'held' }),
    key: limitOf(row, 'k_', { spent: 'k_spent', held: 'k_held' }),
    oldestMs: row.oldest as number | null,
    roomNano: unlimited ? null : (row.room_nano as NanoUsd),
  }
}

function limitOf(row: Row, prefix: '' | 'k_', column: { spent: string; held: string }): Limit {
  const count = (name: string) => row[`${prefix}${name}`] as number | null
  return {
    budgetNano: count('budget_nano') as NanoUsd | null,
    spentNano: row[column.spent] as NanoUsd,
    heldNano: row[column.held] as NanoUsd,
    period: row[`${prefix}budget_period`] as BudgetPeriod,
    rpm: count('rpm'),
    tpm: count('tpm'),
    concurrency: count('concurrency'),
    inFlight: count('in_flight') ?? 0,
    requests: count('requests') ?? 0,
    tokens: count('tokens') ?? 0,
  }
}

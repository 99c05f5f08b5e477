// The SQL of admission: one text that decides, used to write the hold and, where it refuses, to say why.
import { PRICE_FIELDS } from '../pricing.ts'
import { prices } from '../schema.ts'
import { periodOfDaySql } from './periods.ts'

/**
 * How much older than its admission an id may be: it is made when a request arrives, by the Worker's clock, and its body may take a while.
 * What counts as the last minute is said by the database's clock.
 */
const ID_LAG_MS = 240_000

const day = 'a.now / 86400000'
const since = (period: string) => `${period} * 86400000`

/** Where the bound of the input passes a price's threshold, the dearer of both prices; NULL where one of them is not known. */
const dearer = (column: string) => `iif(is_above, max(${column}, above_${column}), ${column})`
const dearerIfAny = (column: string) => `max(coalesce(${column}, 0), iif(is_above, coalesce(above_${column}, 0), 0))`

/**
 * One row, always: the verdict and all that explains it. `?1` is the ask as JSON, since D1 binds numbers as REAL. Whoever serves the model says
 * how its request is read: `reading` is NULL where it has no such reading.
 * SQLite works out a value anew wherever one of a part that is not materialised is used; what `read` takes out of the ask is used a lot.
 */
const VERDICT = `
WITH ask AS (
  SELECT ?1 ->> 'id' AS id, ?1 ->> 'keyHash' AS hash, ?1 ->> 'model' AS asked_model, ?1 ->> 'name' AS name, ?1 ->> 'dialect' AS dialect,
    ?1 ->> 'hostConcurrency' AS host_concurrency, ?1 ->> 'deadlineMs' AS deadline_ms, coalesce(?1 ->> 'nowMs', CAST(unixepoch('subsec') * 1000 AS INTEGER)) AS now
), who AS MATERIALIZED (
  SELECT a.*, k.id AS key_id, k.customer_id, k.revoked_ms, k.expires_ms, c.status, c.name AS customer_name,
    k.models IS NULL OR EXISTS (SELECT 1 FROM json_each(k.models) WHERE value = a.asked_model) AS model_allowed,
    iif(c.prepaid, -coalesce((SELECT spent_nano FROM spend WHERE owner = 'p' || c.id AND period = 0), 0), NULL) AS balance, c.budget_nano, c.budget_period, c.rpm, c.tpm, c.concurrency,
    k.budget_nano AS k_budget_nano, k.budget_period AS k_budget_period, k.rpm AS k_rpm, k.tpm AS k_tpm, k.concurrency AS k_concurrency,
    ${periodOfDaySql('c.budget_period', day)} AS period, ${periodOfDaySql('k.budget_period', day)} AS k_period,
    coalesce(c.rpm, c.tpm, k.rpm, k.tpm) IS NOT NULL AS counts_minute,
    printf('%012x', a.now - 60000 - ${ID_LAG_MS}) AS oldest_id,
    (SELECT p.id FROM prices p WHERE p.model IN (a.asked_model, a.name, '*') AND p.variant = '' AND p.valid_from_ms <= a.now ORDER BY p.model = '*', p.valid_from_ms DESC, p.id DESC LIMIT 1) AS price_id
  FROM ask a LEFT JOIN api_keys k ON k.hash = a.hash LEFT JOIN customers c ON c.id = k.customer_id
), host AS (
  SELECT count(*) AS n FROM who w CROSS JOIN holds h WHERE h.upstream = 'ollama' AND h.expires_ms > w.now AND h.id <> w.id
), flight AS (
  SELECT coalesce(sum(h.expires_ms > w.now), 0) AS n, coalesce(sum(iif(h.created_ms >= ${since('w.period')}, h.hold_nano, 0)), 0) AS held, coalesce(sum(h.hold_nano), 0) AS held_ever,
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
  SELECT w.*, p.withdrawn, p.upstream, iif(p.upstream = 'ollama', w.asked_model, p.model) AS model,
    p.request_nano, p.model_nano, p.input_pico, p.cached_input_pico, p.output_pico, p.gpu_second_nano, p.output_default, p.output_max,
    p.cache_write_pico, p.cache_write_long_pico, p.above_tokens, p.above_input_pico, p.above_cached_input_pico, p.above_cache_write_pico,
    p.above_cache_write_long_pico, p.above_output_pico, json_extract(?1, '$.readings.' || p.upstream) AS reading,
    host.n AS host_n, f.n AS in_flight, f.held, f.held_ever, f.k_n AS k_in_flight, f.k_held, r.requests, r.tokens, r.k_requests, r.k_tokens, r.oldest,
    coalesce((SELECT spent_nano FROM spend WHERE owner = 'c' || w.customer_id AND period = w.period), 0) AS spent,
    coalesce((SELECT spent_nano FROM spend WHERE owner = 'k' || w.key_id AND period = w.k_period), 0) AS k_spent,
    min(coalesce(w.tpm - r.tokens, 1000000000), coalesce(w.k_tpm - r.k_tokens, 1000000000)) AS room_tokens
  FROM who w, host, flight f, recent r LEFT JOIN prices p ON p.id = w.price_id
), read AS MATERIALIZED (
  SELECT *, reading ->> 'inputBound' AS input_bound, reading ->> 'outputAsked' AS output_asked, reading ->> 'outputLeast' AS output_least,
    reading ->> 'runs' AS runs, reading ->> 'rereads' AS rereads, reading ->> 'cacheWrite' AS cache_write, reading ->> 'leaseMs' AS lease_ms,
    coalesce(reading ->> 'inputBound' > above_tokens, 0) AS is_above
  FROM room
), dear AS (
  SELECT *, ${dearer('input_pico')} AS dear_input_pico, ${dearer('output_pico')} AS dear_output_pico,
    CASE cache_write WHEN 'none' THEN 0 WHEN 'automatic' THEN ${dearerIfAny('cache_write_pico')} WHEN 'short' THEN ${dearer('cache_write_pico')}
      ELSE max(${dearer('cache_write_long_pico')}, ${dearerIfAny('cache_write_pico')}) END AS dear_write_pico
  FROM read
), fit AS (
  SELECT *, min(coalesce(budget_nano - spent - held, 9000000000000000), coalesce(k_budget_nano - k_spent - k_held, 9000000000000000),
      coalesce(balance - held_ever, 9000000000000000)) AS room_nano,
    (request_nano + model_nano) * 1000 + input_bound * max(dear_input_pico, ${dearer('cached_input_pico')}, coalesce(dear_write_pico, 0)) + deadline_ms * gpu_second_nano AS base_pico,
    runs * dear_output_pico + rereads * (runs - 1) * dear_input_pico AS unit_pico,
    min(coalesce(output_asked, output_default), output_max) AS wanted
  FROM dear
), fitted AS (
  SELECT *, min(output_least, wanted) AS least, (room_tokens - input_bound) / runs AS token_fit,
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
    WHEN reading IS NULL THEN 'not_read'
    WHEN dear_write_pico IS NULL THEN 'cache_not_priced'
    WHEN requests >= rpm OR k_requests >= k_rpm OR in_flight >= concurrency OR k_in_flight >= k_concurrency OR room_tokens < input_bound OR token_fit < least THEN 'rate_limited'
    WHEN money_fit < least OR hold_nano > room_nano THEN 'budget_exceeded'
    WHEN upstream = 'ollama' AND host_n >= host_concurrency THEN 'host_busy'
    ELSE 'admitted' END AS verdict
  FROM priced
)`

export const LIMIT = ['budget_nano', 'budget_period', 'spent', 'held', 'rpm', 'tpm', 'concurrency', 'in_flight', 'requests', 'tokens']
/** How things stand before the request's own hold, by the names of VERDICT. One JSON array: a function takes 32 arguments in D1. */
const STANDING = [
  'now',
  'customer_id',
  'customer_name',
  'key_id',
  'oldest',
  'room_nano',
  'balance',
  'held_ever',
  ...LIMIT,
  ...LIMIT.map((name) => `k_${name}`),
]
const standing = `json_array(${STANDING.map((name) => `v.${name}`).join(', ')})`

/** Of the price of a hold, in this order; NULL where there is no such price. */
const PRICE = ['upstream_model', ...PRICE_FIELDS.map((field) => prices[field].name)]
const price = (hold: string) =>
  `(SELECT json_array(${PRICE.map((name) => `p.${name}`).join(', ')}) FROM prices p WHERE p.id = ${hold}.price_id) AS price`

/**
 * A row comes back for a hold that was written; a call that arrives when its request has ended, since its reply had been lost or given up, writes
 * none, or the sweep would meet a usage row that is there. What else is known at that moment travels in the row, since RETURNING sees nothing else.
 */
export const ADMIT = `INSERT INTO holds (customer_id, id, key_id, price_id, model, dialect, upstream, hold_nano, input_bound, output_limit, runs, created_ms, expires_ms, standing)
${VERDICT}
SELECT customer_id, id, key_id, price_id, model, dialect, upstream, hold_nano, input_bound, output_limit, runs, now, now + lease_ms, ${standing}
FROM verdict v WHERE v.verdict = 'admitted' AND NOT EXISTS (SELECT 1 FROM usage u WHERE u.customer_id = v.customer_id AND u.id = v.id) ON CONFLICT DO NOTHING
RETURNING id, price_id, upstream, model, hold_nano, output_limit, created_ms, standing, ${price('holds')}`

/** One row, always: the reason of a refusal, or the hold that stands, so that an admission whose reply was lost can be asked again. */
export const EXPLAIN = `${VERDICT}
SELECT v.verdict, v.key_id AS known, v.expires_ms, v.least_nano, ${standing} AS standing, v.upstream, h.id, h.price_id, h.model, h.hold_nano, h.output_limit, h.created_ms, ${price('h')}
FROM verdict v LEFT JOIN holds h ON h.customer_id = v.customer_id AND h.id = v.id`

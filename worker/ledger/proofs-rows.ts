// Proofs of single rows: each cost is what its price makes of its counts, each id stands once, and what refers to something refers to what is there.
import { MONEY_MAX_NANO } from '../money.ts'
import type { Proof } from './proofs.ts'

/** A column of the price, or what stands above its threshold where the input is more than that (`costOf` in worker/pricing.ts). */
const tiered = (column: string) => `iif(u.input_tokens > p.above_tokens, p.above_${column}, p.${column})`

/** Pico-dollars so far, in whole numbers; nano-dollars are rounded up once, at the end. */
const toNano = (pico: string) => `min(${MONEY_MAX_NANO}, (${pico} + 999) / 1000)`

/**
 * `known`: what is no question of the kind of input. Where an integer passes 63 bits, SQLite goes on in REAL: that is beyond MONEY_MAX_NANO, as
 * the cost was.
 */
const PRICED = `
WITH token AS (
  SELECT u.*, p.request_nano, p.model_nano, p.gpu_second_nano, coalesce(${tiered('input_pico')}, p.input_pico) AS input_pico,
    coalesce(${tiered('cached_input_pico')}, p.cached_input_pico) AS cached_pico, ${tiered('cache_write_pico')} AS write_asked,
    ${tiered('cache_write_long_pico')} AS long_asked, coalesce(${tiered('output_pico')}, p.output_pico) AS output_pico
  FROM usage u JOIN prices p ON p.id = u.price_id
), written AS (SELECT *, coalesce(write_asked, input_pico) AS write_pico, coalesce(long_asked, write_asked, input_pico) AS long_pico FROM token
), known AS (SELECT *, (request_nano + model_nano) * 1000 + output_tokens * output_pico + gpu_ms * gpu_second_nano AS known_pico FROM written)`

const FREE = `cost_nano = 0 AND over_nano = 0 AND outcome <> 'completed' AND input_tokens = 0 AND output_tokens = 0 AND gpu_ms = 0`

export const ROW_PROOFS: readonly Proof[] = [
  {
    name: 'each cost is what its price makes of its counts',
    of: "SELECT count(*) AS n FROM usage WHERE outcome <> 'expired'",
    sql: `${PRICED}, due AS (
        SELECT *, ${toNano(`known_pico + (input_tokens - cached_tokens - cache_write_tokens - cache_write_long_tokens) * input_pico + cached_tokens * cached_pico
          + cache_write_tokens * write_pico + cache_write_long_tokens * long_pico`)} AS due_nano FROM known WHERE outcome <> 'expired'
      ) SELECT customer_id, id, price_id, cost_nano, over_nano, due_nano FROM due WHERE cost_nano + over_nano <> due_nano AND NOT (${FREE})`,
  },
  {
    // A checkpoint does not say which of its input was cached or written.
    name: 'each cost of an expired request is one that its price can make of its counts',
    of: "SELECT count(*) AS n FROM usage WHERE outcome = 'expired'",
    sql: `${PRICED}, due AS (
        SELECT *, ${toNano('known_pico + input_tokens * min(input_pico, cached_pico, write_pico, long_pico)')} AS least_nano,
          ${toNano('known_pico + input_tokens * max(input_pico, cached_pico, write_pico, long_pico)')} AS most_nano FROM known WHERE outcome = 'expired'
      ) SELECT customer_id, id, price_id, cost_nano, over_nano, least_nano, most_nano FROM due
      WHERE cost_nano + over_nano NOT BETWEEN least_nano AND most_nano AND NOT (${FREE})`,
  },
  {
    name: 'nothing is left uncharged within its hold',
    of: 'SELECT count(*) AS n FROM usage WHERE over_nano > 0',
    sql: 'SELECT customer_id, id, hold_nano, cost_nano, over_nano FROM usage WHERE over_nano > 0 AND cost_nano <> hold_nano',
  },
  {
    name: 'no request stands twice, with one customer or with two',
    of: 'SELECT count(*) AS n FROM usage',
    sql: `SELECT id, count(*) AS times, min(customer_id) AS customer_id, max(customer_id) AS other_customer_id FROM usage GROUP BY id HAVING count(*) > 1
      UNION ALL SELECT h.id, 2, u.customer_id, h.customer_id FROM holds h JOIN usage u ON u.id = h.id AND u.customer_id <> h.customer_id`,
  },
  {
    // Rows of an archived month are in its file.
    name: 'what was posted late is the rest of a request that had expired',
    of: "SELECT count(*) AS n FROM adjustments WHERE id LIKE 'late:%'",
    sql: `SELECT a.customer_id, a.id, a.amount_nano, u.outcome FROM adjustments a LEFT JOIN usage u ON u.customer_id = a.customer_id AND u.id = a.usage_id
      WHERE a.id LIKE 'late:%' AND (u.outcome IS NOT 'expired' OR a.id <> 'late:' || u.id OR a.key_id <> u.key_id OR a.amount_nano <= 0)
        AND NOT (u.id IS NULL AND EXISTS (SELECT 1 FROM archives WHERE a.created_ms >= month * 86400000))`,
  },
]

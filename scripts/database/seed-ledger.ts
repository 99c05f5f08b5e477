// Test support: a ledger that agrees, in the columns that every version of the tables has had.
import { periodOfDaySql } from '../../worker/ledger/periods.ts'
import { plain } from '../backup/tables.ts'
import type { Database } from './database.ts'

const MANY = 60
/** Requests of two customers on many days, by three keys, of which the second is the second customer's. */
const REQUEST = `WITH RECURSIVE n (i) AS (VALUES (1) UNION ALL SELECT i + 1 FROM n WHERE i < ${MANY})
SELECT i, i % 2 + 1 AS customer, iif(i % 2 = 1, 2, 1 + i % 3 / 2 * 2) AS key, 20600 + i * 3 AS day, i * 1000003 AS cost,
  CASE i % 4 WHEN 0 THEN 'failed' WHEN 1 THEN 'abandoned' WHEN 2 THEN 'expired' ELSE 'completed' END AS outcome FROM n`

export async function seedLedger(db: Database): Promise<void> {
  const hash = (id: number) => `'${String(id).repeat(64)}'`
  await db.batch(
    [
      `INSERT INTO customers (id, name, email, budget_nano, budget_period, created_ms) VALUES
        (1, 'Ada', 'ada@example.com', 9000000000000000, 'week', 1), (2, 'Ömer', 'omer@example.com', NULL, 'month', 2)`,
      `INSERT INTO api_keys (id, hash, customer_id, prefix, models, budget_nano, budget_period, revoked_ms, created_ms) VALUES
        (1, ${hash(1)}, 1, 'sk_1', NULL, NULL, 'month', NULL, 1), (2, ${hash(2)}, 2, 'sk_2', '["m:latest"]', 5000000000, 'day', NULL, 1),
        (3, ${hash(3)}, 1, 'sk_3', NULL, NULL, 'total', 5, 1)`,
      // A millisecond of GPU is a nano-dollar, so that any cost has counts that it is made of.
      `INSERT INTO prices (id, model, request_nano, input_pico, gpu_second_nano, valid_from_ms, created_ms) VALUES
        (1, '*', 0, 0, 1000, 0, 0), (2, 'm:latest', 6, 8, 9, 1, 1)`,
      `INSERT INTO usage (customer_id, id, key_id, price_id, model, dialect, upstream, outcome, estimated, hold_nano, cost_nano, over_nano, input_tokens, cached_tokens,
        output_tokens, gpu_ms, input_bound, output_limit, first_ms, created_ms, settled_ms)
       SELECT customer, printf('%08d', i), key, 1, 'm:latest', 'openai-chat', 'ollama', outcome, i % 2, cost, cost, i, i * 10, i, i * 5, cost + i, 900, 90, iif(i % 5 = 0, NULL, i), day * 86400000, day * 86400000 + 5
       FROM (${REQUEST})`,
      `INSERT INTO adjustments (customer_id, id, key_id, usage_id, amount_nano, reason, day, created_ms)
       SELECT customer_id, 'late:' || id, key_id, id, 7, 'ended after its lease', created_ms / 86400000, 9 FROM usage WHERE outcome = 'expired'`,
      `INSERT INTO usage_daily (customer_id, day, model, key_id, outcome, requests, input_tokens, cached_tokens, output_tokens, gpu_ms, cost_nano)
       SELECT customer_id, created_ms / 86400000, model, key_id, outcome, count(*), sum(input_tokens), sum(cached_tokens), sum(output_tokens), sum(gpu_ms), sum(cost_nano)
       FROM usage GROUP BY 1, 2, 3, 4, 5`,
      `INSERT INTO spend (owner, period, spent_nano)
       SELECT owner, ${periodOfDaySql('kind', 'day')}, sum(nano) FROM (
         SELECT 'c' || c.id AS owner, c.budget_period AS kind, m.day, m.nano FROM customers c JOIN moved m ON m.customer_id = c.id
         UNION ALL SELECT 'k' || k.id, k.budget_period, m.day, m.nano FROM api_keys k JOIN moved m ON m.key_id = k.id WHERE k.budget_nano IS NOT NULL
       ) GROUP BY 1, 2`.replaceAll(
        'moved m',
        '(SELECT customer_id, key_id, day, cost_nano AS nano FROM usage_daily UNION ALL SELECT customer_id, key_id, day, amount_nano FROM adjustments) m',
      ),
      `INSERT INTO holds (customer_id, id, key_id, price_id, model, dialect, upstream, hold_nano, input_bound, output_limit, created_ms, expires_ms)
       VALUES (1, 'running', 1, 1, 'm:latest', 'ollama-chat', 'ollama', 5, 6, 7, 8, 9000000000000)`,
    ].map(plain),
  )
}

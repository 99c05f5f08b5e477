// A past for the bench's customer: usage rows spread evenly over the last 30 days, oldest first.
import { FIRST_COLUMNS, firstSqls } from '../../worker/ledger/first-token.ts'

const DAYS_MS = 30 * 86_400_000
const CHUNK = 50_000

/**
 * `?1` is the number of the first row, `?2` of the one after the last, `?3` when the first was, `?4` the milliseconds between two, `?5` how many
 * models there are.
 */
const FILL = `
WITH RECURSIVE row (n) AS (SELECT CAST(?1 AS INTEGER) UNION ALL SELECT n + 1 FROM row WHERE n + 1 < ?2),
timed AS (SELECT n, CAST(?3 + n * ?4 AS INTEGER) AS ms FROM row)
INSERT INTO usage (customer_id, id, key_id, price_id, model, dialect, upstream, outcome, estimated, hold_nano, cost_nano, over_nano, input_tokens, cached_tokens,
  output_tokens, gpu_ms, input_bound, output_limit, first_ms, created_ms, settled_ms)
SELECT k.customer_id, substr(printf('%012x', ms), 1, 8) || '-' || substr(printf('%012x', ms), 9) || printf('-7000-8000-%012x', n),
  k.id, p.id, p.model || iif(n % CAST(?5 AS INTEGER) = 0, '', '-' || (n % CAST(?5 AS INTEGER))), 'openai-chat', 'ollama', 'completed', 0, 1000, 100, 0, 20, 0, 16, 0, 300, 2048, 10, ms, ms + 100
FROM timed, (SELECT max(id) AS id, max(customer_id) AS customer_id FROM api_keys) k, (SELECT max(id) AS id, model FROM prices) p`

export async function fillUsage(db: D1Database, rows: number, onProgress: (done: number) => void, models = 1): Promise<void> {
  const startMs = Date.now() - DAYS_MS
  for (let from = 0; from < rows; from += CHUNK) {
    onProgress(from)
    await db
      .prepare(FILL)
      .bind(from, Math.min(rows, from + CHUNK), startMs, DAYS_MS / rows, models)
      .run()
  }
}

/** The daily sums of those rows, as settlement would have written them. */
export async function sumUsage(db: D1Database): Promise<void> {
  await db
    .prepare(
      `INSERT INTO usage_daily (customer_id, day, model, key_id, outcome, requests, input_tokens, cached_tokens, output_tokens, gpu_ms, cost_nano, ${FIRST_COLUMNS.join(', ')})
       SELECT customer_id, created_ms / 86400000 AS day, model, key_id, outcome, count(*), sum(input_tokens), sum(cached_tokens), sum(output_tokens), sum(gpu_ms),
         sum(cost_nano), ${firstSqls.join(', ')} FROM usage GROUP BY customer_id, day, model, key_id, outcome`,
    )
    .run()
}

// The proof of the ledger: each question gives the rows that disagree, and a sound ledger gives none.
import { periodOfDaySql } from './periods.ts'

/** How long past its lease a hold may be before the sweep is not doing its work, milliseconds. */
const SWEEP_GRACE_MS = 300_000

/** What a migrated database has beside its tables; a rebuilt table loses them without a word. */
export const TRIGGERS = ['usage_frozen', 'usage_kept', 'adjustments_frozen', 'adjustments_kept', 'prices_frozen', 'prices_kept']

const TOKENS = ['input_tokens', 'cached_tokens', 'output_tokens', 'gpu_ms', 'cost_nano']
const sums = (prefix: string, fold: (column: string) => string) =>
  TOKENS.map((column) => `${fold(column)} AS ${prefix}${column}`).join(', ')

interface Proof {
  name: string
  /** What is counted where it holds. */
  of: string
  /** One row for each disagreement. */
  sql: string
}

export const PROOFS: readonly Proof[] = [
  {
    name: 'daily sums are the sums of usage',
    of: 'SELECT count(*) AS n FROM usage_daily',
    sql: `WITH parts AS (
        SELECT customer_id, created_ms / 86400000 AS day, model, key_id, outcome, 1 AS requests, ${TOKENS.join(', ')}, 0 AS d_requests, ${sums('d_', () => '0')} FROM usage
        UNION ALL
        SELECT customer_id, day, model, key_id, outcome, 0, ${TOKENS.map(() => '0').join(', ')}, requests, ${TOKENS.join(', ')} FROM usage_daily
      ), grouped AS (
        SELECT customer_id, day, model, key_id, outcome, sum(requests) AS requests, sum(d_requests) AS d_requests, ${sums('', (column) => `sum(${column})`)}, ${sums('d_', (column) => `sum(d_${column})`)}
        FROM parts GROUP BY customer_id, day, model, key_id, outcome
      ) SELECT customer_id, day, model, key_id, outcome, requests, d_requests AS requests_in_sum, cost_nano, d_cost_nano AS cost_nano_in_sum FROM grouped
      WHERE requests <> d_requests OR ${TOKENS.map((column) => `${column} <> d_${column}`).join(' OR ')}`,
  },
  {
    name: 'spend is usage and adjustments',
    of: 'SELECT count(*) AS n FROM spend',
    sql: `WITH owners AS (
        SELECT 'c' || id AS owner, id AS customer_id, NULL AS key_id, budget_period FROM customers
        UNION ALL SELECT 'k' || id, customer_id, id, budget_period FROM api_keys WHERE budget_nano IS NOT NULL
      ), parts AS (
        SELECT o.owner, ${periodOfDaySql('o.budget_period', 'd.day')} AS period, d.cost_nano AS due, 0 AS spent
          FROM owners o JOIN usage_daily d ON d.customer_id = o.customer_id AND (o.key_id IS NULL OR d.key_id = o.key_id)
        UNION ALL
        SELECT o.owner, ${periodOfDaySql('o.budget_period', 'a.day')}, a.amount_nano, 0
          FROM owners o JOIN adjustments a ON a.customer_id = o.customer_id AND (o.key_id IS NULL OR a.key_id = o.key_id)
        UNION ALL SELECT owner, period, 0, spent_nano FROM spend
      ) SELECT owner, period, sum(due) AS due_nano, sum(spent) AS spent_nano FROM parts GROUP BY owner, period HAVING sum(due) <> sum(spent)`,
  },
  {
    name: 'no request is both running and ended',
    of: 'SELECT count(*) AS n FROM holds',
    sql: 'SELECT h.customer_id, h.id FROM holds h JOIN usage u ON u.customer_id = h.customer_id AND u.id = h.id',
  },
  {
    name: 'no usage is without its price',
    of: 'SELECT count(*) AS n FROM usage',
    sql: 'SELECT u.customer_id, u.id, u.price_id FROM usage u LEFT JOIN prices p ON p.id = u.price_id WHERE p.id IS NULL',
  },
  {
    name: 'no hold is long past its lease',
    of: 'SELECT count(*) AS n FROM holds',
    sql: `SELECT customer_id, id, expires_ms FROM holds WHERE expires_ms < CAST(unixepoch('subsec') * 1000 AS INTEGER) - ${SWEEP_GRACE_MS}`,
  },
  {
    name: 'what is posted cannot be changed',
    of: "SELECT count(*) AS n FROM sqlite_master WHERE type = 'trigger'",
    sql: `SELECT value AS missing_trigger FROM json_each('${JSON.stringify(TRIGGERS)}') WHERE value NOT IN (SELECT name FROM sqlite_master WHERE type = 'trigger')`,
  },
]

/** The least of a database that a proof needs: D1's own, or one that is reached in another way. */
export interface ProvableDatabase {
  prepare(sql: string): { all<T>(): Promise<{ results: T[] }> }
}

export interface Disagreement {
  proof: string
  row: Record<string, unknown>
}

/** Every row that disagrees, by proof; none of a sound ledger. */
export async function disagreements(db: ProvableDatabase): Promise<Disagreement[]> {
  const found: Disagreement[] = []
  for (const { name, sql } of PROOFS) {
    const { results } = await db.prepare(sql).all<Record<string, unknown>>()
    for (const row of results) found.push({ proof: name, row })
  }
  return found
}

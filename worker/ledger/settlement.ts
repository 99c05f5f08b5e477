// Settlement: a hold becomes a usage row exactly once, whoever comes first; what comes later is posted as an adjustment, once.
import type { NanoUsd } from '../money.ts'
import type { Used } from '../pricing.ts'
import type { Outcome } from '../schema.ts'
import { FIRST_COLUMNS, firstSqls } from './first-token.ts'
import { openDaySql, periodOfDaySql, rebuildSpendSql } from './periods.ts'
import { retryTransient } from './retry.ts'

/** How a request ended. `costNano` is the full price of what was used; the ledger charges no more than the hold where there is a budget, or a balance. */
export interface Ending {
  customerId: number
  keyId: number
  id: string
  outcome: Exclude<Outcome, 'expired'>
  estimated: boolean
  costNano: NanoUsd
  used: Used
  /** From admission to the first delivered token; null: none was delivered. */
  firstMs: number | null
}

/** How long a settle waits before each try, in seconds: within the 30 that waitUntil gives after a caller has gone. */
const SETTLE_WAITS_SECONDS = [0, 1, 3, 8, 17]

/** What only a vendor tells: columns, and where an ending has them. A checkpoint has none. */
const VENDOR_USED = [
  ['cache_write_tokens', 'cacheWrite'],
  ['cache_write_long_tokens', 'cacheWriteLong'],
  ['reasoning_tokens', 'reasoning'],
] as const satisfies readonly (readonly [string, keyof Used])[]
const vendorColumns = VENDOR_USED.map(([column]) => column)

/**
 * The endings (`?1`, JSON) whose hold still stands. `?2` is the moment a lease has to be past for 'expired' to hold:
 * one value for the whole batch, so that all its statements see the same rows, even if a lease is renewed beside them.
 * An expired one is worth its checkpoint.
 */
const ENDED = `
WITH ended AS (
  SELECT h.*, e.value ->> 'outcome' AS outcome, c.budget_period, k.budget_period AS k_budget_period, k.budget_nano AS k_budget_nano, h.created_ms / 86400000 AS day,
    c.prepaid, c.prepaid OR c.budget_nano IS NOT NULL OR k.budget_nano IS NOT NULL AS limited,
    iif(e.value ->> 'outcome' = 'expired', h.checkpoint_nano, e.value ->> 'costNano') AS full_nano,
    iif(e.value ->> 'outcome' = 'expired', h.checkpoint_nano > 0, e.value ->> 'estimated') AS estimated,
    iif(e.value ->> 'outcome' = 'expired', h.checkpoint_input, e.value ->> '$.used.input') AS input_tokens,
    iif(e.value ->> 'outcome' = 'expired', 0, e.value ->> '$.used.cached') AS cached_tokens,
    iif(e.value ->> 'outcome' = 'expired', h.checkpoint_output, e.value ->> '$.used.output') AS output_tokens,
    ${VENDOR_USED.map(([column, field]) => `iif(e.value ->> 'outcome' = 'expired', 0, e.value ->> '$.used.${field}') AS ${column}`).join(', ')},
    iif(e.value ->> 'outcome' = 'expired', h.checkpoint_gpu_ms, e.value ->> '$.used.gpuMs') AS gpu_ms,
    iif(e.value ->> 'outcome' = 'expired', h.checkpoint_first_ms, e.value ->> 'firstMs') AS first_ms
  FROM json_each(?1) e JOIN holds h ON h.customer_id = e.value ->> 'customerId' AND h.id = e.value ->> 'id'
    JOIN customers c ON c.id = h.customer_id JOIN api_keys k ON k.id = h.key_id
  WHERE e.value ->> 'outcome' <> 'expired' OR h.expires_ms <= CAST(?2 AS INTEGER)
), charged AS (SELECT *, iif(limited, min(full_nano, hold_nano), full_nano) AS cost_nano FROM ended)`

const SETTLE = [
  `INSERT INTO usage (customer_id, id, key_id, price_id, model, dialect, upstream, outcome, estimated, hold_nano, cost_nano, over_nano, input_tokens, cached_tokens,
    output_tokens, gpu_ms, input_bound, output_limit, first_ms, created_ms, settled_ms, ${vendorColumns.join(', ')})
   ${ENDED} SELECT customer_id, id, key_id, price_id, model, dialect, upstream, outcome, estimated, hold_nano, cost_nano, full_nano - cost_nano, input_tokens, cached_tokens,
    output_tokens, gpu_ms, input_bound, output_limit, first_ms, created_ms, CAST(unixepoch('subsec') * 1000 AS INTEGER), ${vendorColumns.join(', ')} FROM charged
   RETURNING id`,
  `INSERT INTO spend (owner, period, spent_nano)
   ${ENDED} SELECT owner || iif(owner = 'k', key_id, customer_id) AS whose,
     CASE owner WHEN 'c' THEN ${periodOfDaySql('budget_period', 'day')} WHEN 'k' THEN ${periodOfDaySql('k_budget_period', 'day')} ELSE 0 END AS period, sum(cost_nano)
   FROM charged CROSS JOIN (SELECT 'c' AS owner UNION ALL SELECT 'k' UNION ALL SELECT 'p') WHERE CASE owner WHEN 'c' THEN true WHEN 'k' THEN k_budget_nano IS NOT NULL ELSE prepaid END
   GROUP BY whose, period
   ON CONFLICT DO UPDATE SET spent_nano = spent_nano + excluded.spent_nano`,
  `INSERT INTO usage_daily (customer_id, day, model, key_id, outcome, requests, input_tokens, cached_tokens, output_tokens, gpu_ms, cost_nano, ${vendorColumns.join(', ')}, ${FIRST_COLUMNS.join(', ')})
   ${ENDED} SELECT customer_id, day, model, key_id, outcome, count(*), sum(input_tokens), sum(cached_tokens), sum(output_tokens), sum(gpu_ms), sum(cost_nano), ${vendorColumns.map((column) => `sum(${column})`).join(', ')}, ${firstSqls.join(', ')}
   FROM charged WHERE true GROUP BY customer_id, day, model, key_id, outcome
   ON CONFLICT DO UPDATE SET requests = requests + excluded.requests, input_tokens = input_tokens + excluded.input_tokens,
     cached_tokens = cached_tokens + excluded.cached_tokens, output_tokens = output_tokens + excluded.output_tokens,
     gpu_ms = gpu_ms + excluded.gpu_ms, cost_nano = cost_nano + excluded.cost_nano,
     ${[...vendorColumns, ...FIRST_COLUMNS].map((column) => `${column} = ${column} + excluded.${column}`).join(', ')}`,
  `${ENDED} DELETE FROM holds WHERE (customer_id, id) IN (SELECT customer_id, id FROM ended)`,
]

/** What a request that had expired is worth beyond its checkpoint, as far as budgets and balance have room on the day it counts for. `?1` is one ending, JSON. */
const LATE = `
WITH late AS (
  SELECT u.*, ${openDaySql('u.customer_id', 'u.created_ms / 86400000')} AS day, c.prepaid, c.budget_nano, c.budget_period, k.budget_nano AS k_budget_nano, k.budget_period AS k_budget_period,
    iif(c.budget_nano IS NULL AND k.budget_nano IS NULL AND NOT c.prepaid, ?1 ->> 'costNano', min(?1 ->> 'costNano', u.hold_nano)) - u.cost_nano AS rest
  FROM usage u JOIN customers c ON c.id = u.customer_id JOIN api_keys k ON k.id = u.key_id
  WHERE u.customer_id = ?1 ->> 'customerId' AND u.id = ?1 ->> 'id' AND u.outcome = 'expired'
    AND NOT EXISTS (SELECT 1 FROM adjustments a WHERE a.customer_id = u.customer_id AND a.id = 'late:' || u.id)
), placed AS (
  SELECT *, ${periodOfDaySql('budget_period', 'day')} AS period, ${periodOfDaySql('k_budget_period', 'day')} AS k_period FROM late
), posted AS (
  SELECT *, min(rest,
    coalesce(budget_nano - coalesce((SELECT spent_nano FROM spend WHERE owner = 'c' || p.customer_id AND period = p.period), 0)
      - (SELECT coalesce(sum(hold_nano), 0) FROM holds h WHERE h.customer_id = p.customer_id AND h.created_ms >= p.period * 86400000), rest),
    coalesce(k_budget_nano - coalesce((SELECT spent_nano FROM spend WHERE owner = 'k' || p.key_id AND period = p.k_period), 0)
      - (SELECT coalesce(sum(hold_nano), 0) FROM holds h WHERE h.customer_id = p.customer_id AND h.key_id = p.key_id AND h.created_ms >= p.k_period * 86400000), rest),
    iif(prepaid, -coalesce((SELECT spent_nano FROM spend WHERE owner = 'p' || p.customer_id AND period = 0), 0)
      - (SELECT coalesce(sum(hold_nano), 0) FROM holds h WHERE h.customer_id = p.customer_id), rest)) AS amount
  FROM placed p
)`

const POST_LATE = `INSERT INTO adjustments (customer_id, id, key_id, usage_id, amount_nano, reason, day, created_ms)
${LATE} SELECT customer_id, 'late:' || id, key_id, id, amount, 'ended after its lease', day, CAST(unixepoch('subsec') * 1000 AS INTEGER)
FROM posted WHERE amount > 0 ON CONFLICT DO NOTHING`

/** The statements that post endings: usage, spend, daily sums, and the hold is gone. Idempotent: the hold is the token, so a second time posts nothing. */
export function settlementStatements(db: D1Database, endings: readonly Ending[]): D1PreparedStatement[] {
  return statements(db, JSON.stringify(endings), 0)
}

/** The same for holds whose lease was over at `nowMs`, each at its checkpoint; for who reaches the database by another way than D1's binding. */
export function expiredStatements(lost: readonly Pick<Ending, 'customerId' | 'id'>[], nowMs: number): { sql: string; params: unknown[] }[] {
  const endings = JSON.stringify(lost.map((each) => ({ ...each, outcome: 'expired' })))
  return SETTLE.map((sql) => ({ sql, params: [endings, nowMs] }))
}

/** The ids that those statements posted, from the results of a batch that began with them. */
export function postedOf(results: readonly D1Result<unknown>[]): Set<string> {
  return new Set(((results[0]?.results ?? []) as { id: string }[]).map(({ id }) => id))
}

/**
 * Posts an ending that found no hold: if that had expired, as adjustment `late:<id>`, once, as far as there is room; else nothing.
 * The adjustment, then the owners' spend written anew from its parts: so a retry after a lost reply changes nothing.
 */
export async function postLate(db: D1Database, ending: Ending): Promise<void> {
  const rebuild = (owner: 'customer' | 'key', id: number) => rebuildSpendSql(owner).map((sql) => db.prepare(sql).bind(id))
  await retryTransient(() =>
    db.batch([
      db.prepare(POST_LATE).bind(JSON.stringify(ending)),
      ...rebuild('customer', ending.customerId),
      ...rebuild('key', ending.keyId),
    ]),
  )
}

/** Settles up to 100 requests whose lease is past, each at its checkpoint. Returns how many there were to settle. */
export async function sweep(db: D1Database): Promise<number> {
  const { results } = await db
    .prepare(
      `SELECT customer_id AS customerId, id, 'expired' AS outcome, n.now FROM holds, (SELECT CAST(unixepoch('subsec') * 1000 AS INTEGER) AS now) n
       WHERE expires_ms <= n.now LIMIT 100`,
    )
    .all<{ customerId: number; id: string; outcome: 'expired'; now: number }>()
  const now = results[0]?.now
  if (now === undefined) return 0
  await retryTransient(() => db.batch(statements(db, JSON.stringify(results), now)))
  return results.length
}

/** Calls `settle` as often as SETTLE_WAITS_SECONDS says. Throws the last error if no try came through: the sweep is then left with it. */
export async function settleSurely(settle: () => Promise<void>, sleep: (ms: number) => Promise<void>): Promise<void> {
  for (const [attempt, seconds] of SETTLE_WAITS_SECONDS.entries()) {
    if (seconds > 0) await sleep(seconds * 1000)
    try {
      return await settle()
    } catch (error) {
      if (attempt === SETTLE_WAITS_SECONDS.length - 1) throw error
    }
  }
}

function statements(db: D1Database, endings: string, expiredBeforeMs: number): D1PreparedStatement[] {
  return SETTLE.map((sql) => db.prepare(sql).bind(endings, expiredBeforeMs))
}

// The ledger's side of a reconciliation: what was used of a vendor's models, and at what prices they were sold.
import { DAY_MS } from '../../worker/ledger/periods.ts'
import type { Vendor } from '../catalogue/format.ts'
import type { Database, Row } from '../database/database.ts'
import { ID_MARGIN_MS, idAt } from './export-usage.ts'
import type { Month } from './month.ts'
import { allPrices, type PriceRow } from './prices.ts'
import type { Tokens } from './vendor-export.ts'

export interface LedgerUsage {
  /** Of its admission, whole days since 1970, UTC. */
  day: number
  /** The vendor's name for it. */
  model: string
  requests: number
  /** Of them, those with a count that was estimated. */
  estimated: number
  tokens: Tokens
  /** What customers were billed, with what was posted after a request's lease. */
  billedNano: bigint
}

/** ?1 the vendor, ?2 and ?3 milliseconds, ?4 and ?5 ids: rows lie by customer and id, which begins with the time, so each customer is a seek. */
const USAGE = `
SELECT u.created_ms / ${DAY_MS} AS day, coalesce(p.upstream_model, u.model) AS model, count(*) AS requests, sum(u.estimated) AS estimated,
  sum(u.input_tokens - u.cached_tokens - u.cache_write_tokens - u.cache_write_long_tokens) AS input, sum(u.cached_tokens) AS cached,
  sum(u.cache_write_tokens) AS write, sum(u.cache_write_long_tokens) AS write_long, sum(u.output_tokens) AS output,
  CAST(sum(u.cost_nano + coalesce(a.amount_nano, 0)) AS TEXT) AS billed
FROM customers c CROSS JOIN usage u ON u.customer_id = c.id AND u.id > ?4 AND u.id < ?5 JOIN prices p ON p.id = u.price_id
LEFT JOIN adjustments a ON a.customer_id = u.customer_id AND a.id = 'late:' || u.id
WHERE u.upstream = ?1 AND u.created_ms >= CAST(?2 AS INTEGER) AND u.created_ms < CAST(?3 AS INTEGER)
GROUP BY 1, 2`

export async function ledgerUsage(db: Database, vendor: Vendor, { first, last }: Month): Promise<LedgerUsage[]> {
  const [from, to] = [first * DAY_MS, (last + 1) * DAY_MS]
  const rows = await db.all(USAGE, [vendor, from, to, idAt(from - ID_MARGIN_MS), idAt(to + ID_MARGIN_MS)])
  return rows.map((row) => ({
    day: Number(row.day),
    model: String(row.model),
    requests: Number(row.requests),
    estimated: Number(row.estimated),
    tokens: tokensOf(row),
    billedNano: BigInt(row.billed ?? 0),
  }))
}

function tokensOf(row: Row): Tokens {
  const { input, cached, write, write_long: writeLong, output } = row
  return { input: Number(input), cached: Number(cached), write: Number(write), writeLong: Number(writeLong), output: Number(output) }
}

/** Plain prices of a vendor's models, newest first. */
export async function vendorPrices(db: Database, vendor: Vendor): Promise<PriceRow[]> {
  const rows = (await allPrices(db)).map(({ price }) => price).filter(({ upstream, variant }) => upstream === vendor && variant === '')
  return rows.sort((a, b) => b.validFromMs - a.validFromMs || b.id - a.id)
}

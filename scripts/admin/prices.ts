// Prices, as several commands look them up and show them.
import { and, desc, eq, getTableColumns, lte } from 'drizzle-orm'
import { prices } from '../../worker/schema.ts'
import { type Prices, VENDORS, type Vendor } from '../catalogue/format.ts'
import type { Database, Statement } from '../database/database.ts'
import { rowJson } from './audit.ts'
import { NOW_MS, nowMs } from './clock.ts'
import { iso, perMillion, thousands, usd } from './table.ts'

export type PriceRow = typeof prices.$inferSelect

/** A row's state: of those of a model (and variant) that have begun, only the newest is in force. */
export type PriceState = 'in force' | 'withdrawn' | 'past' | 'future'

/** Every price row, newest first, with its state. */
export async function allPrices(db: Database): Promise<{ price: PriceRow; state: PriceState }[]> {
  const rows = await db.orm
    .select({ price: prices, begun: lte(prices.validFromMs, nowMs) })
    .from(prices)
    .orderBy(prices.model, desc(prices.validFromMs), desc(prices.id))
  const newest = new Set<string>()
  return rows.map(({ price, begun }) => {
    if (!begun) return { price, state: 'future' }
    const key = `${price.model} ${price.variant}`
    if (newest.has(key)) return { price, state: 'past' }
    newest.add(key)
    return { price, state: price.withdrawn === 1 ? 'withdrawn' : 'in force' }
  })
}

/** Of each model the plain price that is in force, or was until it was withdrawn. */
export async function standingPrices(db: Database): Promise<Map<string, PriceRow>> {
  const standing = (await allPrices(db)).filter(
    ({ price, state }) => price.variant === '' && (state === 'in force' || state === 'withdrawn'),
  )
  return new Map(standing.map(({ price }) => [price.model, price]))
}

export function isVendor(upstream: string): upstream is Vendor {
  return (VENDORS as readonly string[]).includes(upstream)
}

/** The vendor's name of what a price is for. */
export function soldAs({ upstreamModel, model }: PriceRow): string {
  return upstreamModel ?? model
}

/** ollama, openai (priority), anthropic as claude-haiku-5-5. */
export function placeText(price: PriceRow): string {
  const name = soldAs(price) === price.model ? '' : ` as ${price.upstreamModel}`
  return `${price.upstream}${name}${price.variant === '' ? '' : ` (${price.variant})`}`
}

/**
 * The price in force of the host's model that a name without a tag means, since it was priced after the vendor's of that name; null: it does not.
 * @param name a vendor's, without a tag
 */
export function hostsPriceOf(name: string, standing: ReadonlyMap<string, PriceRow>): PriceRow | null {
  const [vendors, hosts] = [standing.get(name), standing.get(`${name}:latest`)]
  if (hosts === undefined || hosts.withdrawn === 1 || hosts.upstream !== 'ollama') return null
  const later =
    vendors === undefined || hosts.validFromMs > vendors.validFromMs || (hosts.validFromMs === vendors.validFromMs && hosts.id > vendors.id)
  return later ? hosts : null
}

/** The newest row of a model's plain price that has begun, withdrawn or not. */
export function newestPrice(db: Database, model: string): Promise<PriceRow | undefined> {
  return db.orm
    .select()
    .from(prices)
    .where(and(eq(prices.model, model), eq(prices.variant, ''), lte(prices.validFromMs, nowMs)))
    .orderBy(desc(prices.validFromMs), desc(prices.id))
    .limit(1)
    .get()
}

/** What the audit log tells of a price. */
export const PRICE_COLUMNS = Object.values(getTableColumns(prices)).map(({ name }) => name)

/** The same row as JSON, for the audit log. */
export function priceState(model: string): Statement {
  return {
    sql: `SELECT ${rowJson(PRICE_COLUMNS)} FROM prices WHERE model = ? AND variant = '' AND valid_from_ms <= ${NOW_MS} ORDER BY valid_from_ms DESC, id DESC LIMIT 1`,
    params: [model],
  }
}

export function priceJson(price: PriceRow) {
  return {
    id: price.id,
    model: price.model,
    upstream: price.upstream,
    ...(price.upstreamModel === null ? {} : { upstream_model: price.upstreamModel }),
    ...(price.variant === '' ? {} : { variant: price.variant }),
    request_usd: usd(price.requestNano),
    model_usd: usd(price.modelNano),
    ...tokenPricesJson(price),
    gpu_second_usd: usd(price.gpuSecondNano),
    output_default: price.outputDefault,
    output_max: price.outputMax,
    withdrawn: price.withdrawn === 1,
    valid_from: iso(price.validFromMs),
  }
}

/** Prices of tokens; a price that there is not is a field that is not there. */
export function tokenPricesJson(prices: Prices) {
  const { cacheWritePico, cacheWriteLongPico, aboveCacheWritePico, aboveCacheWriteLongPico } = prices
  return {
    input_usd_per_mtok: perMillion(prices.inputPico),
    cached_input_usd_per_mtok: perMillion(prices.cachedInputPico),
    ...(cacheWritePico === null ? {} : { cache_write_usd_per_mtok: perMillion(cacheWritePico) }),
    ...(cacheWriteLongPico === null ? {} : { cache_write_long_usd_per_mtok: perMillion(cacheWriteLongPico) }),
    output_usd_per_mtok: perMillion(prices.outputPico),
    ...(prices.aboveTokens === null
      ? {}
      : {
          above_tokens: prices.aboveTokens,
          above_input_usd_per_mtok: perMillion(prices.aboveInputPico ?? 0),
          above_cached_input_usd_per_mtok: perMillion(prices.aboveCachedInputPico ?? 0),
          ...(aboveCacheWritePico === null ? {} : { above_cache_write_usd_per_mtok: perMillion(aboveCacheWritePico) }),
          ...(aboveCacheWriteLongPico === null ? {} : { above_cache_write_long_usd_per_mtok: perMillion(aboveCacheWriteLongPico) }),
          above_output_usd_per_mtok: perMillion(prices.aboveOutputPico ?? 0),
        }),
  }
}

/** $5, or - for a price that there is not. */
export function tokenPrice(pico: number | null): string {
  return pico === null ? '-' : `$${perMillion(pico)}`
}

/** Longer input: above 272,000: $4 / $0.4 / $5 / $10 / $15, in the order of the columns input, cached, write, long write, output. */
export function tierText(prices: Prices): string {
  if (prices.aboveTokens === null) return '-'
  const { aboveInputPico, aboveCachedInputPico, aboveCacheWritePico, aboveCacheWriteLongPico, aboveOutputPico } = prices
  const five = [aboveInputPico, aboveCachedInputPico, aboveCacheWritePico, aboveCacheWriteLongPico, aboveOutputPico]
  return `above ${thousands(prices.aboveTokens)}: ${five.map(tokenPrice).join(' / ')}`
}

/** $0.0001 a request, $0.15 in and $0.6 out per Mtok: what is not free, in a few words. */
export function priceText(price: PriceRow): string {
  const fixed = price.requestNano + price.modelNano
  const { inputPico, cachedInputPico, outputPico } = price
  const cached = cachedInputPico === inputPico ? '' : `, $${perMillion(cachedInputPico)} cached`
  const writes = [price.cacheWritePico, price.cacheWriteLongPico].filter((pico) => pico !== null).map(tokenPrice)
  const written = writes.length === 0 ? '' : `, ${writes.join(' or ')} written to the cache`
  const parts = [
    fixed === 0 ? null : `$${usd(fixed)} a request`,
    inputPico + cachedInputPico + outputPico === 0
      ? null
      : `$${perMillion(inputPico)} in${cached}${written} and $${perMillion(outputPico)} out per Mtok`,
    price.aboveTokens === null ? null : `other prices above ${thousands(price.aboveTokens)} tokens of input`,
    price.gpuSecondNano === 0 ? null : `$${usd(price.gpuSecondNano)} a GPU second`,
  ]
  return parts.filter((part) => part !== null).join(', ') || 'free'
}

// Prices, as several commands look them up and show them.
import { and, desc, eq, lte } from 'drizzle-orm'
import { prices } from '../../worker/schema.ts'
import type { Database } from '../database/database.ts'
import { nowMs } from './clock.ts'
import { iso, perMillion, usd } from './table.ts'

export type PriceRow = typeof prices.$inferSelect

/** A row's state: of those of a model that have begun, only the newest is in force. */
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
    if (newest.has(price.model)) return { price, state: 'past' }
    newest.add(price.model)
    return { price, state: price.withdrawn === 1 ? 'withdrawn' : 'in force' }
  })
}

/** The newest row of a model that has begun, withdrawn or not. */
export function newestPrice(db: Database, model: string): Promise<PriceRow | undefined> {
  return db.orm
    .select()
    .from(prices)
    .where(and(eq(prices.model, model), lte(prices.validFromMs, nowMs)))
    .orderBy(desc(prices.validFromMs), desc(prices.id))
    .limit(1)
    .get()
}

export function priceJson(price: PriceRow) {
  return {
    id: price.id,
    model: price.model,
    upstream: price.upstream,
    request_usd: usd(price.requestNano),
    model_usd: usd(price.modelNano),
    input_usd_per_mtok: perMillion(price.inputPico),
    cached_input_usd_per_mtok: perMillion(price.cachedInputPico),
    output_usd_per_mtok: perMillion(price.outputPico),
    gpu_second_usd: usd(price.gpuSecondNano),
    output_default: price.outputDefault,
    output_max: price.outputMax,
    withdrawn: price.withdrawn === 1,
    valid_from: iso(price.validFromMs),
  }
}

/** $0.0001 a request, $0.15 in and $0.6 out per Mtok: what is not free, in a few words. */
export function priceText(price: PriceRow): string {
  const fixed = price.requestNano + price.modelNano
  const { inputPico, cachedInputPico, outputPico } = price
  const cached = cachedInputPico === inputPico ? '' : `, $${perMillion(cachedInputPico)} cached`
  const parts = [
    fixed === 0 ? null : `$${usd(fixed)} a request`,
    inputPico + cachedInputPico + outputPico === 0
      ? null
      : `$${perMillion(inputPico)} in${cached} and $${perMillion(outputPico)} out per Mtok`,
    price.gpuSecondNano === 0 ? null : `$${usd(price.gpuSecondNano)} a GPU second`,
  ]
  return parts.filter((part) => part !== null).join(', ') || 'free'
}

// What is for sale: the models that have a price in force, and that a key may use.
import type { Caller } from './auth.ts'
import type { Exchange } from './exchange.ts'
import type { Upstream } from './schema.ts'
import type { Vendor } from './vendors/vendor-request.ts'

/** A vendor's model, under the name that it is sold by. */
export interface VendorModel {
  name: string
  vendor: Vendor
  /** Its name at the vendor. */
  upstreamModel: string
  outputMax: number
  /** Since when it has this price, milliseconds since 1970. */
  sinceMs: number
}

export interface Offers {
  /** Whether a model of the host, by its canonical name, is one of them. */
  hasHostModel(name: string): boolean
  vendorModels: VendorModel[]
}

interface PriceRow {
  id: number
  model: string
  withdrawn: number
  upstream: Upstream
  upstreamModel: string | null
  outputMax: number
  sinceMs: number
}

/** One D1 read. Of vendors those that there is a key for. */
export async function offersOf({ db, config }: Pick<Exchange, 'db' | 'config'>, caller: Pick<Caller, 'models'>): Promise<Offers> {
  const { results } = await db
    .prepare(
      `SELECT p.id, p.model, p.withdrawn, p.upstream, p.upstream_model AS upstreamModel, p.output_max AS outputMax, p.valid_from_ms AS sinceMs
       FROM prices p WHERE p.id = (SELECT q.id FROM prices q WHERE q.model = p.model AND q.variant = ''
        AND q.valid_from_ms <= CAST(unixepoch('subsec') * 1000 AS INTEGER) ORDER BY q.valid_from_ms DESC, q.id DESC LIMIT 1)
       ORDER BY p.model`,
    )
    .all<PriceRow>()
  const rows = new Map(results.map((row) => [row.model, row]))
  const allowed = caller.models === null ? null : new Set(caller.models)
  // Lists of keys hold canonical names, which have a tag: a vendor's model counts as its name with the usual one.
  const canonical = (name: string) => (name.includes(':') ? name : `${name}:latest`)
  const mayUse = (name: string) => allowed === null || allowed.has(canonical(name))
  return {
    hasHostModel(name) {
      const row = rows.get(name) ?? rows.get('*')
      return row !== undefined && row.withdrawn === 0 && row.upstream === 'ollama' && mayUse(name)
    },
    vendorModels: results.flatMap(({ id, model, upstream, upstreamModel, outputMax, sinceMs, withdrawn }) => {
      if (upstream === 'ollama' || withdrawn === 1 || config.vendors[upstream] === undefined || !mayUse(model)) return []
      // A model of the host that was given the name later has it now.
      const local = rows.get(canonical(model))
      if (local !== undefined && local.model !== model && isNewer(local, { sinceMs, id })) return []
      return [{ name: model, vendor: upstream, upstreamModel: upstreamModel ?? model, outputMax, sinceMs }]
    }),
  }
}

function isNewer(row: Pick<PriceRow, 'sinceMs' | 'id'>, than: Pick<PriceRow, 'sinceMs' | 'id'>): boolean {
  return row.sinceMs > than.sinceMs || (row.sinceMs === than.sinceMs && row.id > than.id)
}

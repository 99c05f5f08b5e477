// Ledger and vendor side by side, by day and model. No database, no clock.
import type { Markup } from './markup.ts'
import type { PriceRow } from './prices.ts'
import { soldAs } from './prices.ts'
import { type Charged, chargesOf } from './reconcile-charges.ts'
import type { LedgerUsage } from './reconcile-ledger.ts'
import { joinNames, type Names, undated } from './reconcile-names.ts'
import { nearestNano, picoOf, priceOn } from './reconcile-price.ts'
import { KINDS, type Tokens, type VendorExport } from './vendor-export.ts'

interface Side {
  /** Null: the vendor does not count them. */
  requests: number | null
  tokens: Tokens
}

export interface Compared {
  day: number
  model: string
  ledger: Side | null
  vendor: Side | null
  /** The vendor's tokens beyond the ledger's at their price, in pico-dollars; null where there is no price. */
  driftPico: bigint | null
}

export interface Comparison {
  rows: Compared[]
  total: { ledger: Side; vendor: Side; driftNano: bigint }
  /** Σ over models and kinds of token of the difference over the month, however signed: what one day lacks and the next has too much is none. */
  driftTokens: number
  vendorTokens: number
  agrees: boolean
  /** Models with a drift whose price depends on the length of a request; and without a price. */
  tiered: string[]
  unpriced: string[]
  estimated: number
  /** Null: no cost export was given. */
  charges: Charged[] | null
}

const none = (): Tokens => ({ input: 0, cached: 0, write: 0, writeLong: 0, output: 0 })
export const sumOf = (tokens: Tokens): number => KINDS.reduce((sum, kind) => sum + tokens[kind], 0)

/** @param days those to compare: the rest of the month is not in the export yet */
export function compare(
  ledger: LedgerUsage[],
  exported: VendorExport,
  prices: PriceRow[],
  isCompared: (day: number) => boolean,
  tolerance: Markup,
): Comparison {
  const mine = ledger.filter(({ day }) => isCompared(day))
  const theirs = exported.usage.filter(({ day }) => isCompared(day))
  const charges = exported.charges.filter(({ day }) => isCompared(day))
  const chargedModels = charges.flatMap(({ model }) => (model === null ? [] : [model]))
  const names = joinNames(
    mine.map(({ model }) => model),
    [...theirs.map(({ model }) => model), ...chargedModels],
  )
  const rows = new Map<string, Compared>()
  const rowOf = (day: number, model: string): Compared => {
    const key = `${day} ${names(model)}`
    const row = rows.get(key) ?? { day, model: names(model), ledger: null, vendor: null, driftPico: null }
    rows.set(key, row)
    return row
  }
  for (const { day, model, ...side } of mine) rowOf(day, model).ledger = plus(rowOf(day, model).ledger, side)
  for (const { day, model, ...side } of theirs) rowOf(day, model).vendor = plus(rowOf(day, model).vendor, side)
  const sorted = [...rows.values()].sort((a, b) => a.day - b.day || (a.model < b.model ? -1 : 1))
  const drifting = sorted.filter((row) => sumOf(differences(row)) > 0)
  const priced = drifting.map((row) => ({ row, price: priceFor(row, prices, names) }))
  for (const { row, price } of priced) row.driftPico = price === null ? null : picoOf(price, drift(row))
  for (const row of sorted) if (!drifting.includes(row)) row.driftPico = 0n
  const side = (which: 'ledger' | 'vendor') => sorted.reduce((sum, row) => plus(sum, row[which] ?? { requests: 0, tokens: none() }), ZERO)
  const total = {
    ledger: side('ledger'),
    vendor: side('vendor'),
    driftNano: nearestNano(sorted.reduce((sum, row) => sum + (row.driftPico ?? 0n), 0n)),
  }
  const driftTokens = monthly(sorted).reduce((sum, row) => sum + sumOf(differences(row)), 0)
  const vendorTokens = sumOf(total.vendor.tokens)
  const unique = (found: Compared[]) => [...new Set(found.map(({ model }) => model))]
  return {
    rows: sorted,
    total,
    driftTokens,
    vendorTokens,
    agrees: BigInt(driftTokens) * 1_000_000n <= BigInt(tolerance) * BigInt(vendorTokens),
    tiered: unique(priced.filter(({ price }) => price !== null && price.aboveTokens !== null).map(({ row }) => row)),
    unpriced: unique(priced.filter(({ price }) => price === null).map(({ row }) => row)),
    estimated: mine.reduce((sum, { estimated }) => sum + estimated, 0),
    charges: charges.length === 0 ? null : chargesOf(charges, mine, names),
  }
}

const ZERO: Side = { requests: 0, tokens: none() }

function plus(a: Side | null, b: Side): Side {
  const tokens = Object.fromEntries(KINDS.map((kind) => [kind, (a?.tokens[kind] ?? 0) + b.tokens[kind]])) as Tokens
  const before = a === null ? 0 : a.requests
  return { requests: before === null || b.requests === null ? null : before + b.requests, tokens }
}

/** The vendor's less the ledger's. */
export function drift({ ledger, vendor }: Pick<Compared, 'ledger' | 'vendor'>): Tokens {
  return Object.fromEntries(KINDS.map((kind) => [kind, (vendor?.tokens[kind] ?? 0) - (ledger?.tokens[kind] ?? 0)])) as Tokens
}

function differences(row: Pick<Compared, 'ledger' | 'vendor'>): Tokens {
  const tokens = drift(row)
  return Object.fromEntries(KINDS.map((kind) => [kind, Math.abs(tokens[kind])])) as Tokens
}

function monthly(rows: Compared[]): Pick<Compared, 'ledger' | 'vendor'>[] {
  const months = new Map<string, Pick<Compared, 'ledger' | 'vendor'>>()
  for (const { model, ledger, vendor } of rows) {
    const sum = months.get(model) ?? { ledger: null, vendor: null }
    months.set(model, { ledger: plus(sum.ledger, ledger ?? ZERO), vendor: plus(sum.vendor, vendor ?? ZERO) })
  }
  return [...months.values()]
}

/** Of the model itself rather than of another name for it, where both are sold; at last, of the name that differs by a date. */
function priceFor({ day, model }: Compared, prices: PriceRow[], names: Names): PriceRow | null {
  const same = prices.filter((price) => names(soldAs(price)) === model)
  const own = same.filter((price) => price.model === soldAs(price))
  const near = prices.filter((price) => undated(soldAs(price)) === undated(model))
  return priceOn(own, day) ?? priceOn(same, day) ?? priceOn(near, day)
}

// What an import would do: the catalogue beside the prices in force, model by model. No database, no clock.
import { type CatalogueModel, PICO_MAX, type Prices, pricesOf, VENDORS, type Vendor } from '../catalogue/format.ts'
import { Failure, UsageError } from './context.ts'
import { type Markup, marked } from './markup.ts'
import { near } from './near.ts'
import type { PriceRow } from './prices.ts'

/**
 * What a request may write where it sets no limit. Room for a model that thinks first, which would otherwise end before its answer;
 * where a budget has less left, admission lowers it.
 */
const OUTPUT_DEFAULT = 16_384
/** Of a model that writes nothing (embeddings): the least that a row takes. */
const NO_OUTPUT = 1

/** What becomes of a model's price. `changed`: other limits, or a price that there was not or is no more. `kept`: the operator's own doing. */
export type Change = 'new' | 'dearer' | 'cheaper' | 'changed' | 'same' | 'kept' | 'retired'

type Limits = Pick<PriceRow, 'outputDefault' | 'outputMax'>

export interface PlannedModel {
  model: string
  vendor: Vendor
  change: Change
  /** The price in force, or the newest if that is withdrawn. */
  before: PriceRow | null
  /** What would be in force; null: nothing would be written. */
  after: (Prices & Limits) | null
  /** More about it: why it is kept, when it retires. */
  note: string
}

export interface Selection {
  vendor: Vendor | null
  /** Ids that were asked for; empty: all. */
  models: string[]
  markup: Markup
}

/** In the order of the catalogue, then what is in force and not in it. Throws Failure, UsageError. */
export function planImport(catalogue: CatalogueModel[], newest: PriceRow[], today: string, selection: Selection): PlannedModel[] {
  const wanted = catalogue.filter(({ vendor }) => selection.vendor === null || vendor === selection.vendor)
  const mine = newest.filter(({ upstream }) => (selection.vendor === null ? isVendor(upstream) : upstream === selection.vendor))
  checkModels(selection, catalogue, wanted, mine)
  const asked = new Set(selection.models)
  const isAsked = (model: string) => asked.size === 0 || asked.has(model)
  const byModel = new Map(newest.map((row) => [row.model, row]))
  const listed = wanted
    .filter(({ id }) => isAsked(id))
    .map((model) => planned(model, byModel.get(model.id) ?? null, today, selection, asked.has(model.id)))
  const known = new Map(catalogue.map((model) => [model.id, model]))
  const gone = mine.filter((row) => isAsked(row.model) && row.withdrawn === 0 && !listed.some(({ model }) => model === row.model))
  return [...listed, ...gone.flatMap((row) => leftover(row, known.get(row.upstreamModel ?? row.model), today))]
}

export function isVendor(upstream: string): upstream is Vendor {
  return (VENDORS as readonly string[]).includes(upstream)
}

function checkModels(selection: Selection, all: CatalogueModel[], wanted: CatalogueModel[], mine: PriceRow[]): void {
  const names = new Set([...wanted.map(({ id }) => id), ...mine.map(({ model }) => model)])
  const unknown = selection.models.find((model) => !names.has(model))
  if (unknown === undefined) return
  const elsewhere = all.find(({ id }) => id === unknown)
  if (elsewhere !== undefined) {
    throw new UsageError(
      `--model: ${unknown} is a model of ${elsewhere.vendor}, not of ${selection.vendor}: change --vendor or leave it out.`,
    )
  }
  const like = near(unknown, names)
  throw new UsageError(
    `--model: ${unknown} is not in the catalogue${like.length === 0 ? '' : `; near it: ${like.join(', ')}`}. Ids are as the vendor has them; without --model all are shown.`,
  )
}

function planned(model: CatalogueModel, before: PriceRow | null, today: string, { markup }: Selection, asked: boolean): PlannedModel {
  const base = { model: model.id, vendor: model.vendor, before }
  const retires = model.retires === undefined ? '' : `until ${model.retires}`
  const standing = before?.withdrawn === 0 ? before : null
  if (model.retires !== undefined && model.retires <= today) {
    const mine = before !== null && isOf(model, before) ? before : null
    return { ...base, before: mine, change: 'retired', after: null, note: `since ${model.retires}` }
  }
  if (!asked && before !== null) {
    const own = ownDoing(model, before)
    if (own !== null) return { ...base, change: 'kept', after: null, note: `${own}; --model ${model.id} takes the vendor's price` }
  }
  const after = { ...withMarkup(model, markup), ...limitsOf(model) }
  return { ...base, change: standing === null || !isOf(model, standing) ? 'new' : changeOf(standing, after), after, note: retires }
}

/** Whether a row is the vendor's own model under its own name. */
function isOf({ vendor, id }: CatalogueModel, { upstream, upstreamModel }: PriceRow): boolean {
  return upstream === vendor && (upstreamModel ?? id) === id
}

function ownDoing(model: CatalogueModel, before: PriceRow): string | null {
  if (!isOf(model, before)) return `priced as ${before.upstream}'s ${before.upstreamModel ?? before.model}`
  return before.withdrawn === 1 ? 'withdrawn' : null
}

/** A price in force that the catalogue has no model for any more, or one by another name (an alias), which goes with its model. */
function leftover(before: PriceRow, target: CatalogueModel | undefined, today: string): PlannedModel[] {
  const base = { model: before.model, vendor: before.upstream as Vendor, before, change: 'retired' as const, after: null }
  const name = before.upstreamModel === null || before.upstreamModel === before.model ? '' : `${before.upstreamModel} `
  if (target === undefined) return [{ ...base, note: `${name}not in the catalogue` }]
  return target.retires !== undefined && target.retires <= today ? [{ ...base, note: `${name}since ${target.retires}` }] : []
}

function withMarkup(model: CatalogueModel, markup: Markup): Prices {
  const { aboveTokens, ...prices } = pricesOf(model)
  const entries = Object.entries(prices).map(([name, pico]) => [name, pico === null ? null : marked(pico, markup)] as const)
  const over = entries.find(([, pico]) => pico !== null && pico > PICO_MAX)
  if (over !== undefined) {
    throw new Failure(
      `--markup: with it ${model.id} would cost more than $10,000 per million tokens (${over[0]}): lower it. Nothing was written.`,
    )
  }
  return { aboveTokens, ...(Object.fromEntries(entries) as Omit<Prices, 'aboveTokens'>) }
}

function limitsOf({ output_max: outputMax = NO_OUTPUT }: CatalogueModel): Limits {
  return { outputMax, outputDefault: Math.min(outputMax, OUTPUT_DEFAULT) }
}

/** A model of which any price has risen is dearer, whatever else has changed. */
function changeOf(before: PriceRow, after: Prices & Limits): Change {
  const { outputDefault, outputMax, aboveTokens, ...prices } = after
  const pairs = (Object.keys(prices) as (keyof typeof prices)[]).map((name) => [before[name], prices[name]] as const)
  const both = pairs.flatMap(([was, is]) => (was === null || is === null ? [] : [is - was]))
  if (both.some((rise) => rise > 0)) return 'dearer'
  const limits = outputMax !== before.outputMax || outputDefault !== before.outputDefault || aboveTokens !== before.aboveTokens
  if (limits || pairs.some(([was, is]) => (was === null) !== (is === null))) return 'changed'
  return both.some((rise) => rise < 0) ? 'cheaper' : 'same'
}

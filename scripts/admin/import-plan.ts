// What an import would do: the catalogue beside the prices in force, model by model. No database, no clock.
import { type CatalogueModel, PICO_MAX, type Prices, pricesOf, type Vendor } from '../catalogue/format.ts'
import { Failure, UsageError } from './context.ts'
import { type Markup, marked } from './markup.ts'
import { near } from './near.ts'
import { hostsPriceOf, isVendor, type PriceRow, soldAs } from './prices.ts'

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
  /** The name that it is sold by. */
  model: string
  vendor: Vendor
  /** The vendor's name of it. */
  id: string
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
  /** The name to sell the one model by that was asked for; null: its own. */
  alias: string | null
}

type Standing = ReadonlyMap<string, PriceRow>

/**
 * In the order of the catalogue, then what is in force and not in it.
 * @param standing of each name the price in force, or the newest if that is withdrawn
 * Throws Failure, UsageError.
 */
export function planImport(catalogue: CatalogueModel[], standing: Standing, today: string, selection: Selection): PlannedModel[] {
  const wanted = catalogue.filter(({ vendor }) => selection.vendor === null || vendor === selection.vendor)
  const rows = [...standing.values()]
  const mine = rows.filter(({ upstream }) => (selection.vendor === null ? isVendor(upstream) : upstream === selection.vendor))
  checkModels(selection, catalogue, wanted, mine)
  const asked = new Set(selection.models)
  const isAsked = (model: string) => asked.size === 0 || asked.has(model)
  const listed = wanted.filter(({ id }) => isAsked(id)).map((model) => planned(model, standing, today, selection))
  if (selection.alias !== null) return listed
  const known = new Map(catalogue.map((model) => [`${model.vendor} ${model.id}`, model]))
  const left = mine.filter((row) => isAsked(row.model) && row.withdrawn === 0 && !listed.some(({ model }) => model === row.model))
  return [...listed, ...left.map((row) => leftover(row, known.get(`${row.upstream} ${soldAs(row)}`), standing, today))]
}

function checkModels(selection: Selection, all: CatalogueModel[], wanted: CatalogueModel[], mine: PriceRow[]): void {
  const { alias, models } = selection
  if (alias !== null && new Set(models).size !== 1) throw new UsageError('--as needs one --model: the model that it is another name of.')
  if (alias !== null && alias === models[0]) throw new UsageError(`--as: ${alias} is its own name already: leave --as out.`)
  const names = new Set([...wanted.map(({ id }) => id), ...(alias === null ? mine.map(({ model }) => model) : [])])
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

function planned(model: CatalogueModel, standing: Standing, today: string, { markup, models, alias }: Selection): PlannedModel {
  const { id, vendor } = model
  const name = alias ?? id
  const before = standing.get(name) ?? null
  const base = { model: name, vendor, id, before }
  const of = alias === null ? [] : [`another name of ${id}`]
  if (model.retires !== undefined && model.retires <= today) {
    const mine = before !== null && isOf(model, before) ? before : null
    return { ...base, before: mine, change: 'retired', after: null, note: [...of, `since ${model.retires}`].join('; ') }
  }
  const hosts = hostsPriceOf(name, standing)
  const own = ownDoing(model, before, hosts)
  if (models.length === 0 && own !== null) {
    return { ...base, change: 'kept', after: null, note: `${own}; --model ${id} takes the vendor's price` }
  }
  const after = { ...withMarkup(model, markup), ...limitsOf(model) }
  const now = before?.withdrawn === 0 && isOf(model, before) ? before : null
  // A name that the host's model has meanwhile is taken back by a row, even at the same price.
  const change = now === null || (hosts !== null && changeOf(now, after) === 'same') ? 'new' : changeOf(now, after)
  const taken = hosts === null ? [] : [`takes the name from the host's ${hosts.model}`]
  const ends = model.retires === undefined ? [] : [`until ${model.retires}`]
  return { ...base, change, after, note: [...of, ...ends, ...taken].join('; ') }
}

/** Whether a row is for this model of the vendor. */
function isOf({ vendor, id }: CatalogueModel, row: PriceRow): boolean {
  return row.upstream === vendor && soldAs(row) === id
}

function ownDoing(model: CatalogueModel, before: PriceRow | null, hosts: PriceRow | null): string | null {
  if (before !== null && !isOf(model, before)) return `priced as ${before.upstream}'s ${soldAs(before)}`
  if (before?.withdrawn === 1) return 'withdrawn'
  return hosts === null ? null : `the name is the host's ${hosts.model}`
}

/**
 * A price in force that the catalogue has no model for by that name. One of another name goes with its model; what was never
 * in a catalogue is the operator's own.
 */
function leftover(before: PriceRow, target: CatalogueModel | undefined, standing: Standing, today: string): PlannedModel {
  const id = soldAs(before)
  const base = { model: before.model, vendor: before.upstream as Vendor, id, before, after: null }
  const of = id === before.model ? '' : `${id} `
  if (target === undefined) {
    // An import leaves the column empty where the name is the vendor's own.
    const wasImported = standing.get(id)?.upstream === before.upstream && standing.get(id)?.upstreamModel === null
    return { ...base, change: wasImported ? 'retired' : 'kept', note: `${of}not in the catalogue` }
  }
  if (target.retires !== undefined && target.retires <= today) return { ...base, change: 'retired', note: `${of}since ${target.retires}` }
  return { ...base, change: 'kept', note: `another name; --model ${id} --as ${before.model} brings its price up to date` }
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

// LiteLLM's price list (`model_prices_and_context_window.json`: one object, a key per model) → the models that a price row can hold.
import { picoOf } from './exact.ts'
import { type CatalogueModel, ID, MODES, VENDORS } from './format.ts'

/** A list that cannot be taken; the message names model, field and value. */
export class CatalogueError extends Error {
  override name = 'CatalogueError'
}

export interface LeftOut {
  id: string
  why: string
}

type Entry = Record<string, unknown>

/** Prices of what the gateway refuses or pins, so that they never apply: service tiers, batches, and tools that the vendor runs. */
const NEVER_APPLIES = /_(?:batches|flex|priority|ultrafast|decisions)$|^search_context_cost_per_query$|^code_interpreter_cost_per_session$/
const WRITE_LONG = ['cache_creation_input_token_cost_above_1hr', 'cache_creation_input_token_cost_above_12hr'] as const
const BASE = {
  input_pico: ['input_cost_per_token'],
  cached_input_pico: ['cache_read_input_token_cost'],
  cache_write_pico: ['cache_creation_input_token_cost'],
  cache_write_long_pico: WRITE_LONG,
  output_pico: ['output_cost_per_token'],
} as const
type BaseField = keyof typeof BASE
/** input_cost_per_token_above_272k_tokens, and the like for the other prices. */
const TIER = /_above_(\d+)k_tokens$/

/**
 * The models of OpenAI and Anthropic under their exact ids, and which of theirs were left out and why; what is no text model at all is passed over.
 * Throws CatalogueError for a price that is not a whole number of pico-dollars.
 */
export function fromLitellm(list: Record<string, unknown>): { models: CatalogueModel[]; leftOut: LeftOut[] } {
  const models: CatalogueModel[] = []
  const leftOut: LeftOut[] = []
  for (const [id, entry] of Object.entries(list)) {
    if (!isTextModel(entry)) continue
    const why = unfit(id, entry)
    if (why === null) models.push(modelOf(id, entry))
    else leftOut.push({ id, why })
  }
  return { models, leftOut }
}

function isTextModel(entry: unknown): entry is Entry {
  if (typeof entry !== 'object' || entry === null) return false
  const { litellm_provider, mode } = entry as Entry
  return (VENDORS as readonly unknown[]).includes(litellm_provider) && (MODES as readonly unknown[]).includes(mode)
}

/** Why a row of five prices and one tier does not say what the model costs; null where it does. */
function unfit(id: string, entry: Entry): string | null {
  const costs = Object.keys(entry).filter((key) => /cost/.test(key) && !NEVER_APPLIES.test(key))
  // `ft:…` is somebody's own model, `us/…` and `openai/…` a region or another route to it: none is an id that others can ask for.
  if (!ID.test(id)) return 'no plain id of the vendor'
  if (costs.some((key) => /audio|image/.test(key))) return 'audio or images have prices of their own'
  // Each search costs a fee that the answer's usage does not show.
  if (/-search(?:-|$)|-deep-research(?:-|$)/.test(id)) return 'searches by itself, for a fee by the call'
  if (entry.input_cost_per_token === undefined || entry.output_cost_per_token === undefined) return 'no price by the token'
  // Without it neither a hold nor a default can be reckoned.
  if (entry.mode !== 'embedding' && !Number.isInteger(entry.max_output_tokens)) return 'the most tokens that it can write are not known'
  if (WRITE_LONG.every((key) => key in entry)) return 'two prices for long cache writes'
  if (tiersOf(costs).length > 1) return 'more than one tier'
  const known = new Set(Object.values(BASE).flatMap((keys) => [...keys]))
  const strange = costs.find((key) => !known.has(key.replace(TIER, '') as (typeof BASE)[BaseField][number]))
  return strange === undefined ? null : `a price that no row holds: ${strange}`
}

function tiersOf(keys: string[]): string[] {
  return [...new Set(keys.flatMap((key) => TIER.exec(key)?.[1] ?? []))]
}

function modelOf(id: string, entry: Entry): CatalogueModel {
  const read = (key: string) => (entry[key] === undefined || entry[key] === null ? undefined : priceOf(id, key, entry[key]))
  const [tier] = tiersOf(Object.keys(entry).filter((key) => !NEVER_APPLIES.test(key)))
  const prices = (suffix: string, prefix: string) =>
    Object.entries(BASE).map(([field, keys]) => [prefix + field, keys.map((key) => read(key + suffix)).find((pico) => pico !== undefined)])
  const fields = {
    vendor: entry.litellm_provider,
    id,
    mode: entry.mode,
    ...Object.fromEntries(prices('', '')),
    above_tokens: tier === undefined ? undefined : Number(tier) * 1000,
    ...(tier === undefined ? {} : Object.fromEntries(prices(`_above_${tier}k_tokens`, 'above_'))),
    context_tokens: entry.max_input_tokens ?? undefined,
    output_max: entry.mode === 'embedding' ? undefined : entry.max_output_tokens,
    retires: entry.deprecation_date ?? undefined,
  }
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined)) as CatalogueModel
}

function priceOf(id: string, key: string, value: unknown): number {
  const pico = typeof value === 'number' ? picoOf(value) : null
  if (pico !== null) return pico
  throw new CatalogueError(
    `${id}: ${key} has to be dollars a token of at most 12 decimals, not ${JSON.stringify(value)}: correct it in the file.`,
  )
}

// OpenAI's organization usage and costs: GET /v1/organization/usage/completions, …/usage/embeddings and /v1/organization/costs.
import { dayOf, modelOf, type Tokens, type VendorExport } from './vendor-export.ts'
import type { Place } from './vendor-json.ts'

const USAGE = /^organization\.usage\.(completions|embeddings)\.result$/
const COSTS = 'organization.costs.result'

/** Reads one page into the export. Throws Failure. */
export function readOpenaiPage(page: Place, into: VendorExport): void {
  const buckets = page.at('data').items()
  if (buckets.some((bucket) => bucket.has('starting_at'))) page.fail("is Anthropic's: give --vendor anthropic, or a file of OpenAI's.")
  if (!page.has('object') || page.at('object').text() !== 'page') {
    page.at('object').fail('has to be "page": give the answer of /v1/organization/usage/… or /v1/organization/costs.')
  }
  const first = buckets.flatMap((bucket) => bucket.at('results').items())[0]
  const what = first === undefined ? null : first.at('object').text() === COSTS ? 'charges' : 'usage'
  for (const bucket of buckets) into.cover(what, readBucket(bucket, into))
}

/** Returns its day. */
function readBucket(bucket: Place, into: VendorExport): number {
  const day = dayOf(bucket, bucket.at('start_time').count() * 1000, bucket.at('end_time').count() * 1000)
  const results = bucket.at('results').items()
  for (const what of new Set(results.map((result) => result.at('object').text()))) into.claim(`${what} ${day}`, bucket)
  for (const result of results) {
    const what = result.at('object').text()
    if (what === COSTS) readCost(result, day, into)
    else if (USAGE.test(what)) readUsage(result, day, into)
    else result.at('object').fail(`${what} is of nothing that the gateway asks for: give completions, embeddings and costs.`)
  }
  return day
}

function readUsage(result: Place, day: number, into: VendorExport): void {
  const tokens = tokensOf(result)
  const model = modelOf(result, 'model', tokens, 'group_by=model')
  if (model === null) return
  into.usage.push({ day, model, requests: result.at('num_model_requests').count(), tokens })
}

/** Of OpenAI's input tokens, cached ones and those written to the cache are a part. */
function tokensOf(result: Place): Tokens {
  const optional = (name: string) => result.at(name).countOrZero()
  const all = result.at('input_tokens').count()
  const cached = optional('input_cached_tokens')
  const writeLong = optional('input_cache_write_12h_tokens')
  const written = result.has('input_cache_write_tokens')
    ? optional('input_cache_write_tokens')
    : optional('input_cache_write_30m_tokens') + writeLong
  if (cached + written > all || writeLong > written) {
    result.at('input_tokens').fail(`has to hold the cached tokens and those written to the cache, but is ${all}: fetch it again.`)
  }
  const embeddings = result.at('object').text().includes('embeddings')
  const output = embeddings ? optional('output_tokens') : result.at('output_tokens').count()
  return { input: all - cached - written, cached, write: written - writeLong, writeLong, output }
}

function readCost(result: Place, day: number, into: VendorExport): void {
  const amount = result.at('amount')
  const currency = amount.at('currency')
  if (currency.text().toLowerCase() !== 'usd') currency.fail(`is ${currency.text()}: only US dollars can be compared.`)
  const item = result.has('line_item') ? result.at('line_item').text() : 'not itemised'
  into.charges.push({ day, model: modelOfItem(item), item, nano: amount.at('value').nano(9) })
}

/** "gpt-6-astra, input_tokens" and "gpt-image-2 text, input" are of a model; "Web search tool calls" is not. */
function modelOfItem(item: string): string | null {
  return /^([a-z0-9][a-z0-9._-]*)(?: [a-z]+)?, /.exec(item)?.[1] ?? null
}

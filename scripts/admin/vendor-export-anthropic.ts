// Anthropic's usage and cost, in both documented forms: the Usage and Cost API (buckets with results: GET /v1/organizations/usage_report/messages
// and /cost_report) and the Usage and Cost Analytics API that follows it (a row each: GET /v1/organizations/analytics/usage and /analytics/cost).
import { DAY_MS } from '../../worker/ledger/periods.ts'
import { dayOf, modelOf, type Tokens, type VendorExport } from './vendor-export.ts'
import type { Place } from './vendor-json.ts'

const GROUP = 'group_by[]=model'

/** Reads one page into the export. Throws Failure. @param until the last day that an export can have, whole days since 1970 */
export function readAnthropicPage(page: Place, into: VendorExport, until: number): void {
  const rows = page.at('data').items()
  if (rows.some((row) => row.has('start_time'))) page.fail("is OpenAI's: give --vendor openai, or a file of Anthropic's.")
  const first = rows.flatMap((row) => (row.has('results') ? row.at('results').items() : [row]))[0]
  const what = first === undefined ? null : first.has('amount') || first.has('cost') ? 'charges' : 'usage'
  for (const row of rows) {
    const day = dayOf(row, time(row.at('starting_at')), time(row.at('ending_at')))
    into.cover(what, day)
    if (row.has('results')) readBucket(row, day, into)
    else readRow(row, day, into, until)
  }
}

/** RFC 3339 → milliseconds since 1970. */
function time(place: Place): number {
  const text = place.text()
  const ms = /^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}(\.\d+)?(Z|[+-]\d{2}:\d{2})$/.test(text) ? Date.parse(text) : Number.NaN
  return Number.isNaN(ms) ? place.fail(`has to be a time such as 2026-11-01T00:00:00Z, not ${text}.`) : ms
}

function readBucket(bucket: Place, day: number, into: VendorExport): void {
  const results = bucket.at('results').items()
  const costs = results.some((result) => result.has('amount'))
  if (results.length > 0) {
    into.only('Usage and Cost API', costs ? 'charges' : 'usage', bucket)
    into.claim(`${costs ? 'costs' : 'usage'} ${day}`, bucket)
  }
  for (const result of results) {
    if (costs) readCost(result, day, into, 'description', result.has('model') ? result.at('model').text() : null)
    else readUsage(result, result, day, into)
  }
}

/** Only days with usage have rows, so a day without one may as well be one that was not asked for. */
function readRow(row: Place, day: number, into: VendorExport, until: number): void {
  const group = row.at('group')
  const costs = row.has('cost')
  into.only('Usage and Cost Analytics API', costs ? 'charges' : 'usage', row)
  into.claim(`${costs ? 'cost' : 'usage'} row ${day} ${JSON.stringify(group.value)}`, row)
  if (costs) readCost(row.at('cost'), day, into, null, group.has('model') ? group.at('model').text() : null)
  else readUsage(row.at('usage'), group, day, into)
  const first = firstOfMonth(day)
  for (let each = first; each <= until && firstOfMonth(each) === first; each++) into.cover(costs ? 'charges' : 'usage', each)
}

function firstOfMonth(day: number): number {
  return day + 1 - new Date(day * DAY_MS).getUTCDate()
}

/** @param group what holds the model: the result itself, or the row's group */
function readUsage(usage: Place, group: Place, day: number, into: VendorExport): void {
  const tokens = tokensOf(usage)
  if (usage.has('server_tool_use')) into.searches.push({ day, count: usage.at('server_tool_use').at('web_search_requests').countOrZero() })
  const model = modelOf(group, 'model', tokens, GROUP)
  if (model === null) return
  into.usage.push({ day, model, requests: usage.has('requests') ? usage.at('requests').count() : null, tokens })
}

/** Anthropic's uncached input is without what was read from the cache or written to it. */
function tokensOf(usage: Place): Tokens {
  const written = usage.at('cache_creation')
  return {
    input: usage.at('uncached_input_tokens').count(),
    cached: usage.at('cache_read_input_tokens').count(),
    write: written.at('ephemeral_5m_input_tokens').count(),
    writeLong: written.at('ephemeral_1h_input_tokens').count(),
    output: usage.at('output_tokens').count(),
  }
}

/** Amounts are in cents, with decimals. */
function readCost(cost: Place, day: number, into: VendorExport, itemName: string | null, model: string | null): void {
  const currency = cost.at('currency')
  if (currency.text() !== 'USD') currency.fail(`is ${currency.text()}: only US dollars can be compared.`)
  const item = itemName !== null && cost.has(itemName) ? cost.at(itemName).text() : 'not itemised'
  into.charges.push({ day, model, item, nano: cost.at('amount').nano(7) })
}

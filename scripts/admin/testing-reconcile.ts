// Test support: usage of a vendor's models in the ledger, and exports in the shapes that the vendors document.
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { v7 } from 'uuid'
import { DAY_MS } from '../../worker/ledger/periods.ts'
import type { Vendor } from '../catalogue/format.ts'
import type { TestDatabase, TestKey } from './testing.ts'

/** A month that is over: June 2026. */
export const MONTH = '2026-06'
const FIRST = Date.UTC(2026, 5, 1) / DAY_MS
const DAYS = 30

export interface Sold {
  model: string
  upstream: Vendor
  upstreamModel?: string
  input?: number
  cached?: number
  write?: number
  writeLong?: number
  output?: number
  aboveTokens?: number
  fromMs?: number
  withdrawn?: boolean
}

/** A price in micro-dollars per million tokens. Returns its id. */
export async function sell(t: TestDatabase, sold: Sold): Promise<number> {
  const tier = sold.aboveTokens ?? null
  const values = {
    model: sold.model,
    upstream: sold.upstream,
    upstream_model: sold.upstreamModel ?? null,
    input_pico: sold.input ?? 1_000_000,
    cached_input_pico: sold.cached ?? 100_000,
    cache_write_pico: sold.write ?? null,
    cache_write_long_pico: sold.writeLong ?? null,
    output_pico: sold.output ?? 5_000_000,
    above_tokens: tier,
    above_input_pico: tier,
    above_cached_input_pico: tier,
    above_output_pico: tier,
    withdrawn: sold.withdrawn === true ? 1 : 0,
    valid_from_ms: sold.fromMs ?? 0,
    created_ms: 0,
  }
  return insert(t, 'prices', values, 'id')
}

export interface UsedUp {
  /** Of the month; 1 is the first. */
  day?: number
  model?: string
  upstream?: Vendor | 'ollama'
  input?: number
  cached?: number
  write?: number
  writeLong?: number
  output?: number
  costNano?: number
  estimated?: boolean
  atMs?: number
}

/** A request that has ended. Returns its id. */
export async function use(t: TestDatabase, key: TestKey, priceId: number, used: UsedUp = {}): Promise<string> {
  const { cached = 0, write = 0, writeLong = 0, input = 100, output = 10, costNano = 0 } = used
  const atMs = used.atMs ?? (FIRST + (used.day ?? 1) - 1) * DAY_MS + 1000
  const id = v7({ msecs: atMs })
  await insert(t, 'usage', {
    customer_id: key.customerId,
    id,
    key_id: key.id,
    price_id: priceId,
    model: used.model ?? 'gpt-6-sol',
    dialect: 'openai-chat',
    upstream: used.upstream ?? 'openai',
    outcome: 'completed',
    estimated: used.estimated === true ? 1 : 0,
    hold_nano: 0,
    cost_nano: costNano,
    over_nano: 0,
    input_tokens: input + cached + write + writeLong,
    cached_tokens: cached,
    cache_write_tokens: write,
    cache_write_long_tokens: writeLong,
    output_tokens: output,
    gpu_ms: 0,
    input_bound: 0,
    output_limit: 0,
    created_ms: atMs,
    settled_ms: atMs,
  })
  return id
}

async function insert(t: TestDatabase, tableName: string, values: Record<string, unknown>, returning = 'rowid'): Promise<number> {
  const names = Object.keys(values)
  const back = tableName === 'usage' ? 'created_ms' : returning
  const sql = `INSERT INTO ${tableName} (${names.join(', ')}) VALUES (${names.map(() => '?').join(', ')}) RETURNING ${back} AS back`
  return Number((await t.db.all(sql, Object.values(values)))[0]?.back)
}

let files = 0

/** A file. Returns its name, for --from. */
export async function exportFile(t: TestDatabase, content: unknown): Promise<string> {
  const name = `export-${files++}.json`
  await writeFile(join(t.stateDir, name), typeof content === 'string' ? content : JSON.stringify(content))
  return name
}

/** Results by the day of the month. */
type ByDay = Record<number, object[]>

/** A page of OpenAI's, with a bucket for each day of the month. */
export function openaiPage(byDay: ByDay, over: object = {}): object {
  const data = Array.from({ length: DAYS }, (_, index) => openaiBucket(index + 1, byDay[index + 1] ?? []))
  return { object: 'page', data, has_more: false, next_page: null, ...over }
}

export function openaiBucket(day: number, results: object[]): object {
  const start = (FIRST + day - 1) * 86_400
  return { object: 'bucket', start_time: start, end_time: start + 86_400, results }
}

/** As in the reference of "Completions usage", grouped by model. */
export function completions(model: string | null, input: number, output: number, over: object = {}): object {
  const nulls = { project_id: null, user_id: null, api_key_id: null, batch: null, service_tier: null }
  const counts = { input_tokens: input, output_tokens: output, input_cached_tokens: 0, input_audio_tokens: 0, output_audio_tokens: 0 }
  return { object: 'organization.usage.completions.result', ...counts, num_model_requests: 1, ...nulls, model, ...over }
}

export function openaiCost(lineItem: string | null, value: unknown): object {
  return { object: 'organization.costs.result', amount: { value, currency: 'usd' }, line_item: lineItem, project_id: null }
}

/** A page of Anthropic's Usage and Cost API, with a bucket for each day of the month. */
export function anthropicPage(byDay: ByDay, over: object = {}): object {
  const at = (index: number) => new Date((FIRST + index) * DAY_MS).toISOString().replace('.000Z', 'Z')
  const data = Array.from({ length: DAYS }, (_, index) => ({
    starting_at: at(index),
    ending_at: at(index + 1),
    results: byDay[index + 1] ?? [],
  }))
  return { data, has_more: false, next_page: null, ...over }
}

export interface Messages {
  input?: number
  cached?: number
  write?: number
  writeLong?: number
  output?: number
}

export function messages(model: string | null, { input = 0, cached = 0, write = 0, writeLong = 0, output = 0 }: Messages): object {
  return {
    uncached_input_tokens: input,
    cache_creation: { ephemeral_1h_input_tokens: writeLong, ephemeral_5m_input_tokens: write },
    cache_read_input_tokens: cached,
    output_tokens: output,
    server_tool_use: { web_search_requests: 0 },
    api_key_id: null,
    workspace_id: null,
    model,
    service_tier: null,
    context_window: null,
    inference_geo: null,
  }
}

export function anthropicCost(model: string | null, cents: string, description: string | null = null): object {
  const nulls = { cost_type: null, token_type: null, service_tier: null, context_window: null, inference_geo: null, workspace_id: null }
  return { amount: cents, currency: 'USD', description, model, ...nulls }
}

/** A page of Anthropic's Usage and Cost Analytics API: only days with usage have a row. */
export function analyticsPage(rows: { day: number; model: string | null; usage?: object; cost?: object }[]): object {
  const at = (day: number) => new Date((FIRST + day - 1) * DAY_MS).toISOString().replace('.000Z', 'Z')
  const data = rows.map(({ day, model, ...what }) => ({
    starting_at: at(day),
    ending_at: at(day + 1),
    group: { product: null, model },
    ...what,
  }))
  return { data, data_refreshed_at: '2026-07-01T04:00:00Z', has_more: false, next_page: null }
}

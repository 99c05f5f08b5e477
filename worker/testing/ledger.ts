// Test support: a migrated D1, customers, keys and prices in a line each, and asks with defaults.

import { applyD1Migrations } from 'cloudflare:test'
import { env } from 'cloudflare:workers'
import { v7 } from 'uuid'
import { newKey } from '../keys.ts'
import { type Ask, type AskReading, OUTPUT_LEAST, type Verdict } from '../ledger/admission.ts'
import { Group } from '../ledger/group.ts'
import { periodStartDay, rebuildSpendSql } from '../ledger/periods.ts'
import type { Ending } from '../ledger/settlement.ts'
import { type NanoUsd, parseUsd } from '../money.ts'
import { UNUSED } from '../pricing.ts'
import type { Upstream } from '../schema.ts'

export const db = env.DB

export async function migrate(): Promise<void> {
  await applyD1Migrations(env.DB, env.TEST_MIGRATIONS)
}

export const usd = (text: string): NanoUsd => {
  const amount = parseUsd(text)
  if (amount === null) throw new Error(`not an amount: ${text}`)
  return amount
}

interface Limits {
  budget?: string | null
  period?: string
  rpm?: number
  tpm?: number
  concurrency?: number
  /** Paid in, in USD: the customer is prepaid. */
  prepaid?: string
}

let emails = 0
export async function makeCustomer(limits: Limits = {}): Promise<number> {
  const row = await db
    .prepare(
      'INSERT INTO customers (name, email, budget_nano, budget_period, rpm, tpm, concurrency, prepaid, created_ms) VALUES (?, ?, ?, ?, ?, ?, ?, ?, 0) RETURNING id',
    )
    .bind(
      'ACME',
      `c${emails++}@example.com`,
      limits.budget == null ? null : usd(limits.budget),
      limits.period ?? 'month',
      limits.rpm ?? null,
      limits.tpm ?? null,
      limits.concurrency ?? null,
      limits.prepaid === undefined ? 0 : 1,
    )
    .first<{ id: number }>()
  const id = row?.id ?? 0
  if (limits.prepaid !== undefined && usd(limits.prepaid) > 0) await payIn(id, usd(limits.prepaid))
  return id
}

/** Money that came in from a customer, or below zero went back to them. */
export async function payIn(customerId: number, amountNano: number, createdMs = 0): Promise<void> {
  await db.batch([
    db
      .prepare("INSERT INTO payments (customer_id, id, amount_nano, source, created_ms) VALUES (?, ?, ?, 'manual', CAST(? AS INTEGER))")
      .bind(customerId, `manual:${v7()}`, amountNano, createdMs),
    ...rebuildSpendSql('balance').map((sql) => db.prepare(sql).bind(customerId)),
  ])
}

/** The month that holds this moment is invoiced, as far as the ledger asks. */
export async function invoiceMonth(customerId: number, ms: number): Promise<void> {
  await db
    .prepare(
      `INSERT INTO invoices (year, seq, kind, customer_id, month, usage_nano, adjustments_nano, carried_nano, net_cents, remainder_nano, tax_bp, tax_cents, total_cents, document, created_ms)
       VALUES (2026, (SELECT count(*) + 1 FROM invoices), 'invoice', ?, ?, 0, 0, 0, 0, 0, 0, 0, 0, '{}', 0) ON CONFLICT DO NOTHING`,
    )
    .bind(customerId, periodStartDay('month', ms))
    .run()
}

export interface TestKey {
  id: number
  key: string
  hash: string
  customerId: number
}

export async function makeKey(customerId: number, limits: Limits & { models?: string[]; expiresMs?: number } = {}): Promise<TestKey> {
  const { key, hash, prefix } = newKey()
  const row = await db
    .prepare(
      'INSERT INTO api_keys (hash, customer_id, prefix, models, budget_nano, budget_period, rpm, tpm, concurrency, expires_ms, created_ms) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, 0) RETURNING id',
    )
    .bind(
      hash,
      customerId,
      prefix,
      limits.models ? JSON.stringify(limits.models) : null,
      limits.budget == null ? null : usd(limits.budget),
      limits.period ?? 'month',
      limits.rpm ?? null,
      limits.tpm ?? null,
      limits.concurrency ?? null,
      limits.expiresMs ?? null,
    )
    .first<{ id: number }>()
  return { id: row?.id ?? 0, key, hash, customerId }
}

export interface TestPrice {
  request?: string
  model?: string
  /** USD per million tokens. */
  input?: string
  cached?: string
  output?: string
  gpuSecond?: string
  outputDefault?: number
  outputMax?: number
  validFromMs?: number
  /** Whose model it is; the host's unless told. */
  upstream?: Upstream
  withdrawn?: boolean
  /** USD per million tokens: cache writes, and what costs otherwise above so many tokens of input. */
  cacheWrite?: string
  cacheWriteLong?: string
  above?: { tokens: number; input: string; cached: string; output: string; cacheWrite?: string; cacheWriteLong?: string }
}

export async function setPrice(model: string, price: TestPrice): Promise<void> {
  // $1 per Mtok = 1,000,000 pico-dollars a token = 10^9 nano-dollars / 1,000.
  const pico = (text: string | undefined) => usd(text ?? '0') / 1000
  const picoOrNull = (text: string | undefined) => (text === undefined ? null : pico(text))
  await db
    .prepare(
      `INSERT INTO prices (model, request_nano, model_nano, input_pico, cached_input_pico, output_pico, gpu_second_nano, output_default, output_max, valid_from_ms, upstream, withdrawn,
         cache_write_pico, cache_write_long_pico, above_tokens, above_input_pico, above_cached_input_pico, above_output_pico, above_cache_write_pico, above_cache_write_long_pico, created_ms)
       VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, 0)`,
    )
    .bind(
      model,
      usd(price.request ?? '0'),
      usd(price.model ?? '0'),
      pico(price.input),
      pico(price.cached ?? price.input),
      pico(price.output),
      usd(price.gpuSecond ?? '0'),
      price.outputDefault ?? 2048,
      price.outputMax ?? 8192,
      price.validFromMs ?? 0,
      price.upstream ?? 'ollama',
      price.withdrawn ? 1 : 0,
      picoOrNull(price.cacheWrite),
      picoOrNull(price.cacheWriteLong),
      price.above?.tokens ?? null,
      picoOrNull(price.above?.input),
      picoOrNull(price.above?.cached),
      picoOrNull(price.above?.output),
      picoOrNull(price.above?.cacheWrite),
      picoOrNull(price.above?.cacheWriteLong),
    )
    .run()
}

/** Of the host's model `m:latest`, unless told. */
export function askOf(key: TestKey, { upstream = 'ollama', ...ask }: Partial<Ask & AskReading> & { upstream?: Upstream } = {}): Ask {
  const { inputBound = 0, outputAsked = null, outputLeast = OUTPUT_LEAST, runs = 1, rereads = true, ...rest } = ask
  const { cacheWrite = 'none', leaseMs = 130_000, model = 'm:latest', ...more } = rest
  return {
    id: v7(),
    keyHash: key.hash,
    model,
    name: model.replace(/:latest$/, ''),
    dialect: 'test',
    readings: { [upstream]: { inputBound, outputAsked, outputLeast, runs, rereads, cacheWrite, leaseMs } },
    hostConcurrency: 10_000,
    deadlineMs: 600_000,
    ...more,
  }
}

export function endingOf(key: TestKey, id: string, costNano: number, more: Partial<Ending> = {}): Ending {
  return {
    customerId: key.customerId,
    keyId: key.id,
    id,
    outcome: 'completed',
    estimated: false,
    costNano: costNano as NanoUsd,
    used: { ...UNUSED, input: 1, output: 1 },
    firstMs: 5,
    ...more,
  }
}

/** One ask, in a batch of its own. */
export function admit(db: D1Database, ask: Ask): Promise<Verdict> {
  return new Group(db, { max: 1 }).admit(ask, () => {})
}

/** One ending, in a batch of its own. */
export function settle(db: D1Database, ending: Ending): Promise<void> {
  return new Group(db, { max: 1 }).settle(ending, () => {})
}

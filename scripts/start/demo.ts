// What a first run finds ready: a customer with a budget, a key, and a price for every model on the host.
import { mkdir, readFile, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { keyHash, newKey } from '../../worker/keys.ts'
import { rowJson } from '../admin/audit.ts'
import { CUSTOMER_COLUMNS } from '../admin/customers.ts'
import { KEY_COLUMNS } from '../admin/keys.ts'
import { PRICE_COLUMNS } from '../admin/prices.ts'
import type { Model } from './ollama.ts'

const EMAIL = 'demo@example.com'
/** $5 a month. */
const BUDGET_NANO = 5_000_000_000
/** $0.0001 a request. */
const REQUEST_NANO = 100_000
/** $0.10, $0.05 and $0.40 per million tokens. */
const INPUT_PICO = 100_000
const CACHED_INPUT_PICO = 50_000
const OUTPUT_PICO = 400_000

export interface Demo {
  customerId: number
  /** Null: the key is gone or works no more. */
  key: string | null
}

export function demoKeyPath(stateDir: string): string {
  return join(stateDir, 'demo-key')
}

/** Makes the demo customer, its key and the prices in one batch, if there is no customer yet. Returns whether it did. */
export async function makeDemo(db: D1Database, models: Model[], stateDir: string, nowMs: number): Promise<boolean> {
  if ((await db.prepare('SELECT 1 FROM customers LIMIT 1').first()) !== null) return false
  const { key, hash, prefix } = newKey()
  // The file first: a key that is stored but not known would be of no use to anyone.
  await mkdir(stateDir, { recursive: true })
  await rm(demoKeyPath(stateDir), { force: true })
  await writeFile(demoKeyPath(stateDir), `${key}\n`, { mode: 0o600 })
  await db.batch([
    db
      .prepare("INSERT INTO customers (name, email, budget_nano, budget_period, created_ms) VALUES ('Demo', ?, ?, 'month', ?)")
      .bind(EMAIL, BUDGET_NANO, nowMs),
    db
      .prepare(
        "INSERT INTO api_keys (hash, customer_id, prefix, name, created_ms) SELECT ?, id, ?, 'demo', ? FROM customers WHERE email = ?",
      )
      .bind(hash, prefix, nowMs, EMAIL),
    ...(await unpricedModels(db, models, nowMs)).map((model) =>
      db
        .prepare(
          'INSERT INTO prices (model, request_nano, model_nano, input_pico, cached_input_pico, output_pico, valid_from_ms, created_ms) VALUES (?, ?, 0, ?, ?, ?, ?, ?)',
        )
        .bind(model, REQUEST_NANO, INPUT_PICO, CACHED_INPUT_PICO, OUTPUT_PICO, nowMs, nowMs),
    ),
    db.prepare(noteOf("'customer ' || id", CUSTOMER_COLUMNS, 'customers WHERE email = ?2')).bind(nowMs, EMAIL),
    db.prepare(noteOf("'key ' || id", KEY_COLUMNS, 'api_keys WHERE hash = ?2')).bind(nowMs, hash),
    db.prepare(noteOf("'price ' || model", PRICE_COLUMNS, 'prices WHERE valid_from_ms = ?1')).bind(nowMs),
  ])
  return true
}

/** In the audit log it is `npm start` who has made them. */
function noteOf(target: string, columns: readonly string[], from: string): string {
  return `INSERT INTO audit_log (who, command, target, after, created_ms) SELECT 'npm start', 'demo', ${target}, ${rowJson(columns)}, ?1 FROM ${from}`
}

/** The demo customer, with its key if that still works; null where there is none. */
export async function findDemo(db: D1Database, stateDir: string, nowMs: number): Promise<Demo | null> {
  const customer = await db.prepare('SELECT id FROM customers WHERE email = ?').bind(EMAIL).first<{ id: number }>()
  if (customer === null) return null
  const key = (await readFile(demoKeyPath(stateDir), 'utf8').catch(() => '')).trim()
  const hash = keyHash(key)
  const works =
    hash === null
      ? null
      : await db
          .prepare(
            'SELECT 1 FROM api_keys WHERE hash = ? AND customer_id = ? AND revoked_ms IS NULL AND (expires_ms IS NULL OR expires_ms > ?)',
          )
          .bind(hash, customer.id, nowMs)
          .first()
  return { customerId: customer.id, key: works === null ? null : key }
}

/** The models on the host that nobody can use, since they have no price, nor has `*`. One that was withdrawn is known, and not among them. */
export async function unpricedModels(db: D1Database, models: Model[], nowMs: number): Promise<string[]> {
  const { results } = await db
    .prepare(
      `SELECT model, withdrawn FROM
         (SELECT model, withdrawn, row_number() OVER (PARTITION BY model ORDER BY valid_from_ms DESC, id DESC) AS age FROM prices WHERE valid_from_ms <= ?)
       WHERE age = 1`,
    )
    .bind(nowMs)
    .all<{ model: string; withdrawn: number }>()
  const withdrawn = new Map(results.map((price) => [price.model, price.withdrawn === 1]))
  if (withdrawn.get('*') === false) return []
  return models.map((model) => model.name).filter((name) => !withdrawn.has(name))
}

// What is measured, each in a workerd of its own: a bare pass-through, the floor, the gateway with and without group commit.
import { readFile } from 'node:fs/promises'
import { stripTypeScriptTypes } from 'node:module'
import { join } from 'node:path'
import { convertV4MiniflareOptions, Log, LogLevel, Miniflare, type V4WorkerOptions } from 'miniflare'
import { newKey } from '../../worker/keys.ts'
import { migrate } from '../database/migrate.ts'
import type { Bundle } from '../start/bundle.ts'
import { keepWorkerd } from '../start/keep-workerd.ts'
import { openRuntime, type Runtime } from '../start/runtime.ts'
import { type ProcessCost, processCost } from './process-cost.ts'
import { watchWorkerd } from './watch-workerd.ts'

/** Whatever answers POST /v1/chat/completions. */
export interface Subject {
  name: string
  origin: string
  path: string
  headers: Record<string, string>
  model: string
  /** What its workerd has used so far. */
  cost(): ProcessCost
  close(): Promise<void>
}

/** A subject, and how it is asked. */
export interface Way extends Subject {
  /** See Chat; as if false where it is left out. */
  withoutUsage?: boolean
}

export interface GatewaySubject extends Subject {
  db: D1Database
}

export const CHAT = '/v1/chat/completions'
export const MODEL = 'bench'
const PLENTY_NANO = 9_000_000_000_000_000

/** The host itself, asked with nothing between. */
export function directSubject(name: string, host: string): Subject {
  const cost = () => ({ cpuMs: Number.NaN, memoryMib: Number.NaN })
  return { name, origin: host, path: CHAT, headers: {}, model: MODEL, cost, close: async () => {} }
}

/** `withFloor`: one trivial D1 batch before a request, one after it. */
export async function startPassThrough(name: string, host: string, stateDir: string, withFloor: boolean): Promise<Subject> {
  const source = stripTypeScriptTypes(await readFile(join(import.meta.dirname, 'floor-worker.ts'), 'utf8'))
  keepWorkerd()
  const workerd = watchWorkerd()
  const worker: V4WorkerOptions = {
    name: 'floor',
    modules: [{ type: 'ESModule', path: 'floor-worker.js', contents: source }],
    compatibilityDate: '2026-11-02',
    compatibilityFlags: ['nodejs_compat'],
    bindings: { HOST: host },
    ...(withFloor ? { d1Databases: { DB: 'DB' } } : {}),
    unsafeDirectSockets: [{ host: '127.0.0.1', port: 0 }],
  }
  const log = new Log(LogLevel.ERROR)
  const miniflare = new Miniflare(
    convertV4MiniflareOptions({ workers: [worker], resourcePersistencePath: stateDir, cf: false, logRequests: false, log }),
  )
  await miniflare.ready
  if (withFloor) {
    const db = await miniflare.getD1Database('DB')
    await db.exec('CREATE TABLE IF NOT EXISTS floor (id TEXT PRIMARY KEY, n INTEGER NOT NULL) STRICT, WITHOUT ROWID')
  }
  const { port } = await miniflare.unsafeGetDirectURL()
  return {
    name,
    origin: `http://127.0.0.1:${port}`,
    path: CHAT,
    headers: {},
    model: MODEL,
    cost: () => processCost(workerd.pid()),
    close: () => miniflare.dispose(),
  }
}

/** The gateway as it is deployed, with nothing in its database. */
export function openGateway(name: string, bundle: Bundle, host: string, stateDir: string, vars: Record<string, string>): Promise<Runtime> {
  return openRuntime({
    bundle,
    stateDir,
    vars: { ...vars, OLLAMA_BASE_URL: host, HOST_CONCURRENCY: '10000' },
    onLog: ({ level, message }) => {
      if (level === 'error') console.error(`${name}: ${message}`)
    },
    onRestart: () => console.error(`${name}: workerd died and was started again; what was measured since is of no use.`),
  })
}

/** With a customer who has a budget that is checked and never reached, and no limits per minute. */
export async function startGatewaySubject(
  name: string,
  bundle: Bundle,
  host: string,
  stateDir: string,
  vars: Record<string, string>,
): Promise<GatewaySubject> {
  const workerd = watchWorkerd()
  const runtime = await openGateway(name, bundle, host, stateDir, vars)
  const { db } = runtime
  await migrate(db)
  const { key, hash, prefix } = await newKey()
  await db.batch([
    db.prepare(`INSERT INTO customers (name, email, budget_nano, created_ms) VALUES ('Bench', 'bench@example.com', ${PLENTY_NANO}, 0)`),
    db
      .prepare('INSERT INTO api_keys (hash, customer_id, prefix, name, created_ms) SELECT ?1, max(id), ?2, ?3, 0 FROM customers')
      .bind(hash, prefix, 'bench'),
    db.prepare(
      `INSERT INTO prices (model, request_nano, input_pico, cached_input_pico, output_pico, valid_from_ms, created_ms)
       VALUES ('${MODEL}:latest', 1000, 100000, 100000, 200000, 0, 0)`,
    ),
  ])
  return {
    name,
    origin: `http://127.0.0.1:${runtime.port}`,
    path: CHAT,
    headers: { authorization: `Bearer ${key}` },
    model: MODEL,
    cost: () => processCost(workerd.pid()),
    db,
    close: () => runtime.dispose(),
  }
}

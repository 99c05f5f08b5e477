// Test support: a migrated database of its own, the commands run on it in this process, and requests admitted and settled as the Worker does.
import { once } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import { type AddressInfo, createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { v7 } from 'uuid'
import { type Ask, type AskReading, OUTPUT_LEAST } from '../../worker/ledger/admission.ts'
import { Group } from '../../worker/ledger/group.ts'
import type { Ending } from '../../worker/ledger/settlement.ts'
import { type NanoUsd, parseUsd } from '../../worker/money.ts'
import { UNUSED } from '../../worker/pricing.ts'
import type { Upstream } from '../../worker/schema.ts'
import { runOnD1 } from '../database/d1.ts'
import { type Database, databaseOver } from '../database/database.ts'
import type { GatewayFile } from '../database/gateway-file.ts'
import { migrate } from '../database/migrate.ts'
import { quietWrangler } from '../database/wrangler.ts'
import { WRANGLER_TOML } from '../start/project.ts'
import { type Ran, runCommand } from './run-command.ts'

export interface TestDatabase {
  stateDir: string
  d1: D1Database
  db: Database
  /** Runs a command. */
  admin(...args: string[]): Promise<Ran>
  /** The same with another world around it. */
  adminIn(world: World, ...args: string[]): Promise<Ran>
  /** Everything in it, to show that nothing has changed. */
  dump(): Promise<string>
  close(): Promise<void>
}

interface World {
  environment?: Record<string, string>
  gateway?: GatewayFile | null
  directory?: string
  project?: string
  /** What a person answers; without one, nobody is there. */
  answer?: boolean
}

/** A new state directory with the tables of the migrations. */
export async function testDatabase(): Promise<TestDatabase> {
  const stateDir = await mkdtemp(join(tmpdir(), 'gateway-state-'))
  const { getPlatformProxy } = await quietWrangler()
  const options = { configPath: WRANGLER_TOML, persist: { path: join(stateDir, 'v3') }, envFiles: [], remoteBindings: false }
  const proxy = await getPlatformProxy<{ DB: D1Database }>(options)
  const d1 = proxy.env.DB
  await migrate(d1)
  const db = databaseOver({ run: (statements) => runOnD1(d1, statements), migrateHint: '', close: async () => {} })
  const adminIn = (world: World, ...args: string[]) => run(db, stateDir, world, args)
  return {
    stateDir,
    d1,
    db,
    adminIn,
    admin: (...args) => adminIn({}, ...args),
    async dump() {
      const tables = [
        ...['customers', 'api_keys', 'prices', 'holds', 'usage', 'adjustments', 'payments', 'spend', 'usage_daily', 'audit_log'],
        ...['alert_targets', 'alerts'],
      ]
      return JSON.stringify(await db.batch(tables.map((name) => ({ sql: `SELECT * FROM ${name}`, params: [] }))))
    },
    async close() {
      await proxy.dispose()
      await rm(stateDir, { recursive: true, force: true })
    },
  }
}

function run(db: Database, stateDir: string, { answer, environment, gateway = null, ...where }: World, args: string[]): Promise<Ran> {
  const ask = answer === undefined ? null : async () => answer
  const io = { directory: stateDir, project: stateDir, ...where, ask, environment: { STATE_DIR: stateDir, ...environment } }
  return runCommand(args, io, async () => ({ db, gateway }))
}

export function usd(text: string): NanoUsd {
  const nano = parseUsd(text)
  if (nano === null) throw new Error(`not an amount: ${text}`)
  return nano
}

export interface TestKey {
  id: number
  customerId: number
  key: string
  hash: string
}

/** A customer made by create-customer. Returns the id. */
export async function makeCustomer(t: TestDatabase, ...options: string[]): Promise<number> {
  const limits = options.length > 0 ? options : ['--unlimited']
  return (await t.admin('create-customer', 'ACME', `${v7()}@example.com`, ...limits, '--json')).json<{ id: number }>().id
}

/** A key made by generate-key. */
export async function makeKey(t: TestDatabase, customerId: number, ...options: string[]): Promise<TestKey> {
  const { id, key } = (await t.admin('generate-key', String(customerId), ...options, '--json')).json<{ id: number; key: string }>()
  const [row] = await t.db.all('SELECT hash FROM api_keys WHERE id = ?', [id])
  return { id, customerId, key, hash: row?.hash as string }
}

/** A price for every model, in force since ever: a nano-dollar a millisecond of GPU, and at most $1 a request. */
export async function priceAll(t: TestDatabase): Promise<void> {
  await t.db.all("INSERT INTO prices (model, gpu_second_nano, valid_from_ms, created_ms) VALUES ('*', 1000, 0, 0)")
}

/** An address where nobody listens. */
export async function closedUrl(): Promise<string> {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  server.close()
  await once(server, 'close')
  return `http://127.0.0.1:${port}`
}

export interface TestRequest {
  /** When it was admitted. */
  atMs?: number
  model?: string
  cost?: string
  outcome?: Ending['outcome']
  /** Who can serve it; only the host unless told. */
  upstreams?: readonly Upstream[]
  used?: Partial<Ending['used']>
}

/** Admits a request as the Worker does, and leaves it in flight. Throws when it is refused. */
export async function begin(
  t: TestDatabase,
  key: TestKey,
  { atMs = Date.now(), model = 'm:latest', upstreams = ['ollama'] }: TestRequest = {},
): Promise<string> {
  const limits = { inputBound: 10, outputAsked: 100, outputLeast: OUTPUT_LEAST, runs: 1, rereads: true, leaseMs: 130_000 }
  const reading: AskReading = { ...limits, cacheWrite: 'none' }
  const ask: Ask = {
    id: v7({ msecs: atMs }),
    keyHash: key.hash,
    model,
    name: model.replace(/:latest$/, ''),
    dialect: 'ollama-chat',
    readings: Object.fromEntries(upstreams.map((upstream) => [upstream, reading])),
    hostConcurrency: 10_000,
    // At a nano-dollar a millisecond, $1.
    deadlineMs: 1_000_000_000,
    nowMs: atMs,
  }
  const verdict = await new Group(t.d1, { max: 1 }).admit(ask, () => {})
  if (!verdict.admitted) throw new Error(`refused: ${verdict.refusal}`)
  return ask.id
}

/** Admits a request and settles it as the Worker does. Returns its id. */
export async function request(t: TestDatabase, key: TestKey, asked: TestRequest = {}): Promise<string> {
  const id = await begin(t, key, asked)
  const { customerId, id: keyId } = key
  const { outcome = 'completed', cost = '0.001' } = asked
  const used = { ...UNUSED, input: 10, output: 5, gpuMs: usd(cost), ...asked.used }
  const ending = { customerId, keyId, id, outcome, estimated: false, costNano: usd(cost), used, firstMs: 5 }
  await new Group(t.d1, { max: 1 }).settle(ending, () => {})
  return id
}

// Test support: the whole gateway in this process, on a free port and a fresh database, with the Ollama stand-in as its host.

import { rmSync } from 'node:fs'
import { mkdtemp } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { drizzle } from 'drizzle-orm/d1'
import { type StandIn, type StandInOptions, startStandIn } from '../host/stand-in/server.ts'
import { type Bundle, bundleWorker } from '../scripts/start/bundle.ts'
import { startGateway } from '../scripts/start/gateway.ts'
import { parseLog } from '../scripts/start/log-line.ts'
import { newKey } from '../worker/keys.ts'
import { type NanoUsd, parseDecimal, parseUsd } from '../worker/money.ts'
import { apiKeys, type BudgetPeriod, customers, prices, type Upstream } from '../worker/schema.ts'
import type { Vendor } from '../worker/vendors/vendor-request.ts'
import { startVendor, type VendorServer } from './vendors/server.ts'

export interface TestGatewayOptions {
  /** Settings of the Worker, by their names in the environment. */
  vars?: Record<string, string>
  /** Its pace is 'instant' unless told. */
  standIn?: StandInOptions
  /** Stand-ins to start in the vendors' places, with keys for them. */
  vendors?: readonly Vendor[]
  /** An earlier gateway's, to go on with its database; a fresh one unless told. */
  stateDir?: string
}

interface Limits {
  rpm?: number
  tpm?: number
  concurrency?: number
}

export interface TestCustomer extends Limits {
  /** Dollars, as a decimal; null: unlimited. */
  budgetUsd: string | null
  /** `month` unless told. */
  period?: BudgetPeriod
  name?: string
  /** What the key alone may; like the customer unless told. */
  key?: Limits & { budgetUsd?: string; period?: BudgetPeriod; models?: string[]; expiresMs?: number }
}

/** Dollars as decimals: a request, a use of the model, a million tokens, a GPU second. What is left out is free. */
interface TestPrice {
  request?: string
  perModel?: string
  input?: string
  /** Like `input` unless told. */
  cachedInput?: string
  output?: string
  gpuSecond?: string
  outputDefault?: number
  outputMax?: number
  withdrawn?: boolean
  /** Whose model it is, the host's unless told, and its name there. */
  upstream?: Upstream
  upstreamModel?: string
  cacheWrite?: string
  cacheWriteLong?: string
}

export interface TestGateway {
  url: string
  db: D1Database
  standIn: StandIn
  /** Those that were asked for. */
  vendors: Record<Vendor, VendorServer>
  stateDir: string
  /** How many requests of an earlier gateway on this database were settled at the start. */
  recovered: number
  /** What the Worker has logged: its objects, and plain text where it was none. */
  logs: unknown[]
  makeCustomer(customer: TestCustomer): Promise<{ id: number; keyId: number; key: string }>
  /** In force at once. `model` is canonical (`gemma3:270m`), or `*`. */
  setPrice(model: string, price: TestPrice): Promise<void>
  /** Calls the Worker's scheduled handler. */
  sweep(): Promise<void>
  /** As Ctrl-C does: running answers get `graceMs`, what is left is cut off and settled. Returns how many could not be settled. */
  stop(graceMs?: number): Promise<number>
  /** As a power cut does. Start another on the same `stateDir` to see what it makes of it. */
  kill(): Promise<void>
}

const SETTLE_MS = 35_000
const stateDirs: string[] = []
let bundle: Promise<Bundle> | null = null
let emails = 0

process.once('exit', () => {
  for (const dir of stateDirs) rmSync(dir, { recursive: true, force: true })
})

async function freshDir(): Promise<string> {
  const dir = await mkdtemp(join(tmpdir(), 'gateway-e2e-'))
  stateDirs.push(dir)
  return dir
}

/** Starts a gateway; the Worker is bundled once a process. Whoever starts one stops or kills it. */
export async function startTestGateway(options: TestGatewayOptions = {}): Promise<TestGateway> {
  bundle ??= freshDir().then(bundleWorker)
  const stateDir = options.stateDir ?? (await freshDir())
  const standIn = await startStandIn({ pace: 'instant', ...options.standIn })
  const vendors = await startVendors(options.vendors ?? [])
  const logs: unknown[] = []
  const [access] = [options.standIn?.access ?? []].flat()
  const gateway = await startGateway({
    bundle: await bundle,
    stateDir,
    host: '127.0.0.1',
    port: 0,
    ollamaUrl: standIn.url,
    vars: {
      ...(access ? { CF_ACCESS_CLIENT_ID: access.clientId, CF_ACCESS_CLIENT_SECRET: access.clientSecret } : {}),
      ...vendorVars(vendors),
      ...options.vars,
    },
    onLog: ({ message }) => logs.push(parseLog(message) ?? message),
  })
  const { url, db, recovered, sweep } = gateway
  const close = () => Promise.all([standIn, ...Object.values(vendors)].map((server) => server.close()))
  return {
    url,
    db,
    standIn,
    vendors: vendors as Record<Vendor, VendorServer>,
    stateDir,
    recovered,
    logs,
    makeCustomer: (customer) => makeCustomer(db, customer),
    setPrice: (model, price) => setPrice(db, model, price),
    sweep,
    async stop(graceMs = 0) {
      const left = await gateway.stop({ graceMs, settleMs: SETTLE_MS })
      await close()
      return left
    },
    async kill() {
      await gateway.kill()
      await close()
    },
  }
}

/** What the gateway is to the vendors: a key that no customer has. */
export const VENDOR_KEYS = { openai: 'sk-operators-openai-key', anthropic: 'sk-operators-anthropic-key' } as const

async function startVendors(names: readonly Vendor[]): Promise<Partial<Record<Vendor, VendorServer>>> {
  return Object.fromEntries(await Promise.all(names.map(async (name) => [name, await startVendor(name, { apiKey: VENDOR_KEYS[name] })])))
}

function vendorVars({ openai, anthropic }: Partial<Record<Vendor, VendorServer>>): Record<string, string> {
  return {
    ...(openai ? { OPENAI_API_KEY: VENDOR_KEYS.openai, OPENAI_BASE_URL: `${openai.url}/v1` } : {}),
    ...(anthropic ? { ANTHROPIC_API_KEY: VENDOR_KEYS.anthropic, ANTHROPIC_BASE_URL: anthropic.url } : {}),
  }
}

async function makeCustomer(db: D1Database, { budgetUsd, period, name, key, ...limits }: TestCustomer) {
  const orm = drizzle(db)
  const createdMs = Date.now()
  const [customer] = await orm
    .insert(customers)
    .values({
      name: name ?? 'Test',
      email: `test-${createdMs}-${emails++}@example.com`,
      budgetNano: budgetUsd === null ? null : usd(budgetUsd),
      budgetPeriod: period ?? 'month',
      ...limits,
      createdMs,
    })
    .returning({ id: customers.id })
  const made = newKey()
  const { budgetUsd: keyBudget, period: keyPeriod, ...keyLimits } = key ?? {}
  const [row] = await orm
    .insert(apiKeys)
    .values({
      hash: made.hash,
      prefix: made.prefix,
      customerId: customer?.id ?? 0,
      name: 'test',
      budgetNano: keyBudget === undefined ? null : usd(keyBudget),
      budgetPeriod: keyPeriod ?? 'month',
      ...keyLimits,
      createdMs,
    })
    .returning({ id: apiKeys.id })
  return { id: customer?.id ?? 0, keyId: row?.id ?? 0, key: made.key }
}

async function setPrice(db: D1Database, model: string, price: TestPrice): Promise<void> {
  const nowMs = Date.now()
  await drizzle(db)
    .insert(prices)
    .values({
      model,
      requestNano: usd(price.request ?? '0'),
      modelNano: usd(price.perModel ?? '0'),
      inputPico: perMillion(price.input ?? '0'),
      cachedInputPico: perMillion(price.cachedInput ?? price.input ?? '0'),
      outputPico: perMillion(price.output ?? '0'),
      gpuSecondNano: usd(price.gpuSecond ?? '0'),
      ...(price.outputDefault === undefined ? {} : { outputDefault: price.outputDefault }),
      ...(price.outputMax === undefined ? {} : { outputMax: price.outputMax }),
      withdrawn: price.withdrawn ? 1 : 0,
      upstream: price.upstream ?? 'ollama',
      upstreamModel: price.upstreamModel ?? null,
      cacheWritePico: price.cacheWrite === undefined ? null : perMillion(price.cacheWrite),
      cacheWriteLongPico: price.cacheWriteLong === undefined ? null : perMillion(price.cacheWriteLong),
      validFromMs: nowMs,
      createdMs: nowMs,
    })
}

function usd(text: string): NanoUsd {
  const amount = parseUsd(text)
  if (amount === null) throw new Error(`not an amount in dollars: ${text}`)
  return amount
}

/** Dollars a million tokens → pico-dollars a token. */
function perMillion(text: string): number {
  const amount = parseDecimal(text, 6, Number.MAX_SAFE_INTEGER)
  if (amount === null) throw new Error(`not a price per million tokens: ${text}`)
  return amount
}

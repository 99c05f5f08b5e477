// Whether it works, said without a key: the gateway and its database, and the host behind it.
import { Hono } from 'hono'
import * as z from 'zod'
import { version as gatewayVersion } from '../../package.json'
import type { Config } from '../config.ts'
import { GatewayError } from '../errors.ts'
import type { Exchange } from '../exchange.ts'
import { hostJson, hostModels } from '../host-models.ts'
import { HOST_TROUBLES, type HostTrouble, isTooOld } from '../host-trouble.ts'
import { TRIGGERS } from '../ledger/proofs.ts'
import { TABLES } from '../ledger/proofs-schema.ts'
import { lastVerification } from '../ledger/verification.ts'
import { causeOf, log } from '../log.ts'
import { offersOf } from '../offers.ts'
import { Remembered } from '../remembered.ts'
import { type AppEnv, exchangeOf } from './context.ts'

export const health = new Hono<AppEnv>()

health.get('/', (c) => c.text('Ollama is running'))

health.get('/api/version', async (c) => {
  const host = await stateOf(exchangeOf(c))
  if (host.version === null)
    throw new GatewayError('upstream_unavailable', 'The host cannot be reached right now: try again in a moment.', { retryAfterSeconds: 5 })
  return c.json({ version: host.version })
})

health.get('/health', async (c) => {
  const { config, db, defer } = exchangeOf(c)
  const report = await databaseReport.get('database', () => askDatabase(db), defer)
  return c.json(
    { ...report, version: gatewayVersion, deployment: config.deployment },
    report.database === 'ok' && report.schema === 'ok' ? 200 : 503,
  )
})

interface DatabaseReport {
  gateway: string
  database: string
  schema: string
  /** What the proofs said last. Not a reason for a 503: requests are served, budgets are kept, and to start again mends no row. */
  ledger?: 'agrees' | 'disagrees' | 'not verified yet'
  verified?: { ok: boolean; findings: number; at: string } | null
}

/** How long a state is remembered, milliseconds: these routes need no key, and nobody's question shall cost a call each. */
const STATE_MS = 5_000
const databaseReport = new Remembered<DatabaseReport>(STATE_MS)
const hostState = new Remembered<HostState>(STATE_MS)
const hostOffers = new Remembered<HostOffers | null>(STATE_MS)

async function askDatabase(db: D1Database): Promise<DatabaseReport> {
  try {
    const { results } = await db.prepare("SELECT name FROM sqlite_master WHERE type IN ('table', 'trigger')").all<{ name: string }>()
    const names = new Set(results.map((row) => row.name))
    const missing = [...TABLES, ...TRIGGERS].filter((name) => !names.has(name))
    if (missing.length > 0) return { gateway: 'ok', database: 'ok', schema: `missing: ${missing.join(', ')}. Run the migrations.` }
    const last = await lastVerification(db)
    const ledger = last === null ? 'not verified yet' : last.ok ? 'agrees' : 'disagrees'
    const verified = last === null ? null : { ok: last.ok, findings: last.findings, at: new Date(last.atMs).toISOString() }
    return { gateway: 'ok', database: 'ok', schema: 'ok', ledger, verified }
  } catch (error) {
    log({ event: 'error', code: 'database', message: causeOf(error) })
    return { gateway: 'ok', database: 'unavailable', schema: 'unknown' }
  }
}

/** `limited`: it works, but not for every dialect. */
export const hostReport = z.object({
  state: z.enum(['ok', 'limited', 'down']),
  cause: z.enum(Object.keys(HOST_TROUBLES) as [HostTrouble, ...HostTrouble[]]).nullable(),
  remedy: z.string().nullable(),
  version: z.string().nullable(),
  latency_ms: z.number().int(),
  /** How many models are on it, and how many of them have a price; null: it cannot be asked. */
  models: z.object({ on_host: z.number().int(), offered: z.number().int() }).nullable(),
})

health.get('/health/ollama', async (c) => {
  const exchange = exchangeOf(c)
  const { cause, version, latencyMs } = await stateOf(exchange)
  const state = cause === null ? 'ok' : cause === 'version' ? 'limited' : 'down'
  const { config, defer } = exchange
  const models = state === 'down' ? null : await hostOffers.get(config.ollamaBaseUrl, () => countOffers(exchange), defer)
  const remedy = cause && HOST_TROUBLES[cause]
  const report = { state, cause, remedy, version, latency_ms: latencyMs, models } satisfies z.input<typeof hostReport>
  return c.json(report, state === 'down' ? 503 : 200)
})

type HostOffers = NonNullable<z.infer<typeof hostReport>['models']>

/** Numbers alone: names are for those who have a key. */
async function countOffers(exchange: Exchange): Promise<HostOffers | null> {
  try {
    const [models, offers] = await Promise.all([hostModels(exchange), offersOf(exchange, { models: null })])
    return { on_host: models.length, offered: models.filter(({ name }) => offers.hasHostModel(name)).length }
  } catch (error) {
    log({ event: 'error', code: 'health', message: causeOf(error) })
    return null
  }
}

interface HostState {
  cause: HostTrouble | null
  version: string | null
  latencyMs: number
}

function stateOf({ config, defer }: Exchange): Promise<HostState> {
  return hostState.get(config.ollamaBaseUrl, () => askHost(config), defer)
}

async function askHost(config: Config): Promise<HostState> {
  const startMs = Date.now()
  try {
    const { version } = await hostJson(config, '/api/version')
    const latencyMs = Date.now() - startMs
    // Whatever else stands there is not Ollama's, and nothing to pass on.
    if (typeof version !== 'string' || !/^v?\d+\.\d+\.[\w.+-]{1,50}$/.test(version)) return { cause: 'answer', version: null, latencyMs }
    return { cause: isTooOld(version) ? 'version' : null, version, latencyMs }
  } catch (error) {
    const host = error instanceof GatewayError ? error.details.host : undefined
    return { cause: host ?? 'answer', version: null, latencyMs: Date.now() - startMs }
  }
}

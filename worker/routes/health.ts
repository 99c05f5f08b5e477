// Whether it works, said without a key: the gateway and its database, and the host behind it.
import { Hono } from 'hono'
import type { Config } from '../config.ts'
import { GatewayError } from '../errors.ts'
import { hostJson } from '../host-models.ts'
import { TRIGGERS } from '../ledger/proofs.ts'
import { causeOf, log } from '../log.ts'
import { type AppEnv, exchangeOf } from './context.ts'

export const health = new Hono<AppEnv>()

const TABLES = ['customers', 'api_keys', 'prices', 'holds', 'usage', 'adjustments', 'spend', 'usage_daily']

health.get('/', (c) => c.text('Ollama is running'))

health.get('/api/version', async (c) => {
  const { config } = exchangeOf(c)
  const host = await hostState(config)
  if (host.version === null)
    throw new GatewayError('upstream_unavailable', 'The host cannot be reached right now: try again in a moment.', { retryAfterSeconds: 5 })
  return c.json({ version: host.version })
})

health.get('/health', async (c) => {
  const { db } = exchangeOf(c)
  const report = { gateway: 'ok', database: 'ok', schema: 'ok' }
  try {
    const { results } = await db.prepare("SELECT name FROM sqlite_master WHERE type IN ('table', 'trigger')").all<{ name: string }>()
    const names = new Set(results.map((row) => row.name))
    const missing = [...TABLES, ...TRIGGERS].filter((name) => !names.has(name))
    if (missing.length > 0) report.schema = `missing: ${missing.join(', ')}. Run the migrations.`
  } catch (error) {
    log({ event: 'error', code: 'database', message: causeOf(error) })
    report.database = 'unavailable'
    report.schema = 'unknown'
  }
  return c.json(report, report.database === 'ok' && report.schema === 'ok' ? 200 : 503)
})

health.get('/health/ollama', async (c) => {
  const { config } = exchangeOf(c)
  const { state, version, latencyMs } = await hostState(config)
  return c.json({ state, version, latency_ms: latencyMs }, state === 'ok' ? 200 : 503)
})

interface HostState {
  state: 'ok' | 'unreachable' | 'refused' | 'timeout'
  version: string | null
  latencyMs: number
}

/** How long the host's state is remembered, milliseconds: nobody's question costs the host more than one in this time. */
const STATE_MS = 5_000
let known: { baseUrl: string; atMs: number; state: HostState } | null = null

async function hostState(config: Config): Promise<HostState> {
  if (known === null || known.baseUrl !== config.ollamaBaseUrl || Date.now() - known.atMs > STATE_MS) {
    const state = await askHost(config)
    known = { baseUrl: config.ollamaBaseUrl, atMs: Date.now(), state }
  }
  return known.state
}

async function askHost(config: Config): Promise<HostState> {
  const startMs = Date.now()
  try {
    const { version } = await hostJson(config, '/api/version')
    return { state: 'ok', version: String(version), latencyMs: Date.now() - startMs }
  } catch (error) {
    const latencyMs = Date.now() - startMs
    const code = error instanceof GatewayError ? error.code : null
    return { state: code === 'upstream_unavailable' ? 'unreachable' : code === null ? 'timeout' : 'refused', version: null, latencyMs }
  }
}

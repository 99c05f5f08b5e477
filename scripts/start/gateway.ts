// The whole gateway in this process: workerd with the Worker, its database, the front before it, the schedule beside it.
import { NIGHTLY_CRON } from '../../worker/nightly.ts'
import { DatabaseError } from '../database/database.ts'
import { readGatewayFile, removeGatewayFile, writeGatewayFile } from '../database/gateway-file.ts'
import { type DatabaseLock, lockDatabase } from '../database/lock.ts'
import { migrate } from '../database/migrate.ts'
import { serveDatabase } from '../database/server.ts'
import type { Bundle } from './bundle.ts'
import { openFront } from './front.ts'
import { countHolds, waitForHolds } from './holds.ts'
import { openRuntime, type RuntimeLog } from './runtime.ts'
import { nights, startSchedule } from './schedule.ts'

export interface GatewayOptions {
  bundle: Bundle
  /** Absolute. */
  stateDir: string
  host: string
  /** 0: any free port. */
  port: number
  ollamaUrl: string
  /** The Worker's other bindings. */
  vars: Record<string, string>
  onLog(log: RuntimeLog): void
}

export interface StopOptions {
  /** How long running answers may end by themselves. */
  graceMs: number
  /** How long those that were cut off may take to be settled. */
  settleMs: number
  /** Told, ten times a second, how many requests are waited for, and for how much longer. */
  onWait?(running: number, phase: 'grace' | 'settle', leftMs: number): void
}

export interface Gateway {
  url: string
  db: D1Database
  /** How many requests an earlier run had left in flight; they are settled by now. */
  recovered: number
  /** Calls the Worker's scheduled handler, as happens each minute. */
  sweep(): Promise<void>
  /** No new callers; running answers end or are cut off; all are settled; everything is closed. Returns how many could not be settled. */
  stop(options: StopOptions): Promise<number>
  /** As if the power had gone: whatever is in flight stays in the database as it is. */
  kill(): Promise<void>
}

const SWEEP_PERIOD_MS = 60_000

/** Starts it. Throws what kept it from starting, with everything closed again; DatabaseError where someone else has the database. */
export async function startGateway(options: GatewayOptions): Promise<Gateway> {
  const { stateDir, host } = options
  const note = (message: string, level: string) => options.onLog({ timestampMs: Date.now(), level, message })
  const closers: (() => unknown)[] = []
  const closeAll = async () => {
    for (const close of closers.splice(0).reverse()) await close()
  }
  try {
    const lock = await lockFor(stateDir, (message) => note(message, 'info'))
    closers.push(() => lock.release())
    const target = Promise.withResolvers<number>()
    const front = await openFront({ host, port: options.port, target: target.promise })
    closers.push(() => {
      front.stopAccepting()
      front.resetAll()
    })
    const runtime = await openRuntime({
      bundle: options.bundle,
      stateDir,
      vars: { ...options.vars, OLLAMA_BASE_URL: options.ollamaUrl },
      onLog: options.onLog,
      onRestart: () => note('workerd died and was started again; what was running in it is settled when its leases end.', 'error'),
    })
    closers.push(() => runtime.dispose())
    await migrate(runtime.db)
    const sweep = () => runtime.scheduled()
    const recovered = await recover(runtime.db, sweep)
    const isNight = nights(Date.now())
    const minutely = async () => {
      await sweep()
      if (isNight(Date.now())) await runtime.scheduled(NIGHTLY_CRON)
    }
    const schedule = startSchedule(SWEEP_PERIOD_MS, minutely, (error) => note(`the sweep failed: ${error}`, 'error'))
    closers.push(() => schedule.stop())
    const commands = await serveDatabase(runtime.db)
    closers.push(() => commands.close())
    await writeGatewayFile(stateDir, { url: commands.url, token: commands.token, ollama: options.ollamaUrl })
    closers.push(() => removeGatewayFile(stateDir))
    target.resolve(runtime.port)
    return {
      url: `http://${urlHost(host)}:${front.port}`,
      db: runtime.db,
      recovered,
      sweep,
      async stop({ graceMs, settleMs, onWait }) {
        try {
          // A start that comes now waits for the database instead of being told that a gateway runs.
          await removeGatewayFile(stateDir)
          await schedule.stop()
          front.stopAccepting()
          await waitForHolds(runtime.db, graceMs, (running, leftMs) => onWait?.(running, 'grace', leftMs))
          front.resetAll()
          return await waitForHolds(runtime.db, settleMs, (running, leftMs) => onWait?.(running, 'settle', leftMs))
        } finally {
          await closeAll()
        }
      },
      async kill() {
        await runtime.dispose()
        await closeAll()
      },
    }
  } catch (error) {
    await closeAll()
    throw error
  }
}

/** A gateway that runs is refused at once; a command that has the database for a moment is waited for. */
async function lockFor(stateDir: string, onWait: (message: string) => void): Promise<DatabaseLock> {
  const other = await readGatewayFile(stateDir)
  if (other === null) return lockDatabase(stateDir, { onWait })
  throw new DatabaseError(`A gateway (process ${other.pid}) already runs on ${stateDir}: stop it, or choose another STATE_DIR.`)
}

/** Nobody else has this database, so whatever is in flight in it belongs to a run that died: its leases end now. Returns how many. */
async function recover(db: D1Database, sweep: () => Promise<void>): Promise<number> {
  const before = await countHolds(db)
  if (before > 0) await db.prepare('UPDATE holds SET expires_ms = 0').run()
  // A sweep takes some hundreds at a time.
  let left = before
  for (let last = left + 1; left > 0 && left < last; left = await countHolds(db)) {
    last = left
    await sweep()
  }
  return before - left
}

/** Where a caller on this machine finds a server that listens on `host`. */
function urlHost(host: string): string {
  if (host === '0.0.0.0' || host === '::') return '127.0.0.1'
  return host.includes(':') ? `[${host}]` : host
}

// workerd with the Worker and its database in it, run by Miniflare. Not by `wrangler dev`, whose proxy passes 290 requests a second.
import { dirname, join, resolve } from 'node:path'
import { convertV4MiniflareOptions, Log, LogLevel, Miniflare, type V4WorkerOptions } from 'miniflare'
import { quietWrangler } from '../database/wrangler.ts'
import type { Bundle } from './bundle.ts'
import { keepWorkerd } from './keep-workerd.ts'
import { PROJECT_ROOT, WRANGLER_TOML } from './project.ts'

/** A line of the Worker's, or of workerd itself. */
export interface RuntimeLog {
  timestampMs: number
  level: string
  message: string
}

export interface RuntimeOptions {
  bundle: Bundle
  /** The database lies where wrangler's `--persist-to` has it. */
  stateDir: string
  vars: Record<string, string>
  onLog(log: RuntimeLog): void
  /** workerd has died and has been started again, on the same port. */
  onRestart(): void
}

export interface Runtime {
  /** Stays usable when workerd is started again. */
  db: D1Database
  /** On 127.0.0.1; the Worker answers there directly, none of Miniflare's own paths is served. */
  port: number
  /** Calls the Worker's scheduled handler: each minute's, or another. */
  scheduled(cron?: string): Promise<void>
  /** Ends workerd at once, whatever is running in it. */
  dispose(): Promise<void>
}

export async function openRuntime(options: RuntimeOptions): Promise<Runtime> {
  keepWorkerd()
  const worker = await workerOptions(options.bundle, options.vars)
  let database: D1Database
  const miniflare = withoutSignalHandlers(
    () =>
      new Miniflare(
        convertV4MiniflareOptions({
          workers: [worker],
          resourcePersistencePath: join(resolve(PROJECT_ROOT, options.stateDir), 'v3'),
          cf: false,
          logRequests: false,
          log: new Log(LogLevel.ERROR),
          handleStructuredLogs: ({ timestamp, level, message }) => options.onLog({ timestampMs: timestamp, level, message }),
          async unsafeHandleRuntimeRestart() {
            // What was taken from the dead workerd is of no use any more.
            database = await openDatabase()
            options.onRestart()
          },
        }),
      ),
  )
  const openDatabase = async () => (await miniflare.getD1Database('DB')) as unknown as D1Database
  try {
    await miniflare.ready
    database = await openDatabase()
    const { port } = await miniflare.unsafeGetDirectURL()
    return {
      db: alwaysThe(() => database),
      port: Number(port),
      async scheduled(cron = '* * * * *') {
        const worker = await miniflare.getWorker()
        const { outcome } = await worker.scheduled({ cron, scheduledTime: new Date() })
        if (outcome !== 'ok') throw new Error(`the scheduled handler ended with: ${outcome}`)
      },
      dispose: () => miniflare.dispose(),
    }
  } catch (error) {
    await miniflare.dispose()
    throw error
  }
}

/** A database that is looked up for each call. */
function alwaysThe(current: () => D1Database): D1Database {
  return new Proxy({} as D1Database, {
    get(_, name: keyof D1Database) {
      const member = current()[name]
      return typeof member === 'function' ? member.bind(current()) : member
    },
  })
}

/** What wrangler.toml says, for Miniflare: the same dates, flags and database as on Cloudflare; settings from us. */
async function workerOptions(bundle: Bundle, vars: Record<string, string>): Promise<V4WorkerOptions> {
  const { unstable_getMiniflareWorkerOptions, unstable_readConfig } = await quietWrangler()
  const fromToml = unstable_getMiniflareWorkerOptions(WRANGLER_TOML).workerOptions as object
  const { vars: tomlVars } = unstable_readConfig({ config: WRANGLER_TOML }) as { vars: Record<string, string> }
  return {
    ...fromToml,
    name: 'gateway',
    bindings: { ...tomlVars, ...vars },
    modulesRoot: dirname(bundle.path),
    modules: [{ type: 'ESModule', path: bundle.path, contents: bundle.contents }],
    unsafeDirectSockets: [{ host: '127.0.0.1', port: 0 }],
  }
}

/** Miniflare ends workerd and this process at the first signal; here a signal begins an orderly stop, and that is for others to handle. */
function withoutSignalHandlers<T>(make: () => T): T {
  const signals = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const
  const before = new Set(signals.flatMap((signal) => process.listeners(signal)))
  const made = make()
  for (const signal of signals) {
    for (const listener of process.listeners(signal)) if (!before.has(listener)) process.off(signal, listener)
  }
  return made
}

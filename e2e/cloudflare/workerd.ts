// workerd in Cloudflare's place: the D1 databases and the deployed Worker in one, so that the API and the Worker see the same rows.
import { rmSync } from 'node:fs'
import { mkdtemp } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import {
  convertV4MiniflareOptions,
  Log,
  LogLevel,
  Miniflare,
  type Request as MiniflareRequest,
  type Response as MiniflareResponse,
} from 'miniflare'
import { runOnD1 } from '../../scripts/database/d1.ts'
import type { WorkerVersion } from './resources/worker-upload.ts'
import type { SqlEngine } from './sqlite.ts'

type Outbound = (request: MiniflareRequest) => Promise<MiniflareResponse>

export interface WorkerdOptions {
  /** What the Worker fetches by a URL. */
  fetchPublic: Outbound
  /** What it fetches by a Workers VPC service, by the service's id. */
  fetchVpc(serviceId: string): Outbound
  onLog(message: string): void
}

/** A Worker that does nothing: it holds the databases. */
const HOLDER = 'export default { fetch: () => new Response(null, { status: 404 }) }'

const SETTLED_MS = 5_000

export class Workerd {
  readonly #options: WorkerdOptions
  readonly #folder: string
  readonly #miniflare: Miniflare
  readonly #databases: string[] = []
  #version: WorkerVersion | null = null
  readonly #running = new Set<Promise<void>>()
  /** Changes come one after the other. */
  #turn: Promise<unknown> = Promise.resolve()

  private constructor(options: WorkerdOptions, folder: string) {
    this.#options = options
    this.#folder = folder
    this.#miniflare = new Miniflare(this.#settings())
  }

  static async open(options: WorkerdOptions): Promise<Workerd> {
    const workerd = new Workerd(options, await mkdtemp(join(tmpdir(), 'stand-in-workerd-')))
    await workerd.#miniflare.ready
    return workerd
  }

  /** Makes a database; what it answers is D1's. */
  openDatabase(id: string): SqlEngine {
    this.#databases.push(id)
    const ready = this.#change()
    return {
      run: async (statements) => {
        await ready
        await this.#turn
        const d1 = (await this.#miniflare.getD1Database(bindingOf(id), 'holder')) as unknown as D1Database
        const results = await runOnD1(
          d1,
          statements.map(({ sql, params = [] }) => ({ sql, params })),
        )
        return results.map((one) => ({ ...one, changes: 0 }))
      },
      close: () => void this.#databases.splice(this.#databases.indexOf(id), 1),
    }
  }

  /**
   * Where the Worker of this version answers, on loopback: it is started if another one runs, once that has nothing to do any more: at Cloudflare, too,
   * a request ends on the version that it began on. @param ended when the caller of `serve` is done with it
   */
  serve(version: WorkerVersion, ended: Promise<void>): Promise<URL> {
    return this.#after(async () => {
      if (this.#version?.id !== version.id) {
        await Promise.all(this.#running)
        await this.#settled()
        this.#version = version
        await this.#miniflare.setOptions(this.#settings())
      }
      this.#running.add(ended)
      void ended.then(() => this.#running.delete(ended))
      return this.#miniflare.unsafeGetDirectURL('gateway')
    })
  }

  /** What runs in waitUntil when the answers have ended is seen by its holds alone. */
  async #settled(): Promise<void> {
    const untilMs = performance.now() + SETTLED_MS
    for (const id of this.#databases) {
      const d1 = await this.#miniflare.getD1Database(bindingOf(id), 'holder')
      const holds = () =>
        d1
          .prepare('SELECT count(*) AS n FROM holds')
          .first<number>('n')
          .catch(() => 0)
      while (((await holds()) ?? 0) > 0 && performance.now() < untilMs) await sleep(20)
    }
  }

  async close(): Promise<void> {
    await this.#turn.catch(() => {})
    await this.#miniflare.dispose()
    rmSync(this.#folder, { recursive: true, force: true })
  }

  #change(): Promise<void> {
    return this.#after(() => this.#miniflare.setOptions(this.#settings()))
  }

  #after<T>(work: () => Promise<T>): Promise<T> {
    const done = this.#turn.catch(() => {}).then(work)
    this.#turn = done
    return done
  }

  #settings() {
    const holder = {
      name: 'holder',
      modules: true,
      script: HOLDER,
      compatibilityDate: '2026-11-02',
      d1Databases: Object.fromEntries(this.#databases.map((id) => [bindingOf(id), id])),
    }
    return convertV4MiniflareOptions({
      workers: [holder, ...(this.#version === null ? [] : [this.#worker(this.#version)])],
      resourcePersistencePath: this.#folder,
      cf: false,
      log: new Log(LogLevel.ERROR),
      handleStructuredLogs: ({ message }: { message: string }) => this.#options.onLog(message),
    } as never)
  }

  #worker(version: WorkerVersion) {
    const of = (type: string) => version.bindings.filter((one) => one.type === type)
    const texts = [...of('plain_text'), ...of('secret_text')].map(({ name, text }) => [name, text])
    const vpc = of('vpc_service').map(({ name, service_id: id }) => [name, this.#options.fetchVpc(String(id))])
    const modules = version.modules.map(({ name, contents }) => ({ type: 'ESModule', path: join('/', name), contents }))
    modules.sort((a, b) => Number(b.path === join('/', version.mainModule)) - Number(a.path === join('/', version.mainModule)))
    const [metadata] = of('version_metadata')
    return {
      name: 'gateway',
      modulesRoot: '/',
      modules,
      compatibilityDate: version.compatibilityDate,
      compatibilityFlags: version.compatibilityFlags,
      bindings: {
        ...Object.fromEntries(texts),
        ...(metadata === undefined ? {} : { [metadata.name]: { id: version.id, tag: '', timestamp: version.createdOn } }),
      },
      d1Databases: Object.fromEntries(of('d1').map(({ name, id }) => [name, id])),
      serviceBindings: Object.fromEntries(vpc),
      outboundService: this.#options.fetchPublic,
      unsafeDirectSockets: [{ host: '127.0.0.1', port: 0 }],
    }
  }
}

function bindingOf(id: string): string {
  return `D1_${id.replaceAll('-', '_')}`
}

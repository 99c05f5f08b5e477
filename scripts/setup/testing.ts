// Test support: set-up run on the stand-in of Cloudflare's API, over HTTP, in a directory of its own.
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type Cloudflare, startCloudflare } from '../../e2e/cloudflare/app.ts'
import { addOrganization } from '../../e2e/cloudflare/resources/access.ts'
import { SETUP_RIGHTS } from '../../e2e/cloudflare/rights.ts'
import type { Right } from '../../e2e/cloudflare/state.ts'
import { runSetup, type SetupIo } from './program.ts'
import type { Ask } from './setup-context.ts'

export interface Ran {
  code: number
  out: string
  err: string
}

export interface World {
  cloudflare: Cloudflare
  account: string
  zone: string
  directory: string
  token: string
  /** Runs set-up with --yes. */
  setup(...args: string[]): Promise<Ran>
  /** The same in another world. */
  setupIn(changes: Partial<SetupIo> & { token?: string }, ...args: string[]): Promise<Ran>
  /** What is at Cloudflare, beside what was there before. */
  counts(): Record<string, number>
  /** The calls since the last time that write, without those that try a right. */
  writes(): string[]
  files(): Promise<string[]>
  file(name: string): Promise<string>
  write(name: string, text: string): Promise<void>
  /** Every secret that there is. */
  secrets(): Promise<string[]>
  close(): Promise<void>
}

export interface WorldOptions {
  zones?: string[]
  rights?: readonly Right[]
  team?: string | null
}

/** An account with the domain example.com and nothing in it. */
export async function newWorld({ zones = ['example.com'], rights = SETUP_RIGHTS, team = 'ada' }: WorldOptions = {}): Promise<World> {
  const cloudflare = await startCloudflare()
  const { state } = cloudflare
  const account = state.addAccount('Ada')
  const [zone = ''] = zones.map((name) => state.addZone(account, name))
  if (team !== null) addOrganization(state, account, team)
  const token = state.addToken([account], rights)
  const directory = await mkdtemp(join(tmpdir(), 'setup-'))

  async function setupIn(changes: Partial<SetupIo> & { token?: string }, ...args: string[]): Promise<Ran> {
    const out: string[] = []
    const err: string[] = []
    const io: SetupIo = {
      out: (line) => void out.push(line),
      err: (line) => void err.push(line),
      ask: null,
      directory,
      environment: { CLOUDFLARE_API_TOKEN: changes.token ?? token, CLOUDFLARE_API_BASE_URL: cloudflare.url },
      signal: new AbortController().signal,
      sleep: async () => {},
      publicFetch: null,
      deployWorker: null,
      timeoutMs: 10_000,
      ...changes,
    }
    const code = await runSetup(args, io)
    return { code, out: out.join('\n'), err: err.join('\n') }
  }

  return {
    ...{ cloudflare, account, zone, directory, token, setupIn },
    setup: (...args) => setupIn({}, '--yes', ...args),
    counts() {
      const { access_organization, ...counts } = state.counts()
      return counts
    },
    writes() {
      const calls = cloudflare.calls.splice(0)
      return calls.filter((call) => isWrite(call.method, call.path)).map(({ method, path }) => `${method} ${nameless(path)}`)
    },
    files: async () => (await readdir(directory)).sort(),
    file: (name) => readFile(join(directory, name), 'utf8'),
    write: (name, text) => writeFile(join(directory, name), text),
    async secrets() {
      const box = await readFile(join(directory, 'box.env'), 'utf8').catch(() => '')
      const tunnels = [...state.of<{ secret: string }>('cfd_tunnel', account).values()].map(({ secret }) => secret)
      return [token, ...state.secretsOf(account).values(), ...tunnels, ...(box.match(/(?<=TUNNEL_TOKEN=).+/g) ?? [])]
    },
    async close() {
      await cloudflare.close()
      await rm(directory, { recursive: true, force: true })
    },
  }
}

/** Not a read of the database, and not a call that tries a right by removing what is not there. */
export function isWrite(method: string, path: string): boolean {
  return method !== 'GET' && !/\/raw$|0{12}/.test(path)
}

/** A path without the ids in it. */
function nameless(path: string): string {
  return path.replace(/[0-9a-f]{8}-[0-9a-f-]{27}|[0-9a-f]{32}/g, '*')
}

/** Answers questions by what is in them; the default otherwise. */
export function answers(given: Record<string, string | boolean>, asked: string[] = []): Ask {
  const find = (question: string) => Object.entries(given).find(([part]) => question.includes(part))?.[1]
  return {
    async text(question, fallback) {
      asked.push(question)
      return String(find(question) ?? fallback)
    },
    async yes(question, fallback) {
      asked.push(question)
      return (find(question) ?? fallback) === true
    },
  }
}

/** The world as it is seen at the hostnames in the zone: Access in front of a tunnel. */
export function edge({ cloudflare: { state }, account, zone }: World, ollama: number): typeof fetch {
  return async function ask(input, init) {
    const { hostname } = new URL(String(input))
    const record = [...state.of('dns_records', zone).values()].find((one) => one.name === hostname)
    if (record === undefined) throw new TypeError('fetch failed', { cause: Object.assign(new Error(), { code: 'ENOTFOUND' }) })
    const guarded = [...state.of('access_apps', account).values()].some((one) => one.domain === hostname)
    const headers = new Headers(init?.headers as HeadersInit)
    const secret = state.secretsOf(account).get(headers.get('cf-access-client-id') ?? '')
    const known = secret !== undefined && secret === headers.get('cf-access-client-secret')
    if (guarded && !known) return new Response(null, { status: 401 })
    return new Response('{}', { status: ollama })
  }
}

// What the stand-in of Cloudflare's API remembers: who may call it, and what was made.
import { randomBytes, randomUUID } from 'node:crypto'
import { type SqlEngine, sqliteInMemory } from './sqlite.ts'

/** Permission groups as the API names them; the dashboard says Edit where the API says Write. A Write or Admin includes its Read. */
export type Right = `${string} ${'Read' | 'Write' | 'Admin'}`

export interface ApiToken {
  id: string
  /** Whose it is: a user's, or an account's own, which has another address to be verified at. */
  owner: 'user' | 'account'
  status: 'active' | 'disabled' | 'expired'
  rights: ReadonlySet<Right>
  /** What it reaches; a zone only if its account is here, too. */
  accounts: ReadonlySet<string>
}

interface Account {
  id: string
  name: string
}

type WorkersPlan = 'free' | 'paid'

export interface Zone {
  id: string
  name: string
  accountId: string
  plan: 'Free Website' | 'Pro Website'
  status: 'active' | 'pending'
}

/** Anything that was made, by its id, as it is sent out. Each kind has a map of its own below its account or zone. */
export type Made = Record<string, unknown>

export class CloudflareState {
  /** By the token's text. */
  readonly tokens = new Map<string, ApiToken>()
  readonly accounts = new Map<string, Account>()
  readonly zones = new Map<string, Zone>()
  /** What runs each D1 database, by its uuid. */
  readonly engines = new Map<string, SqlEngine>()
  /** Makes the engine of a new database. Whoever serves the Worker, too, sets it to one that shares the Worker's database. */
  openEngine: (uuid: string) => SqlEngine = () => sqliteInMemory()
  /** What each zone does with visitors, by its id. */
  readonly settings = new Map<string, { browserCheck: 'on' | 'off'; fightMode: boolean }>()
  /** What is paid for Workers, by account; free unless told. */
  readonly plans = new Map<string, WorkersPlan>()
  readonly #secrets = new Map<string, Map<string, string>>()
  readonly #made = new Map<string, Map<string, Made>>()

  /** What there is of a kind (`d1`, `dns_records`, …) in an account or a zone; the map may be written. */
  of<T extends object = Made>(kind: string, owner: string): Map<string, T> {
    const key = `${kind} ${owner}`
    const there = this.#made.get(key) ?? new Map<string, Made>()
    this.#made.set(key, there)
    return there as unknown as Map<string, T>
  }

  /** The secrets of an account's Access service tokens, by client id: for whoever plays Access in front of a host. */
  secretsOf(accountId: string): Map<string, string> {
    const there = this.#secrets.get(accountId) ?? new Map<string, string>()
    this.#secrets.set(accountId, there)
    return there
  }

  /** How many there are of each kind, over all accounts and zones: `{}` is an empty Cloudflare. */
  counts(): Record<string, number> {
    const counts: Record<string, number> = {}
    for (const [key, { size }] of this.#made) {
      const kind = key.slice(0, key.indexOf(' '))
      if (size > 0) counts[kind] = (counts[kind] ?? 0) + size
    }
    return counts
  }

  addAccount(name: string): string {
    const id = hex()
    this.accounts.set(id, { id, name })
    return id
  }

  addZone(accountId: string, name: string, plan: Zone['plan'] = 'Free Website', status: Zone['status'] = 'active'): string {
    const id = hex()
    this.zones.set(id, { id, name, accountId, plan, status })
    return id
  }

  /** Returns the token's text. */
  addToken(accounts: readonly string[], rights: Iterable<Right>, more: Partial<Pick<ApiToken, 'owner' | 'status'>> = {}): string {
    const text = randomBytes(30).toString('base64url')
    this.tokens.set(text, { id: hex(), owner: 'user', status: 'active', ...more, rights: new Set(rights), accounts: new Set(accounts) })
    return text
  }
}

/** An id as accounts, zones and records have it. */
export function hex(): string {
  return randomUUID().replaceAll('-', '')
}

// What a step of set-up is, and what it is given.
import type Cloudflare from 'cloudflare'
import type { Deployment } from '../cloudflare/deployment.ts'

/** Asks the owner; each answer that is a plain Enter is the default. */
export interface Ask {
  text(question: string, fallback: string): Promise<string>
  yes(question: string, fallback: boolean): Promise<boolean>
}

/** Where a D1 database can be. */
export const LOCATIONS = {
  weur: 'Western Europe',
  eeur: 'Eastern Europe',
  enam: 'Eastern North America',
  wnam: 'Western North America',
  apac: 'Asia and Pacific',
  oc: 'Oceania',
} as const
export type Location = keyof typeof LOCATIONS

export interface Setup {
  client: Cloudflare
  /** What there is; a step writes its part. */
  deployment: Deployment
  /** Keeps `deployment` as it is now. */
  save(): Promise<void>
  /** Where deployment.json, box.env and .dev.vars lie. */
  directory: string
  location: Location
  ask: Ask
  say(line: string): void
  /** Told once more at the end. */
  hint(line: string): void
  sleep(ms: number): Promise<void>
  /** Asks what the world sees; null: there is no edge to ask. */
  publicFetch: typeof fetch | null
  dryRun: boolean
}

export interface Step {
  /** What it makes, as it is told. */
  name: string
  /** What that is for, in a line. */
  why: string
  /** What it needs of the token, as the dashboard names it. */
  rights: readonly string[]
  applies(deployment: Deployment): boolean
  /** How what is there is called; it is noted in `deployment`. Null: it is to be made. Throws SetupError where its name or place is somebody else's. */
  find(setup: Setup): Promise<string | null>
  /** What only the owner can say about making it, asked before anything is made. */
  ask?(setup: Setup): Promise<void>
  /** Makes it, notes it, and says how it is called. */
  make(setup: Setup): Promise<string>
  /** Tries it. Throws SetupError where it is not as it has to be. */
  check(setup: Setup): Promise<void>
  /** What an undo would take back, as it is told; where it is not there: what `find` finds. */
  toUndo?(setup: Setup): Promise<string | null>
  /** Takes back what was found, and the note of it. Returns what is worth telling, or null. */
  undo(setup: Setup): Promise<string | null>
}

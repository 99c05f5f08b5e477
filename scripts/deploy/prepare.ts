// Everything that a deploy looks at before it changes something.
import type Cloudflare from 'cloudflare'
import { Failure } from '../admin/context.ts'
import type { Deployment } from '../cloudflare/deployment.ts'
import { publicFetch } from '../cloudflare/public-fetch.ts'
import { type Database, DatabaseError, databaseOver } from '../database/database.ts'
import { remoteTransport } from '../database/remote.ts'
import { checkAccessSecret } from './access-secret.ts'
import { checkToken } from './check-token.ts'
import { type Checkout, readCheckout } from './checkout.ts'
import { type WorkerConfiguration, workerConfiguration } from './configuration.ts'
import { allMigrations, appliedMigrations, type Migration, pendingMigrations } from './migrations.ts'
import type { Plan } from './plans.ts'
import { type Proof, proveDeployed } from './proof.ts'
import { checkHostname, cloudflareClient, type RunningVersion, runningVersion } from './running.ts'

export interface PrepareOptions {
  deployment: Deployment
  plan: Plan
  /** CLOUDFLARE_API_TOKEN; CLOUDFLARE_API_BASE_URL and CLOUDFLARE_EDGE_URL where Cloudflare is played. */
  environment: Record<string, string | undefined>
  /** Secrets to set with this version; those that are not named stay. */
  secrets?: Record<string, string>
  /** Told what is being done, a line each. */
  say(line: string): void
  /** Once it is aborted nothing more is begun, and what was begun is taken back. */
  signal?: AbortSignal
}

export interface Prepared {
  deployment: Deployment
  configuration: WorkerConfiguration
  client: Cloudflare
  db: Database
  checkout: Checkout
  running: RunningVersion | null
  pending: Migration[]
  /** null: the tables are not there yet, or too old for these proofs; then the one after the migrations is the first. */
  before: Proof | null
}

/** Changes nothing. Throws Failure, DatabaseError. Whoever prepares closes `db`. */
export async function prepare({ deployment, plan, environment, secrets = {}, say }: PrepareOptions): Promise<Prepared> {
  const configuration = await workerConfiguration(deployment, plan)
  const client = cloudflareClient(environment)
  say('Looking at the token, the address and the database …')
  await checkToken(client, deployment.accountId)
  const running = await runningVersion(client, deployment, publicFetch(environment))
  await checkHostname(client, deployment)
  await checkAccessSecret(client, deployment, secrets)
  const checkout = await readCheckout()
  say(`  this checkout is ${checkout.words}; ${running === null ? 'nothing runs yet' : `${running.release || 'an unknown version'} runs`}`)
  const db = await openDeployed(deployment, environment)
  try {
    const applied = await appliedMigrations(db)
    const pending = pendingMigrations(await allMigrations(), applied, running?.release ?? null)
    say(`  the database ${wordSchema(applied, pending)}`)
    const before = applied.length === 0 ? null : await proofBefore(db, pending, say)
    if (before !== null) say(`  the ledger ${wordProof(before)}`)
    return { deployment, configuration, client, db, checkout, running, pending, before }
  } catch (error) {
    await db.close()
    throw error
  }
}

/** Throws Failure once the owner has stopped it. @param left what is where then, a sentence */
export function checkStopped({ signal }: Pick<PrepareOptions, 'signal'>, left = ''): void {
  if (signal?.aborted) throw new Failure(`Stopped.${left}`)
}

export function wordProof({ findings, wrong }: Proof): string {
  return findings === 0 ? 'agrees' : `disagrees: ${wrong.join('; ')}`
}

function wordSchema(applied: readonly string[], pending: readonly Migration[]): string {
  const names = pending.map(({ name }) => name).join(', ')
  if (applied.length === 0) return 'is new: all migrations are to be applied'
  return pending.length === 0 ? 'is up to date' : `needs ${names}`
}

/** The deployed database, by its REST API. Throws DatabaseError. */
async function openDeployed(deployment: Deployment, environment: PrepareOptions['environment']): Promise<Database> {
  if (deployment.database === undefined) throw new Failure('deployment.json names no database: run npm run setup, which makes it.')
  const ids = { CLOUDFLARE_ACCOUNT_ID: deployment.accountId, D1_DATABASE_ID: deployment.database.id }
  return databaseOver(await remoteTransport({ ...environment, ...ids }))
}

async function proofBefore(db: Database, pending: readonly Migration[], say: PrepareOptions['say']): Promise<Proof | null> {
  try {
    return await proveDeployed(db, say, { record: false })
  } catch (error) {
    // The proofs ask for what the migrations are about to make.
    if (pending.length > 0 && error instanceof DatabaseError && /no such|no tables|older version/.test(error.message)) return null
    throw error
  }
}

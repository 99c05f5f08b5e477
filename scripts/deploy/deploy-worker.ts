// A deploy: migrations, the upload, and a look from outside; back to the version before where one of them fails.
import { Failure } from '../admin/context.ts'
import { publicFetch } from '../cloudflare/public-fetch.ts'
import { databaseErrorIn } from '../database/database.ts'
import { applyMigrations } from '../database/migrate.ts'
import { type BoxState, boxState } from './box-state.ts'
import type { Plan } from './plans.ts'
import { checkStopped, type Prepared, type PrepareOptions, prepare, wordProof } from './prepare.ts'
import { proveDeployed } from './proof.ts'
import { rollBack, runningVersion } from './running.ts'
import { waitForVersion } from './wait.ts'
import { uploadWorker } from './wrangler.ts'

export interface DeployOptions extends PrepareOptions {
  /** How long the public address may take, milliseconds; a new hostname waits for its certificate. */
  waitMs?: number
  /** Go on although the ledger disagrees as it is, for a deploy that mends it. */
  despiteFindings?: boolean
}

export interface Deployed {
  url: string
  release: string
  versionId: string
  /** null: this is the first. */
  previousVersionId: string | null
  plan: Plan
  migrations: string[]
  box: BoxState
}

/** The first version was uploaded and stays: there is none to go back to. */
export class FirstStays extends Failure {}

const SAY_EVERY_MS = 2_000
const FIRST_WAIT_MS = 600_000
const WAIT_MS = 120_000
const BACK_WAIT_MS = 60_000

/**
 * Throws Failure, with the version before serving again where there was one; DatabaseError where the database fails before anything was changed.
 * The schema is never taken back: a migration that adds does no harm to the version before.
 */
export async function deployWorker(options: DeployOptions): Promise<Deployed> {
  const prepared = await prepare(options)
  try {
    return await deployPrepared(prepared, options)
  } finally {
    await prepared.db.close()
  }
}

/** The same, once everything was looked at. */
export async function deployPrepared(prepared: Prepared, options: DeployOptions): Promise<Deployed> {
  const { deployment, running, pending, checkout } = prepared
  checkLedger(prepared, options)
  checkStopped(options, ' Nothing was changed.')
  await migrateDeployed(prepared, options)
  const versionId = await upload(prepared, options).catch((error) => goBack(prepared, options, error))
  await lookFromOutside(versionId, prepared, options).catch((error) => goBack(prepared, options, error))
  return {
    url: `https://${deployment.public.hostname}`,
    release: checkout.release,
    versionId,
    previousVersionId: running?.id ?? null,
    plan: options.plan,
    migrations: pending.map(({ name }) => name),
    box: await boxState(publicFetch(options.environment), deployment.public.hostname),
  }
}

function checkLedger({ before }: Prepared, { despiteFindings }: DeployOptions): void {
  if (before === null || before.findings === 0 || despiteFindings) return
  throw new Failure(
    `The ledger ${wordProof(before)}. Nothing was changed. npm run admin -- verify-ledger --remote names every row; --despite-findings deploys all the same.`,
  )
}

async function migrateDeployed({ db, pending, before }: Prepared, options: DeployOptions): Promise<void> {
  if (pending.length === 0) return
  const names = pending.map(({ name }) => name)
  options.say(`Applying ${names.length === 1 ? names[0] : `${names.length} migrations`} …`)
  try {
    await applyMigrations(db, names)
    const after = await proveDeployed(db, options.say, { record: true })
    if (after.findings > (before?.findings ?? 0) && !options.despiteFindings) {
      throw new Failure(`After the migrations the ledger ${wordProof(after)}.`)
    }
  } catch (error) {
    const reason = databaseErrorIn(error)?.message ?? (error as Error).message
    throw new Failure(
      `${reason}\nThe version that was running still runs. Each migration is applied whole or not at all: mend what is named, and deploy again.`,
    )
  }
}

async function upload({ configuration, checkout }: Prepared, options: DeployOptions): Promise<string> {
  const { environment, secrets = {}, say, signal } = options
  checkStopped(options)
  say('Uploading the Worker …')
  const startMs = performance.now()
  const slow = setInterval(() => say(`  wrangler uploads, ${Math.round((performance.now() - startMs) / 1000)} s …`), SAY_EVERY_MS)
  try {
    const tag = checkout.release
    return await uploadWorker({ configuration, secrets, tag, message: checkout.words, environment, signal })
  } finally {
    clearInterval(slow)
  }
}

async function lookFromOutside(versionId: string, { deployment, running, db, before }: Prepared, options: DeployOptions): Promise<void> {
  const { hostname } = deployment.public
  const { environment, say, signal, waitMs = running === null ? FIRST_WAIT_MS : WAIT_MS } = options
  say(`Waiting for https://${hostname} to answer with it …`)
  const last = await waitForVersion({ hostname, versionId, limitMs: waitMs, fetch: publicFetch(environment), say, signal })
  checkStopped(options)
  if (last !== null) {
    throw new Failure(
      `https://${hostname}/health did not tell of the new version within ${waitMs / 1000} s. Last: ${last}. npm run doctor finds out why.`,
    )
  }
  const after = await proveDeployed(db, say, { record: true })
  say(`  the ledger ${wordProof(after)}`)
  if (after.findings > (before?.findings ?? 0) && !options.despiteFindings)
    throw new Failure(`With the new version the ledger ${wordProof(after)}.`)
}

/** Sends the requests to the version before again, and says what is where. Throws Failure in any case. */
async function goBack({ client, deployment, running }: Prepared, options: DeployOptions, error: unknown): Promise<never> {
  const reason = databaseErrorIn(error)?.message ?? (error as Error).message
  const now = await runningVersion(client, deployment, publicFetch(options.environment)).catch(() => undefined)
  if (now === undefined) {
    throw new Failure(
      `${reason}\nCloudflare does not say which version runs now: npx wrangler deployments list --name ${deployment.worker} does.`,
    )
  }
  if (now === null) throw new Failure(`${reason}\nNothing runs yet: mend what is named, and run the same command again.`)
  if (now.id === running?.id) throw new Failure(`${reason}\nThe version that was running (${now.release || now.id}) still runs.`)
  if (running === null) {
    throw new FirstStays(
      `${reason}\nThis was the first version, so there is none to go back to: it stays. Mend what is named, and run the same command again.`,
    )
  }
  options.say('Going back to the version before …')
  const command = `npx wrangler rollback ${running.id} --name ${deployment.worker}`
  try {
    await rollBack(client, deployment, running.id, reason.split('\n')[0] ?? '')
  } catch (failed) {
    throw new Failure(
      `${reason}\nThe new version still runs, since going back failed, too: ${(failed as Error).message} By hand: ${command}`,
    )
  }
  const fetch = publicFetch(options.environment)
  const { hostname } = deployment.public
  const last = await waitForVersion({
    hostname,
    versionId: running.id,
    limitMs: Math.min(options.waitMs ?? BACK_WAIT_MS, BACK_WAIT_MS),
    fetch,
    say: options.say,
  })
  const seen = last === null ? 'and answers' : `but https://${hostname}/health does not show it yet (${last})`
  throw new Failure(
    `${reason}\nBack to the version before: ${running.release || running.id} runs again, ${seen}. The schema stays as it is; that version works on it.`,
  )
}

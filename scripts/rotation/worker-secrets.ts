// New secrets for the deployed Worker: given in one call, and waited for until the world is served with them.
import type Cloudflare from 'cloudflare'
import { Failure } from '../admin/context.ts'
import type { Deployment } from '../cloudflare/deployment.ts'
import { refused, runningVersion } from '../deploy/running.ts'
import { waitForVersion } from '../deploy/wait.ts'

/** All or none: a Worker with a new client id and an old secret would be let in nowhere. Throws Failure. */
export type PutSecrets = (secrets: Record<string, string>) => Promise<void>

export interface WorkerToChange {
  client: Cloudflare
  deployment: Deployment
  put: PutSecrets
  /** Asks public hostnames. */
  fetch: typeof fetch
  say(line: string): void
}

const WAIT_MS = 120_000
export const WORKERS = 'Account > Workers Scripts > Edit'

/** By Cloudflare's API: a new version with the same code, live at once. */
export function putSecretsBy(client: Cloudflare, { accountId, worker }: Deployment): PutSecrets {
  return async function put(secrets) {
    const texts = Object.entries(secrets).map(([name, text]) => [name, { name, text, type: 'secret_text' as const }])
    try {
      await client.workers.scripts.secrets.bulkUpdate(worker, { account_id: accountId, secrets: Object.fromEntries(texts) })
    } catch (error) {
      throw refused(error, WORKERS)
    }
  }
}

/** Gives them to the Worker and waits until the public address answers with them. Throws Failure. */
export async function giveSecrets({ client, deployment, put, fetch, say }: WorkerToChange, secrets: Record<string, string>): Promise<void> {
  const { hostname } = deployment.public
  await put(secrets)
  const running = await runningVersion(client, deployment, fetch)
  if (running === null) throw new Failure(`There is no Worker ${deployment.worker} that could be given a secret: npm run deploy first.`)
  say(`Waiting for https://${hostname} to answer with it …`)
  const last = await waitForVersion({ hostname, versionId: running.id, limitMs: WAIT_MS, fetch, say })
  if (last !== null) {
    throw new Failure(
      `The Worker has it, but https://${hostname}/health does not tell of the new version after ${WAIT_MS / 1000} s (${last}). Run it again.`,
    )
  }
}

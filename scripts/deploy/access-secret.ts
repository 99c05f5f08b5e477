// The secret that lets the Worker reach the box: without it a deploy succeeds, and every request fails.
import Cloudflare from 'cloudflare'
import { Failure } from '../admin/context.ts'
import type { Deployment } from '../cloudflare/deployment.ts'

const NEEDED = ['CF_ACCESS_CLIENT_ID', 'CF_ACCESS_CLIENT_SECRET']

/** Throws Failure where the box is behind Access and the Worker would not have its token. @param given the secrets that go along with the upload */
export async function checkAccessSecret(client: Cloudflare, deployment: Deployment, given: Record<string, string>): Promise<void> {
  const { host, accountId, worker } = deployment
  if (host.kind !== 'access') return
  const missing = NEEDED.filter((name) => !(name in given))
  if (missing.length === 0) return
  const there = await secretNames(client, accountId, worker)
  const lacking = missing.filter((name) => !there.has(name))
  if (lacking.length === 0) return
  throw new Failure(
    `The Worker has no ${lacking.join(' and no ')}, without which Access does not let it to the box: run npm run setup, which makes a token and deploys.`,
  )
}

/** Those of the Worker that serves; none where there is no Worker. What they are nobody is told. */
async function secretNames(client: Cloudflare, accountId: string, worker: string): Promise<Set<string>> {
  const names = new Set<string>()
  try {
    for await (const { name } of client.workers.scripts.secrets.list(worker, { account_id: accountId })) names.add(name)
  } catch (error) {
    if (!(error instanceof Cloudflare.NotFoundError)) throw error
  }
  return names
}

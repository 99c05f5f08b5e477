// What serves at Cloudflare, and the way back to it.
import Cloudflare from 'cloudflare'
import { Failure } from '../admin/context.ts'
import { API_SETTING, apiAddress, causeOf, isBarredPort, isUnknownToken } from '../cloudflare/api-address.ts'
import type { Deployment } from '../cloudflare/deployment.ts'
import { TOKENS_PAGE } from '../setup/problem.ts'

export interface RunningVersion {
  id: string
  /** The release that it is of; '': nobody knows. */
  release: string
}

const PATIENCE_MS = 30_000
const HEALTH_PATIENCE_MS = 5_000

/** @param environment CLOUDFLARE_API_TOKEN, CLOUDFLARE_API_BASE_URL. Throws Failure. */
export function cloudflareClient(environment: Record<string, string | undefined>): Cloudflare {
  const apiToken = environment.CLOUDFLARE_API_TOKEN?.trim()
  if (!apiToken) {
    throw new Failure('CLOUDFLARE_API_TOKEN is missing: the token that npm run setup was given, in the environment or in .dev.vars.')
  }
  // A key of the environment would go along beside the token.
  const alone = { apiToken, apiKey: null, apiEmail: null, userServiceKey: null }
  return new Cloudflare({ ...alone, logLevel: 'off', timeout: PATIENCE_MS, maxRetries: 2, baseURL: addressIn(environment) })
}

function addressIn(environment: Record<string, string | undefined>): string {
  try {
    return apiAddress(environment)
  } catch (error) {
    throw new Failure((error as Error).message)
  }
}

/** The version that serves; null: the Worker is not there yet. @param fetch asks the public hostname. Throws Failure. */
export async function runningVersion(client: Cloudflare, deployment: Deployment, fetch: PublicFetch): Promise<RunningVersion | null> {
  const { accountId, worker } = deployment
  try {
    // The SDK's own list looks for pages, which this has none of.
    const path = `/accounts/${accountId}/workers/scripts/${worker}/deployments`
    const { result } = await client.get<{ result: { deployments?: DeploymentRow[] } }>(path)
    const id = result.deployments?.[0]?.versions[0]?.version_id
    if (id === undefined) return null
    const version = await client.workers.scripts.versions.get(id, { account_id: accountId, script_name: worker })
    const { annotations } = version as { annotations?: Record<string, string> }
    // A change of a secret makes a version that no deploy has tagged.
    return { id, release: annotations?.['workers/tag'] || (await releaseByHealth(fetch, deployment, id)) }
  } catch (error) {
    if (error instanceof Cloudflare.NotFoundError) return null
    throw refused(error, 'Account > Workers Scripts > Edit')
  }
}

type PublicFetch = typeof fetch

async function releaseByHealth(ask: PublicFetch, { public: { hostname } }: Deployment, versionId: string): Promise<string> {
  try {
    const answer = await ask(`https://${hostname}/health`, { signal: AbortSignal.timeout(HEALTH_PATIENCE_MS) })
    const health = (await answer.json()) as { deployment?: unknown; version?: unknown }
    return health.deployment === versionId ? String(health.version) : ''
  } catch {
    return ''
  }
}

interface DeploymentRow {
  versions: { version_id: string }[]
}

/** Throws Failure where somebody else answers at the public hostname: wrangler would take it away from them without a word. */
export async function checkHostname(client: Cloudflare, { accountId, worker, public: address }: Deployment): Promise<void> {
  if (address.kind !== 'domain') return
  const { hostname, zoneId } = address
  try {
    for await (const one of client.workers.domains.list({ account_id: accountId, hostname })) {
      if (one.hostname !== hostname) continue
      if (one.service === worker) return
      throw new Failure(
        `${hostname} is the address of another Worker, ${one.service}: remove it there (dash.cloudflare.com, Workers, Domains), or set up another hostname.`,
      )
    }
  } catch (error) {
    throw refused(error, 'Account > Workers Scripts > Edit')
  }
  try {
    for await (const { name, type } of client.dns.records.list({ zone_id: zoneId, name: { exact: hostname } })) {
      if (name !== hostname) continue
      throw new Failure(`${hostname} has a DNS record (${type}) that is not this Worker's: remove it, or set up another hostname.`)
    }
  } catch (error) {
    // A token for deploys alone need not read DNS.
    if (!(error instanceof Cloudflare.PermissionDeniedError)) throw refused(error, 'Zone > DNS > Read')
  }
}

/** Sends all requests to a version that was there before. Throws Failure. */
export async function rollBack(client: Cloudflare, { accountId, worker }: Deployment, versionId: string, why: string): Promise<void> {
  try {
    await client.workers.scripts.deployments.create(worker, {
      account_id: accountId,
      strategy: 'percentage',
      versions: [{ version_id: versionId, percentage: 100 }],
      annotations: { 'workers/message': `Back from a deploy that failed: ${why}`.slice(0, 100) },
      // A secret may have changed since: what is wanted now is what worked.
      force: true,
    })
  } catch (error) {
    throw refused(error, 'Account > Workers Scripts > Edit')
  }
}

/** In words for the operator, with what to do; a Failure stays as it is. */
export function refused(error: unknown, right: string): Failure {
  if (error instanceof Failure) return error
  if (isBarredPort(error)) return new Failure(`No program asks at the port that ${API_SETTING} has: mend that.`)
  if (error instanceof Cloudflare.APIConnectionError) {
    return new Failure(`Cloudflare cannot be reached (${causeOf(error)}). Look at the network, a proxy or a firewall, and run it again.`)
  }
  if (error instanceof Cloudflare.APIError && error.errors.some(({ message }) => isUnknownToken(message ?? ''))) {
    return new Failure(
      `Cloudflare does not know this API token: was all of it copied? Set CLOUDFLARE_API_TOKEN to one that it knows, or make one at ${TOKENS_PAGE}.`,
    )
  }
  if (error instanceof Cloudflare.APIError && (error.status === 401 || error.status === 403 || error.status === 400)) {
    return new Failure(
      `Cloudflare refuses CLOUDFLARE_API_TOKEN (${error.status}): it needs the permission ${right} on this account, or Cloudflare does not know it: was all of it copied?`,
    )
  }
  if (error instanceof Cloudflare.APIError)
    return new Failure(`Cloudflare answered ${error.status}: ${error.errors?.[0]?.message ?? error.message}`)
  throw error
}

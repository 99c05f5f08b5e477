// The API token: is it good, and may it do what set-up does? Tried by calls that change nothing, before anything is made.
import Cloudflare from 'cloudflare'
import { isElsewhere, isWithoutZeroTrust, SetupError, TOKENS_PAGE } from './problem.ts'

/** Ids that nobody has: what is asked to be removed by them is not there. */
const NO_UUID = '00000000-0000-4000-8000-000000000000'
const NO_HEX = '0'.repeat(32)

interface RightNeeded {
  /** As the dashboard names it. */
  name: string
  use: string
  kind: 'both' | 'domain' | 'no-domain'
  /** A call that this right allows, and that changes nothing. */
  method: 'get' | 'delete'
  path(account: string, zone: string): string
  /** Set-up goes on without it, and says what to do by hand. */
  optional?: true
}

const RIGHTS: readonly RightNeeded[] = [
  { name: 'Account > D1 > Edit', use: 'the ledger', kind: 'both', method: 'delete', path: (a) => `/accounts/${a}/d1/database/${NO_UUID}` },
  {
    name: 'Account > Cloudflare Tunnel > Edit',
    use: 'the tunnel to the box',
    kind: 'both',
    method: 'delete',
    path: (a) => `/accounts/${a}/cfd_tunnel/${NO_UUID}`,
  },
  {
    name: 'Account > Workers Scripts > Edit',
    use: 'the Worker',
    kind: 'both',
    method: 'delete',
    path: (a) => `/accounts/${a}/workers/scripts/no-worker-${NO_HEX}`,
  },
  {
    name: 'Account > Access: Service Tokens > Edit',
    use: 'what the gateway shows to Access',
    kind: 'domain',
    method: 'delete',
    path: (a) => `/accounts/${a}/access/service_tokens/${NO_UUID}`,
  },
  {
    name: 'Account > Access: Apps and Policies > Edit',
    use: 'the guard of the box',
    kind: 'domain',
    method: 'delete',
    path: (a) => `/accounts/${a}/access/apps/${NO_UUID}`,
  },
  {
    name: 'Account > Access: Organizations, Identity Providers, and Groups > Read',
    use: "the team's name",
    kind: 'domain',
    method: 'get',
    path: (a) => `/accounts/${a}/access/organizations`,
  },
  {
    name: 'Zone > DNS > Edit',
    use: "the box's hostname",
    kind: 'domain',
    method: 'delete',
    path: (_, z) => `/zones/${z}/dns_records/${NO_HEX}`,
  },
  {
    name: 'Zone > Workers Routes > Edit',
    use: "the gateway's hostname",
    kind: 'domain',
    method: 'delete',
    path: (_, z) => `/zones/${z}/workers/routes/${NO_HEX}`,
  },
  {
    name: 'Zone > Zone Settings > Edit',
    use: 'Browser Integrity Check',
    kind: 'domain',
    method: 'get',
    path: (_, z) => `/zones/${z}/settings/browser_check`,
    optional: true,
  },
  {
    name: 'Zone > Bot Management > Edit',
    use: 'Bot Fight Mode',
    kind: 'domain',
    method: 'get',
    path: (_, z) => `/zones/${z}/bot_management`,
    optional: true,
  },
  {
    name: 'Account > Connectivity Directory > Admin',
    use: 'the way from the Worker to the box',
    kind: 'no-domain',
    method: 'delete',
    path: (a) => `/accounts/${a}/connectivity/directory/services/${NO_UUID}`,
  },
]

/** Those whose use is found out before the kind of deployment is known. */
export const FIRST_RIGHTS = [
  { name: 'Account > Account Settings > Read', use: 'which accounts there are (not needed with --account)' },
  { name: 'Zone > Zone > Read', use: 'which domains there are (not needed without a domain)' },
]

/** All rights of a kind of deployment, one a line. */
export function rightsTable(kind: 'domain' | 'no-domain' | null): string {
  const all = [...FIRST_RIGHTS, ...RIGHTS.filter((one) => kind === null || one.kind === 'both' || one.kind === kind)]
  return table(all)
}

function table(rights: readonly { name: string; use: string }[]): string {
  const width = Math.max(...rights.map(({ name }) => name.length))
  return rights.map(({ name, use }) => `  ${name.padEnd(width)}  ${use}`).join('\n')
}

/** The right belongs to what is set up; throws a SetupError that names all that are missing. Returns the optional ones that are. */
export async function checkRights(client: Cloudflare, kind: 'domain' | 'no-domain', account: string, zone: string): Promise<RightNeeded[]> {
  const wanted = RIGHTS.filter((one) => one.kind === 'both' || one.kind === kind)
  const held = await Promise.all(wanted.map((one) => mayCall(client, one.method, one.path(account, zone))))
  const missing = wanted.filter((_, i) => !held[i])
  const needed = missing.filter(({ optional }) => !optional)
  if (needed.length > 0) {
    const rights = needed.length === 1 ? 'a right' : `${needed.length} rights`
    throw new SetupError(
      `The API token lacks ${rights}:\n${table(needed)}\nAdd that at ${TOKENS_PAGE} (… beside the token, Edit), for this account and domain, and run npm run setup again. Nothing was made yet.`,
    )
  }
  return missing
}

/** Refused for the right is 401 or 403; a call that is let through finds nothing (404), or complains of something else. */
async function mayCall(client: Cloudflare, method: 'get' | 'delete', path: string): Promise<boolean> {
  try {
    await client[method](path)
    return true
  } catch (error) {
    if (!(error instanceof Cloudflare.APIError) || error.status === undefined || error.status === 429 || error.status >= 500) throw error
    if (isElsewhere(error) || isWithoutZeroTrust(error)) throw error
    return error.status !== 401 && error.status !== 403
  }
}

/** @param account for a token that belongs to an account, not a user. Throws SetupError: not a token, or not a good one. */
export async function verifyToken(client: Cloudflare, account: string | undefined): Promise<void> {
  const asUser = await statusOf(() => client.user.tokens.verify())
  const status = asUser ?? (account === undefined ? null : await statusOf(() => client.accounts.tokens.verify({ account_id: account })))
  if (status === 'active') return
  const make = `Make one at ${TOKENS_PAGE} with the rights that docs/setup.md lists, and set CLOUDFLARE_API_TOKEN to it.`
  if (status === 'expired') throw new SetupError(`The API token has expired. ${make}`)
  if (status === 'disabled') throw new SetupError(`The API token is disabled. Enable it at ${TOKENS_PAGE}, or make another one.`)
  const ofAccount = account === undefined ? ' If it is a token of the account and not of a user, give --account, too.' : ''
  throw new SetupError(`Cloudflare does not know this API token: was all of it copied?${ofAccount} ${make}`)
}

/** Throws SetupError where the token is of another account than deployment.json. One that may not list accounts is tried by the calls themselves. */
export async function checkAccount(client: Cloudflare, account: string): Promise<void> {
  const reached: string[] = []
  try {
    for await (const { id, name } of client.accounts.list()) {
      if (id === account) return
      reached.push(name)
    }
  } catch (error) {
    if (error instanceof Cloudflare.APIError && [400, 401, 403].includes(error.status ?? 0)) return
    throw error
  }
  if (reached.length === 0) return
  throw new SetupError(
    `The API token does not reach the account ${account}, which this directory's deployment.json is for. It reaches ${reached.join(', ')}. Set CLOUDFLARE_API_TOKEN to a token of that account.`,
  )
}

/** Null: no such token. */
async function statusOf(verify: () => PromiseLike<{ status?: string }>): Promise<string | null> {
  try {
    return (await verify()).status ?? null
  } catch (error) {
    if (isElsewhere(error)) throw error
    if (error instanceof Cloudflare.APIError && [400, 401, 403, 404].includes(error.status ?? 0)) return null
    throw error
  }
}

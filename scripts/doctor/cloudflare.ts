// What Cloudflare's API says of the deployment: the tunnel, the service token's end, addresses that should not be there, the day's quota.
import Cloudflare from 'cloudflare'
import { DAY_MS } from '../../worker/ledger/periods.ts'
import { minute } from '../admin/table.ts'
import type { Deployment } from '../cloudflare/deployment.ts'
import { bad, badAlone, type Finding, ok, warning } from './finding.ts'

type AccessLink = Extract<Deployment['host'], { kind: 'access' }>

/** What a call gave, or a yellow line where the token may not make it. Throws what is no refusal. */
async function allowed<T>(call: Promise<T>, what: string, right: string): Promise<{ value: T } | Finding> {
  try {
    return { value: await call }
  } catch (error) {
    if (error instanceof Cloudflare.APIConnectionError)
      return warning(`${what}: Cloudflare's API does not answer`, 'Try again in a moment.')
    if (!(error instanceof Cloudflare.APIError)) throw error
    if (error.status === 400 || error.status === 401 || error.status === 403)
      return warning(`${what} cannot be seen: CLOUDFLARE_API_TOKEN may not ask`, `Give the token the permission ${right}.`)
    if (error.status === 404) return bad(`${what} is not there any more`, 'npm run setup makes it again.')
    return warning(`${what}: Cloudflare's API answers ${error.status}`, 'Try again in a moment.')
  }
}

/** cloudflared passes streams of JSON lines on at once since this version. */
const CONNECTOR_SINCE = [2025, 4, 1]

interface Connector {
  version?: string
  client_version?: string
  conns?: { client_version?: string }[]
}

export async function askTunnel(client: Cloudflare, { accountId, tunnel }: Deployment): Promise<Finding> {
  if (tunnel === undefined) return bad('none was made', 'npm run setup')
  const scope = { account_id: accountId }
  const right = 'Account > Cloudflare Tunnel > Read'
  const tunnels = client.zeroTrust.tunnels.cloudflared
  const state = await allowed(
    tunnels.get(tunnel.id, scope).then(({ status }) => String(status)),
    `the tunnel ${tunnel.name}`,
    right,
  )
  if (!('value' in state)) return state
  const connectors: Connector[] = []
  for await (const one of tunnels.connections.get(tunnel.id, scope)) connectors.push(one as Connector)
  const versions = connectors.map(({ version, client_version, conns }) => version ?? client_version ?? conns?.[0]?.client_version ?? '')
  return judgeTunnel(tunnel.name, state.value, versions)
}

export function judgeTunnel(name: string, status: string, versions: readonly string[]): Finding {
  const start = 'On the box: docker compose up -d (or systemctl start cloudflared), and look at its log.'
  if (status === 'inactive') return badAlone(`${name}: no cloudflared has ever connected`, start)
  if (status === 'down') return badAlone(`${name}: cloudflared is not connected`, start)
  const old = versions.find(isOld)
  if (old !== undefined) {
    return warning(`${name}: cloudflared ${old} holds streams back`, `On the box: update it to ${CONNECTOR_SINCE.join('.')} or later.`)
  }
  const said = `${name}: ${status}, cloudflared ${[...new Set(versions)].join(', ') || 'of an unknown version'}`
  return status === 'healthy' ? ok(said) : warning(said, 'Some of its connections are lost: look at the network of the box.')
}

function isOld(version: string): boolean {
  const parts = version.split('.').map(Number)
  if (parts.length !== 3 || parts.some(Number.isNaN)) return false
  const at = CONNECTOR_SINCE.findIndex((since, index) => since !== parts[index])
  return at >= 0 && (parts[at] ?? 0) < (CONNECTOR_SINCE[at] ?? 0)
}

/** What Cloudflare says of the token that serves; where it may not be asked, what set-up wrote down. */
export async function askServiceToken(
  client: Cloudflare | null,
  { accountId }: Deployment,
  host: AccessLink,
  nowMs: number,
): Promise<Finding> {
  const token = host.serviceTokens.at(-1)
  if (token === undefined) return bad('none was made', 'npm run setup')
  const asked =
    client && (await allowed(client.zeroTrust.access.serviceTokens.get(token.id, { account_id: accountId }), 'the service token', ''))
  if (asked && !('value' in asked) && asked.level === 'error') return asked
  const expiresAt = (asked && 'value' in asked ? asked.value.expires_at : undefined) ?? token.expiresAt
  return judgeServiceToken(Date.parse(expiresAt), host.serviceTokens.length, nowMs, token.olderUntil)
}

const SOON_DAYS = 30

/** @param olderUntil until when `rotate-access --keep` keeps the older ones */
export function judgeServiceToken(expiresMs: number, tokens: number, nowMs: number, olderUntil?: string): Finding {
  const days = Math.floor((expiresMs - nowMs) / DAY_MS)
  const date = new Date(expiresMs).toISOString().slice(0, 10)
  const rotate = 'npm run admin -- rotate-access'
  if (expiresMs <= nowMs) return badAlone(`it ended on ${date}: nothing reaches the box`, rotate)
  if (days <= SOON_DAYS) return warning(`it ends on ${date}, in ${days} ${days === 1 ? 'day' : 'days'}`, rotate)
  if (tokens > 1) {
    const keptMs = olderUntil === undefined ? nowMs : Date.parse(olderUntil)
    const remedy =
      keptMs > nowMs
        ? `It is kept until ${minute(keptMs)} UTC, as --keep said: ${rotate} takes it away after that, with --keep 0 at once.`
        : `${rotate} takes it away.`
    return warning(`it ends on ${date}; an older one is still let in`, remedy)
  }
  return ok(`it ends on ${date}, in ${days} days`)
}

export async function askAddresses(client: Cloudflare, { accountId, worker, public: address }: Deployment): Promise<Finding> {
  const asked = await allowed(
    client.workers.scripts.subdomain.get(worker, { account_id: accountId }),
    `the Worker ${worker}`,
    'Account > Workers Scripts > Read',
  )
  return 'value' in asked ? judgeAddresses(asked.value, address.kind) : asked
}

export function judgeAddresses(
  { enabled, previews_enabled: previews }: { enabled: boolean; previews_enabled: boolean },
  kind: Deployment['public']['kind'],
): Finding {
  const open = [...(enabled && kind === 'domain' ? ['workers.dev'] : []), ...(previews ? ['preview addresses'] : [])]
  if (open.length === 0)
    return ok(kind === 'domain' ? 'the domain alone; workers.dev and previews are off' : 'workers.dev alone; previews are off')
  return badAlone(`it answers at ${open.join(' and ')}, too: old versions stay public`, 'npm run deploy switches them off.')
}

/** Rows a day on the free plan, of all the account's databases; on the paid one there is no daily end. */
const DAILY = { read: 5_000_000, written: 100_000 }
const NEAR = 0.8

const QUERY = `query ($account: String!, $day: Date!) { viewer { accounts(filter: { accountTag: $account }) {
  d1AnalyticsAdaptiveGroups(limit: 1, filter: { date_geq: $day, date_leq: $day }) { sum { rowsRead rowsWritten } } } } }`

interface Analytics {
  data: { viewer: { accounts: { d1AnalyticsAdaptiveGroups: { sum: { rowsRead: number; rowsWritten: number } }[] }[] } } | null
  errors?: { message: string }[] | null
}

export async function askQuota(client: Cloudflare, { accountId, plan }: Deployment, nowMs: number): Promise<Finding> {
  const variables = { account: accountId, day: new Date(nowMs).toISOString().slice(0, 10) }
  const right = 'Account > Account Analytics > Read'
  const asked = await allowed(client.post<Analytics>('/graphql', { body: { query: QUERY, variables } }), 'the rows of today', right)
  if (!('value' in asked)) return asked
  const account = asked.value.data?.viewer.accounts[0]
  if (account === undefined)
    return warning('the rows of today cannot be seen: CLOUDFLARE_API_TOKEN may not ask', `Give the token the permission ${right}.`)
  const { rowsRead = 0, rowsWritten = 0 } = account.d1AnalyticsAdaptiveGroups[0]?.sum ?? {}
  return judgeQuota({ read: rowsRead, written: rowsWritten }, plan)
}

export function judgeQuota({ read, written }: { read: number; written: number }, plan: Deployment['plan']): Finding {
  const count = (rows: number) => rows.toLocaleString('en-US')
  if (plan === 'paid') return ok(`${count(read)} rows read and ${count(written)} written today; the paid plan has no daily end`)
  const [readShare, writtenShare] = [read / DAILY.read, written / DAILY.written]
  const used = `${count(read)} of ${count(DAILY.read)} rows read, ${count(written)} of ${count(DAILY.written)} written today`
  const remedy = 'At the end of it every request is refused until 00:00 UTC: the paid plan of Workers ($5 a month) has no daily end.'
  if (Math.max(readShare, writtenShare) >= 1) return badAlone(used, remedy)
  return Math.max(readShare, writtenShare) >= NEAR ? warning(used, remedy) : ok(used)
}

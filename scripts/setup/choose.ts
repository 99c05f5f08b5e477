// What is to be set up: account, domain, hostnames. Asked once; then deployment.json has it.
import type Cloudflare from 'cloudflare'
import type { Deployment } from '../cloudflare/deployment.ts'
import type { Options } from './options.ts'
import { UsageError } from './options.ts'
import { explain, SetupError } from './problem.ts'
import { FIRST_RIGHTS } from './rights.ts'
import type { Ask } from './setup-context.ts'
import { accountSubdomain } from './steps/subdomain.ts'

const DEFAULT_NAME = 'ollama-edge-gateway'

export interface Chooser {
  client: Cloudflare
  options: Options
  ask: Ask
  say(line: string): void
}

/** Throws SetupError or UsageError: what cannot be. */
export async function choose(chooser: Chooser): Promise<Deployment> {
  const account = await chooseAccount(chooser)
  const worker = chooser.options.name ?? DEFAULT_NAME
  const zone = await chooseZone(chooser, account)
  if (zone === null) {
    const hostname = `${worker}.${await subdomain(chooser, account.id, worker)}.workers.dev`
    return { accountId: account.id, worker, public: { kind: 'workers.dev', hostname }, host: { kind: 'vpc' } }
  }
  const { options, ask } = chooser
  const hostname = options.hostname ?? (await ask.text('Where do customers call?', `api.${zone.name}`))
  const box =
    options.boxHostname ?? (await ask.text("The box's own hostname, which only the gateway gets through to?", `ollama.${zone.name}`))
  for (const [option, given] of [
    ['--hostname', hostname],
    ['--box-hostname', box],
  ] as const) {
    refuseHostname(option, given, zone.name)
  }
  if (hostname === box) throw new UsageError(`--hostname and --box-hostname are both ${hostname}: the box needs one of its own.`)
  return {
    accountId: account.id,
    worker,
    public: { kind: 'domain', hostname, zoneId: zone.id, zoneName: zone.name },
    host: { kind: 'access', hostname: box, serviceTokens: [] },
  }
}

/** The choices of an earlier run hold. Throws UsageError where an option says otherwise. */
export function refuseOtherChoice(deployment: Deployment, options: Options): void {
  const { public: published, host } = deployment
  const chosen: [string, string | undefined, string | undefined][] = [
    ['--name', options.name, deployment.worker],
    ['--zone', options.zone, published.kind === 'domain' ? published.zoneName : undefined],
    ['--hostname', options.hostname, published.hostname],
    ['--box-hostname', options.boxHostname, host.kind === 'access' ? host.hostname : undefined],
    ['--no-domain', options.noDomain ? 'no domain' : undefined, published.kind === 'domain' ? published.zoneName : 'no domain'],
  ]
  const remedy = 'Undo that first (npm run setup -- --undo), or leave the option out.'
  for (const [option, wanted, there] of chosen) {
    if (wanted !== undefined && wanted !== there)
      throw new UsageError(`${option}: this directory's deployment.json is set up for ${there}. ${remedy}`)
  }
  const isId = options.account !== undefined && /^[0-9a-f]{32}$/.test(options.account)
  if (isId && options.account !== deployment.accountId) {
    throw new UsageError(`--account: this directory's deployment.json is set up for the account ${deployment.accountId}. ${remedy}`)
  }
}

interface Named {
  id: string
  name: string
}

async function chooseAccount({ client, options, ask }: Chooser): Promise<Named> {
  const accounts: Named[] = []
  for await (const { id, name } of client.accounts.list()) accounts.push({ id, name })
  const { account: wanted } = options
  if (wanted !== undefined) {
    const found = accounts.find(({ id, name }) => id === wanted || name === wanted)
    if (found !== undefined) return found
    // The list may be empty for want of a right that is not needed otherwise.
    if (/^[0-9a-f]{32}$/.test(wanted) && accounts.length === 0) return { id: wanted, name: wanted }
    throw new UsageError(`--account ${wanted}: the API token does not reach it. It reaches ${listed(accounts)}.`)
  }
  const [first] = accounts
  if (first === undefined) {
    throw new SetupError(
      `The API token shows no account: it lacks ${FIRST_RIGHTS[0]?.name}. Add that, or give --account with the account's id (in the dashboard: Account home > ⋮ > Copy account ID).`,
    )
  }
  if (accounts.length === 1) return first
  const name = await ask.text(`Which account: ${accounts.map((one) => one.name).join(', ')}?`, '')
  const found = accounts.find((one) => one.name === name || one.id === name)
  if (found === undefined) throw new UsageError(`--account is needed: the API token reaches ${listed(accounts)}.`)
  return found
}

async function chooseZone({ client, options, ask, say }: Chooser, account: Named): Promise<Named | null> {
  if (options.noDomain) return null
  const zones: (Named & { status?: string })[] = []
  const list = client.zones.list({ account: { id: account.id } })
  for await (const { id, name, status } of list) zones.push({ id, name, ...(status ? { status } : {}) })
  const wanted =
    options.zone ?? (zones.length > 1 ? await ask.text(`Which domain: ${zones.map(({ name }) => name).join(', ')}?`, '') : undefined)
  const found = wanted === undefined ? zones[0] : zones.find(({ name }) => name === wanted)
  const none = `the API token shows none in the account ${account.name} (for that it needs ${FIRST_RIGHTS[1]?.name}, on this domain)`
  if (found === undefined && options.zone !== undefined) {
    const seen = zones.length === 0 ? none : `the account ${account.name} has ${listed(zones)}`
    throw new UsageError(
      `--zone ${options.zone}: ${seen}. Add the domain at dash.cloudflare.com > Domains, or set up without one: --no-domain`,
    )
  }
  if (found === undefined && zones.length > 0) throw new UsageError(`--zone is needed: the account ${account.name} has ${listed(zones)}.`)
  if (found === undefined) {
    say(`No domain: ${none}.`)
    if (await ask.yes('Set up without a domain (workers.dev, and Workers VPC to the box)?', true)) return null
    throw new SetupError('Add a domain at dash.cloudflare.com > Domains, and run npm run setup again.')
  }
  if (found.status !== undefined && found.status !== 'active') {
    throw new SetupError(
      `${found.name} is not active at Cloudflare yet (${found.status}): set its name servers at your registrar to those that dash.cloudflare.com > ${found.name} shows, wait until it is active, and run npm run setup again.`,
    )
  }
  return found
}

function listed(all: readonly Named[]): string {
  return all.length === 0 ? 'none' : all.map(({ name }) => name).join(', ')
}

function refuseHostname(option: string, hostname: string, zone: string): void {
  if (!/^(?!-)[a-z0-9-]{1,63}(?:\.[a-z0-9-]{1,63})+$/.test(hostname) || hostname.length > 253) {
    throw new UsageError(`${option} ${hostname}: that is not a hostname, such as api.${zone}.`)
  }
  if (hostname !== zone && !hostname.endsWith(`.${zone}`))
    throw new UsageError(`${option} ${hostname}: it has to be in ${zone}, such as api.${zone}.`)
  if (hostname.split('.').length > zone.split('.').length + 1) {
    throw new UsageError(`${option} ${hostname}: Cloudflare's certificate covers one level below ${zone}, such as api.${zone}.`)
  }
}

/** The account's own name below workers.dev; for an account that has none yet, the one that it is to get. */
async function subdomain({ client, ask }: Chooser, account: string, worker: string): Promise<string> {
  const there = await accountSubdomain(client, account).catch((error) => {
    throw explain(error, ['Account > Workers Scripts > Edit'])
  })
  if (there !== null) return there
  const question = 'The account has no name below workers.dev yet (it keeps it, whatever is undone). Which?'
  return (await ask.text(question, `${worker}-${account.slice(0, 6)}`)).trim().toLowerCase()
}

// The doctor of a deployed gateway: what deployment.json says was made, looked at from outside and through Cloudflare's API.
import { setTimeout } from 'node:timers/promises'
import type Cloudflare from 'cloudflare'
import { canonicalModel } from '../../worker/model-name.ts'
import type { Deployment } from '../cloudflare/deployment.ts'
import type { OpenDatabase } from '../database/open.ts'
import { SetupError } from '../setup/problem.ts'
import { verifyToken } from '../setup/rights.ts'
import { askAsStranger } from './access.ts'
import { type Asked, ask, jsonIn } from './ask.ts'
import { askAddresses, askQuota, askServiceToken, askTunnel } from './cloudflare.ts'
import { bad, type Check, type Finding, ok, skipped, unasked, warning } from './finding.ts'
import { countedIn, judgeAgent, judgeClock, judgeGateway, judgeHost } from './gateway.ts'
import { askMigrations, askPrices, type OnHost } from './ledger.ts'
import { askName, askNetwork, type Resolve } from './names.ts'
import { askHealth, LEDGER_CHECK, notePrices, opened, type Session, TOKEN_CHECKS, useDatabase } from './session.ts'

export interface RemoteWorld extends Session {
  deployment: Deployment
  resolve: Resolve
  /** null: there is no token for it. */
  client: Cloudflare | null
  migrations: readonly string[]
  /** The box's own list needs the token that else only the Worker has; null: it is not here. */
  access: { clientId: string; clientSecret: string } | null
  /** One of the two is here, without the other. */
  hasHalfAccess: boolean
  open(): Promise<OpenDatabase>
}

/** As these programs name themselves. */
const AGENTS = { curl: 'curl/8.14.1', 'openai-python': 'OpenAI/Python 2.9.0', ollama: 'ollama/0.33.0 (amd64 linux) Go/go1.25.4' }

const NETWORK = ['network']
const HALF_ACCESS = warning(
  'of CF_ACCESS_CLIENT_ID and CF_ACCESS_CLIENT_SECRET only one is set, which lets nobody in: it is not used',
  'Set both, or neither, in .dev.vars or the environment: they only let this machine see the list of models on the box.',
)
const ACCESS_CHECKS: readonly Check<RemoteWorld>[] = [
  { name: 'settings', title: 'settings', run: async ({ hasHalfAccess }) => (hasHalfAccess ? HALF_ACCESS : []) },
  {
    name: 'host-name',
    title: "the box's name",
    needs: NETWORK,
    run: (world) => askName(world.resolve, hostOf(world).hostname, 'npm run setup makes the record.'),
  },
  {
    name: 'access',
    title: 'Access',
    needs: ['host-name'],
    run: (world) => askAsStranger(world.fetch, hostOf(world).hostname),
  },
  {
    name: 'service-token',
    title: 'Access token',
    needs: NETWORK,
    run: (world) => askServiceToken(world.client, world.deployment, hostOf(world), world.nowMs()),
  },
]

const CHECKS: readonly Check<RemoteWorld>[] = [
  {
    name: 'gateway',
    title: 'gateway',
    needs: ['public-name'],
    run: async (world) => judgeGateway(await askHealth(world), world.baseUrl, 'npm run deploy'),
  },
  { name: 'clock', title: 'clock', needs: ['gateway'], run: async ({ health }) => judgeClock(health ?? { silent: 'not asked' }) },
  {
    name: 'agents',
    title: 'clients',
    needs: ['public-name'],
    run: askAsClients,
  },
  { name: 'api', title: "Cloudflare's API", needs: NETWORK, run: askApi },
  { name: 'tunnel', title: 'tunnel', needs: ['api'], run: (world) => askTunnel(world.client as Cloudflare, world.deployment) },
  { name: 'addresses', title: 'addresses', needs: ['api'], run: (world) => askAddresses(world.client as Cloudflare, world.deployment) },
  {
    name: 'quota',
    title: 'quota of the day',
    needs: ['api'],
    run: (world) => askQuota(world.client as Cloudflare, world.deployment, world.nowMs()),
  },
  {
    name: 'host',
    title: 'Ollama',
    needs: ['gateway'],
    run: async (world) => judgeHost(await ask(world.fetch, `${world.baseUrl}/health/ollama`)),
  },
  { name: 'database', title: 'schema', needs: ['api'], run: openAndCompare },
  LEDGER_CHECK,
  {
    name: 'prices',
    title: 'prices',
    needs: ['database'],
    run: (world) => notePrices(world, comparePrices(world)),
  },
  ...TOKEN_CHECKS,
]

/** Without a hostname of the box there is none to be looked at. */
export function remoteChecks({ host, public: address }: Deployment): readonly Check<RemoteWorld>[] {
  const first: Check<RemoteWorld>[] = [
    { name: 'network', title: 'network', run: (world) => askNetwork(world.resolve) },
    {
      name: 'public-name',
      title: 'public name',
      needs: NETWORK,
      run: (world) => askName(world.resolve, address.hostname, 'npm run deploy makes it.'),
    },
  ]
  return [...first, ...(host.kind === 'access' ? ACCESS_CHECKS : []), ...CHECKS]
}

function hostOf({ deployment }: RemoteWorld) {
  if (deployment.host.kind !== 'access') throw new Error('the box has no hostname')
  return deployment.host
}

async function askAsClients(world: RemoteWorld): Promise<Finding | Finding[]> {
  if (world.health !== null && 'silent' in world.health) return skipped('gateway')
  return Promise.all(Object.entries(AGENTS).map(([name, agent]) => askAs(world, name, agent)))
}

/** A list that needs a key: without one the gateway refuses in JSON, and Cloudflare's bot defences would come before. */
async function askAs({ fetch, baseUrl }: RemoteWorld, name: string, agent: string): Promise<Finding> {
  const asked = await ask(fetch, `${baseUrl}/v1/models`, { headers: { 'user-agent': agent } })
  return judgeAgent(asked, name)
}

async function askApi({ client, deployment }: RemoteWorld): Promise<Finding> {
  const without = 'what only Cloudflare knows is not looked at'
  if (client === null) {
    const remedy = 'Set it to the token that npm run setup was given, in the environment or in .dev.vars.'
    return unasked(`CLOUDFLARE_API_TOKEN is not set: ${without}`, remedy)
  }
  try {
    await verifyToken(client, deployment.accountId)
    return ok('the token is good')
  } catch (error) {
    if (error instanceof SetupError) return bad(`${without}: CLOUDFLARE_API_TOKEN is not good`, error.message)
    return unasked(`it does not answer: ${without}`, 'Look at www.cloudflarestatus.com, and try again.')
  }
}

async function openAndCompare(world: RemoteWorld): Promise<Finding> {
  if (world.deployment.database === undefined) return bad('no database was made', 'npm run setup')
  return useDatabase(world, await world.open(), (db) => askMigrations(db, world.migrations, 'npm run deploy applies them.'))
}

/** The gateway remembers its counts for five seconds: a price may have come since, so what looks wrong is asked for again. */
const COUNTS_MS = 5_500

async function comparePrices(world: RemoteWorld): Promise<Finding> {
  const judged = async () => {
    const onHost = await modelsOnBox(world)
    return { counted: 'offered' in onHost, finding: await askPrices(opened(world), onHost, world.nowMs(), true) }
  }
  const { counted, finding } = await judged()
  if (!counted || finding.level === 'ok') return finding
  await setTimeout(COUNTS_MS)
  return (await judged()).finding
}

/** The box's own list needs the Access token, which else only the Worker has: that counts. */
async function modelsOnBox({ access, baseUrl, deployment, fetch }: RemoteWorld): Promise<OnHost> {
  const { host } = deployment
  if (host.kind !== 'access' || access === null) {
    const counted = countedIn(await ask(fetch, `${baseUrl}/health/ollama`))
    return counted ?? { why: 'the gateway does not come through to Ollama' }
  }
  const headers = { 'CF-Access-Client-Id': access.clientId, 'CF-Access-Client-Secret': access.clientSecret }
  return modelsIn(await ask(fetch, `https://${host.hostname}/api/tags`, { headers }))
}

function modelsIn(asked: Asked): readonly string[] | { why: string } {
  if ('silent' in asked) return { why: asked.silent }
  const { models } = (jsonIn(asked) ?? {}) as { models?: { name: string }[] }
  if (!Array.isArray(models)) return { why: `the box answers ${asked.status}: are CF_ACCESS_CLIENT_ID and _SECRET those of today?` }
  return models.flatMap(({ name }) => canonicalModel(name) ?? [])
}

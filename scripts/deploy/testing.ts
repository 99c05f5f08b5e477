// Test support: an account at the stand-in of Cloudflare, with what set-up makes of it, the edge before it and an Ollama behind.
import { type Cloudflare, startCloudflare } from '../../e2e/cloudflare/app.ts'
import { type Edge, forward, startEdge } from '../../e2e/cloudflare/edge.ts'
import { addOrganization } from '../../e2e/cloudflare/resources/access.ts'
import { deployedVersion, type Worker, type WorkerVersion } from '../../e2e/cloudflare/resources/worker-upload.ts'
import { workersOf } from '../../e2e/cloudflare/resources/workers.ts'
import { type StandIn, startStandIn } from '../../host/stand-in/server.ts'
import { runCommand } from '../admin/run-command.ts'
import type { Deployment } from '../cloudflare/deployment.ts'
import { publicFetch } from '../cloudflare/public-fetch.ts'

export const ACCESS = { clientId: 'client.access', clientSecret: 'a-secret-of-the-service-token' }
export const HOSTNAME = 'api.example.com'

export interface TestCloudflare {
  cloudflare: Cloudflare
  edge: Edge
  ollama: StandIn
  deployment: Deployment
  environment: Record<string, string>
  /** Asks a public hostname. */
  ask: typeof fetch
  /** A command with --remote; its JSON. */
  admin<T = Record<string, unknown>>(...args: string[]): Promise<T>
  /** A statement to the deployed database, as the API runs it. */
  sql(text: string): Promise<unknown>
  /** The Worker, that of `deployment` unless told, and its version that serves. */
  uploaded(name?: string): { worker: Worker; version: WorkerVersion }
  /** The settings of a version. */
  texts(version: WorkerVersion): Record<string, string>
  close(): Promise<void>
}

const RIGHTS = ['Workers Scripts Write', 'D1 Write', 'Zone Read', 'DNS Write'] as const

/** What set-up leaves: a database, a domain, and a box behind Access. The plan is paid unless told. */
export async function testCloudflare(plan: 'free' | 'paid' = 'paid'): Promise<TestCloudflare> {
  const ollama = await startStandIn({ pace: 'instant', access: ACCESS })
  const cloudflare = await startCloudflare()
  const { state } = cloudflare
  const edge = await startEdge({ state, box: (incoming, outgoing) => forward(incoming, outgoing, new URL(ollama.url)) })
  const accountId = state.addAccount('Ada')
  state.plans.set(accountId, plan)
  addOrganization(state, accountId, 'ada')
  const zoneId = state.addZone(accountId, 'example.com')
  const token = state.addToken([accountId], RIGHTS)
  const post = async (path: string, body: object) => {
    const headers = { authorization: `Bearer ${token}`, 'content-type': 'application/json' }
    const answer = await fetch(`${cloudflare.url}${path}`, { method: 'POST', headers, body: JSON.stringify(body) })
    return ((await answer.json()) as { result: Record<string, string> }).result
  }
  const database = await post(`/accounts/${accountId}/d1/database`, { name: 'gateway' })
  await post(`/zones/${zoneId}/dns_records`, { type: 'CNAME', name: 'ollama.example.com', content: 't1.cfargotunnel.com', proxied: true })
  const expiresAt = new Date(Date.now() + 365 * 86_400_000).toISOString()
  const environment = {
    CLOUDFLARE_API_TOKEN: token,
    CLOUDFLARE_API_BASE_URL: cloudflare.url,
    CLOUDFLARE_EDGE_URL: edge.url,
  }
  const deployment: Deployment = {
    accountId,
    plan,
    worker: 'ollama-edge-gateway',
    database: { id: database.uuid ?? '', name: 'gateway' },
    public: { kind: 'domain', hostname: HOSTNAME, zoneId, zoneName: 'example.com' },
    host: {
      kind: 'access',
      hostname: 'ollama.example.com',
      serviceTokens: [{ id: 's1', clientId: ACCESS.clientId, expiresAt }],
    },
  }
  return {
    cloudflare,
    edge,
    ollama,
    deployment,
    environment,
    ask: publicFetch(environment),
    async admin<T>(...args: string[]) {
      const ids = { CLOUDFLARE_ACCOUNT_ID: accountId, D1_DATABASE_ID: database.uuid }
      const { code, out, err, json } = await runCommand([...args, '--remote', '--json'], { environment: { ...environment, ...ids } })
      if (code !== 0) throw new Error(`${args[0]}: ${err || out}`)
      return json<T>()
    },
    sql: (text) => post(`/accounts/${accountId}/d1/database/${database.uuid}/raw`, { sql: text }),
    uploaded(name = deployment.worker) {
      const worker = workersOf(state, accountId).get(name)
      const version = deployedVersion(worker)
      if (worker === undefined || version === null) throw new Error('nothing was uploaded')
      return { worker, version }
    },
    texts: ({ bindings }) =>
      Object.fromEntries(bindings.filter(({ type }) => type === 'plain_text').map(({ name, text }) => [name, String(text)])),
    async close() {
      await edge.close()
      await cloudflare.close()
      await ollama.close()
    },
  }
}

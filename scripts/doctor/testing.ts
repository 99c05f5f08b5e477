// Test support: a whole deployment at the stand-ins, as set-up and deploy leave it: Access, a tunnel that is connected, the Worker, a price.
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { letIn } from '../../e2e/cloudflare/let-in.ts'
import { connect } from '../../e2e/cloudflare/resources/tunnels.ts'
import { type Deployment, writeDeployment } from '../cloudflare/deployment.ts'
import { deployWorker } from '../deploy/deploy-worker.ts'
import { type TestCloudflare, testCloudflare } from '../deploy/testing.ts'

const RIGHTS = [
  ...['Workers Scripts Write', 'D1 Write', 'Account Analytics Read', 'Cloudflare Tunnel Write'],
  ...['Access: Service Tokens Write', 'Access: Apps and Policies Write', 'Zone Read', 'DNS Write'],
] as const

type AccessLink = Extract<Deployment['host'], { kind: 'access' }>

export interface TestDeployment extends TestCloudflare {
  deployment: Deployment & { host: AccessLink; tunnel: { id: string; name: string } }
  accountId: string
  /** Where its deployment.json is. */
  directory: string
  /** A call of the API; its result. */
  call<T = Record<string, string>>(method: string, path: string, body?: object): Promise<T>
}

export async function testDeployment(): Promise<TestDeployment> {
  const t = await testCloudflare('free')
  const { state, url } = t.cloudflare
  const { accountId } = t.deployment
  const token = state.addToken([accountId], RIGHTS as never)
  t.environment.CLOUDFLARE_API_TOKEN = token
  const call = async <T>(method: string, path: string, body?: object): Promise<T> => {
    const headers = { authorization: `Bearer ${token}`, 'content-type': 'application/json' }
    const answer = await fetch(`${url}${path}`, { method, headers, ...(body && { body: JSON.stringify(body) }) })
    return ((await answer.json()) as { result: T }).result
  }
  const of = `/accounts/${accountId}`
  const service = await call<Record<string, string>>('POST', `${of}/access/service_tokens`, { name: 'ollama-edge-gateway (npm run setup)' })
  const include = [{ service_token: { token_id: service.id } }]
  const policy = await call<Record<string, string>>('POST', `${of}/access/policies`, { name: 'gateway', decision: 'non_identity', include })
  const application = { type: 'self_hosted', name: 'gateway', domain: 'ollama.example.com', policies: [{ id: policy.id, precedence: 1 }] }
  const app = await call<Record<string, string>>('POST', `${of}/access/apps`, application)
  const tunnel = await call<Record<string, string>>('POST', `${of}/cfd_tunnel`, { name: 'box', config_src: 'cloudflare' })
  connect(state, accountId, tunnel.id ?? '', true)
  t.ollama.edge({ tokens: () => letIn(state, accountId) })
  const deployment = {
    ...t.deployment,
    tunnel: { id: tunnel.id ?? '', name: 'box' },
    host: {
      ...(t.deployment.host as AccessLink),
      applicationId: app.id ?? '',
      policyId: policy.id ?? '',
      serviceTokens: [{ id: service.id ?? '', clientId: service.client_id ?? '', expiresAt: service.expires_at ?? '' }],
    },
  }
  const secrets = { CF_ACCESS_CLIENT_ID: service.client_id ?? '', CF_ACCESS_CLIENT_SECRET: service.client_secret ?? '' }
  await deployWorker({ deployment, plan: 'free', environment: t.environment, say() {}, secrets })
  await t.admin('set-pricing', '*', '0.0001', '0', '--input', '1', '--output', '2')
  const directory = await mkdtemp(join(tmpdir(), 'gateway-doctor-'))
  await writeDeployment(directory, deployment)
  return {
    ...t,
    deployment,
    accountId,
    directory,
    call,
    async close() {
      await t.close()
      await rm(directory, { recursive: true, force: true })
    },
  }
}

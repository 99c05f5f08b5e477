// What the tunnel leads where.
import type { Deployment } from '../../cloudflare/deployment.ts'
import type { Setup } from '../setup-context.ts'

/** As cloudflared on the box sees it. */
export const OLLAMA = 'http://localhost:11434'

export interface IngressRule {
  hostname?: string
  service: string
  originRequest?: object
}

/** The rules of this deployment, without the last one, which takes what no other took. */
export function boxIngress({ host }: Deployment): IngressRule[] {
  if (host.kind !== 'access') return []
  const { hostname, teamName = '', audience = '' } = host
  // The connector itself asks for what Access has signed: a mistake at the edge does not open the box. Ollama wants to be called by its own name.
  const originRequest = { httpHostHeader: 'localhost:11434', access: { required: true, teamName, audTag: [audience] } }
  return [{ hostname, service: OLLAMA, originRequest }]
}

export async function ingressOf({ client, deployment }: Setup, tunnelId: string): Promise<IngressRule[]> {
  const { config } = await client.zeroTrust.tunnels.cloudflared.configurations.get(tunnelId, { account_id: deployment.accountId })
  return (config?.ingress ?? []) as IngressRule[]
}

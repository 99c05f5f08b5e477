// Without a domain: a Workers VPC service, by which the Worker reaches the box through the tunnel without a hostname.
import { NotOurs, nullIfMissing } from '../problem.ts'
import type { Setup, Step } from '../setup-context.ts'

/** On the box cloudflared and Ollama share a network. */
const ADDRESS = '127.0.0.1'
const PORT = 11434

export const vpcService: Step = {
  name: 'Workers VPC service',
  why: 'leads from the Worker through the tunnel to Ollama; nobody else can call it (open beta at Cloudflare)',
  rights: ['Account > Connectivity Directory > Admin'],
  applies: ({ host }) => host.kind === 'vpc',

  async find(setup) {
    const { client, deployment } = setup
    const host = vpcOf(setup)
    const account_id = deployment.accountId
    if (host.serviceId !== undefined) {
      const there = await client.connectivity.directory.services.get(host.serviceId, { account_id }).catch(nullIfMissing)
      if (there !== null) return deployment.worker
      delete host.serviceId
    }
    for await (const one of client.connectivity.directory.services.list({ account_id })) {
      if (one.name !== deployment.worker || one.service_id === undefined) continue
      if (deployment.tunnel === undefined || !JSON.stringify(one.host).includes(deployment.tunnel.id)) {
        throw new NotOurs(
          `There is a Workers VPC service ${deployment.worker} that leads to another tunnel. Give this set-up another name: --name my-gateway`,
        )
      }
      host.serviceId = one.service_id
      return deployment.worker
    }
    return null
  },

  async make(setup) {
    const { client, deployment } = setup
    const made = await client.connectivity.directory.services.create({
      account_id: deployment.accountId,
      type: 'http',
      name: deployment.worker,
      http_port: PORT,
      host: { ipv4: ADDRESS, network: { tunnel_id: deployment.tunnel?.id ?? '' } },
    })
    vpcOf(setup).serviceId = made.service_id as string
    return `${deployment.worker}, to ${ADDRESS}:${PORT} on the box`
  },

  async check(setup) {
    await setup.client.connectivity.directory.services.get(vpcOf(setup).serviceId ?? '', { account_id: setup.deployment.accountId })
  },

  async undo(setup) {
    const host = vpcOf(setup)
    if (host.serviceId === undefined) return null
    await setup.client.connectivity.directory.services
      .delete(host.serviceId, { account_id: setup.deployment.accountId })
      .catch(nullIfMissing)
    delete host.serviceId
    return null
  },
}

function vpcOf({ deployment }: Setup): { kind: 'vpc'; serviceId?: string | undefined } {
  if (deployment.host.kind !== 'vpc') throw new Error('this deployment has no VPC service')
  return deployment.host
}

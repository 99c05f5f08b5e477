// The tunnel: cloudflared on the box calls out to Cloudflare, so that nothing on the box listens to the world.
import Cloudflare from 'cloudflare'
import { isMissing, NotOurs, nullIfMissing, SetupError } from '../problem.ts'
import type { Setup, Step } from '../setup-context.ts'
import { boxIngress, ingressOf, OLLAMA } from './ingress-rules.ts'

export const tunnel: Step = {
  name: 'Tunnel',
  why: 'cloudflared on the box calls out to Cloudflare; the box opens no port',
  rights: ['Account > Cloudflare Tunnel > Edit'],
  applies: () => true,

  async find(setup) {
    const { client, deployment } = setup
    const account_id = deployment.accountId
    if (deployment.tunnel !== undefined) {
      const there = await client.zeroTrust.tunnels.cloudflared.get(deployment.tunnel.id, { account_id }).catch(nullIfMissing)
      if (there !== null && !there.deleted_at) return deployment.tunnel.name
      delete deployment.tunnel
    }
    const name = deployment.worker
    for await (const one of client.zeroTrust.tunnels.cloudflared.list({ account_id, name, is_deleted: false })) {
      if (one.name !== name || one.id === undefined) continue
      await refuseForeign(setup, one.id, one.connections?.length ?? 0)
      deployment.tunnel = { id: one.id, name }
      return name
    }
    return null
  },

  async make({ client, deployment }) {
    const name = deployment.worker
    const made = await client.zeroTrust.tunnels.cloudflared.create({ account_id: deployment.accountId, name, config_src: 'cloudflare' })
    deployment.tunnel = { id: made.id as string, name }
    return name
  },

  async check({ client, deployment }) {
    await client.zeroTrust.tunnels.cloudflared.get(deployment.tunnel?.id ?? '', { account_id: deployment.accountId })
  },

  async undo({ client, deployment }) {
    if (deployment.tunnel === undefined) return null
    const { id } = deployment.tunnel
    const account_id = deployment.accountId
    const { cloudflared } = client.zeroTrust.tunnels
    const remove = () => cloudflared.delete(id, { account_id })
    try {
      await remove().catch(async (error) => {
        if (!isConnected(error)) throw error
        // What a stopped cloudflared left behind; one that runs is back at once, and the tunnel stays.
        await cloudflared.connections.delete(id, { account_id })
        await remove()
      })
    } catch (error) {
      if (isConnected(error)) {
        throw new SetupError(
          'cloudflared still runs on the box. Stop it there (docker compose down, or sudo systemctl stop cloudflared), then run this again.',
        )
      }
      if (!isMissing(error)) throw error
    }
    delete deployment.tunnel
    return null
  },
}

function isConnected(error: unknown): boolean {
  return error instanceof Cloudflare.APIError && error.errors.some(({ code }) => code === 1022)
}

/** A tunnel of our name whose settings lead elsewhere, or that somebody runs with settings of their own, is not ours. */
async function refuseForeign(setup: Setup, id: string, connections: number): Promise<void> {
  const rules = await ingressOf(setup, id)
  const hostnames = boxIngress(setup.deployment).map(({ hostname }) => hostname)
  const ours =
    rules.length === 0
      ? connections === 0
      : rules.every(({ hostname, service }) => hostname === undefined || (service === OLLAMA && hostnames.includes(hostname)))
  if (ours) return
  const leads = rules.flatMap(({ hostname, service }) => (hostname === undefined ? [] : [`${hostname} to ${service}`]))[0]
  throw new NotOurs(
    `There is a tunnel ${setup.deployment.worker} that set-up did not make (${leads ? `it leads ${leads}` : 'it is in use'}). Give this set-up another name (--name my-gateway), or remove that tunnel (Zero Trust > Networks > Connectors).`,
  )
}

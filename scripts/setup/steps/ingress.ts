// The tunnel's settings, which lie at Cloudflare: cloudflared fetches them.
import { isDeepStrictEqual } from 'node:util'
import { isAccess } from '../../cloudflare/deployment.ts'
import { SetupError } from '../problem.ts'
import type { Step } from '../setup-context.ts'
import { boxIngress, type IngressRule, ingressOf } from './ingress-rules.ts'

const LAST: IngressRule = { service: 'http_status:404' }

export const ingress: Step = {
  name: 'Tunnel settings',
  why: 'lead the hostname to Ollama, and have cloudflared check Access once more',
  rights: ['Account > Cloudflare Tunnel > Edit'],
  applies: isAccess,

  async find(setup) {
    const { deployment } = setup
    if (deployment.tunnel === undefined) return null
    const there = await ingressOf(setup, deployment.tunnel.id)
    return isDeepStrictEqual(comparable(there), comparable([...boxIngress(deployment), LAST])) ? (there[0]?.service ?? '') : null
  },

  async make({ client, deployment }) {
    const rules = [...boxIngress(deployment), LAST]
    await client.zeroTrust.tunnels.cloudflared.configurations.update(deployment.tunnel?.id ?? '', {
      account_id: deployment.accountId,
      config: { ingress: rules as never },
    })
    return `${rules[0]?.hostname} to ${rules[0]?.service}`
  },

  async check(setup) {
    if ((await ingress.find(setup)) !== null) return
    throw new SetupError('Cloudflare did not keep the settings of the tunnel. Run npm run setup again.')
  },

  toUndo: async () => null,
  // They go with the tunnel.
  async undo() {
    return null
  },
}

/** Without what Cloudflare adds of its own. */
function comparable(rules: IngressRule[]): object[] {
  return rules.map(({ hostname = '', service, originRequest }) => {
    const { httpHostHeader, access } = (originRequest ?? {}) as { httpHostHeader?: string; access?: Record<string, unknown> }
    return { hostname, service, httpHostHeader, required: access?.required, team: access?.teamName, audience: access?.audTag }
  })
}

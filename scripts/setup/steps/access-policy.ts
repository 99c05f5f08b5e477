// The Access policy: the service token, and nothing else, is let through.
import { isAccess } from '../../cloudflare/deployment.ts'
import { isMissing, NotOurs, SetupError } from '../problem.ts'
import type { Setup, Step } from '../setup-context.ts'
import { accessOf } from './service-token.ts'

const RIGHT = 'Account > Access: Apps and Policies > Edit'

export const accessPolicy: Step = {
  name: 'Access policy',
  why: 'lets that one service token through, and no person and no other token',
  rights: [RIGHT],
  applies: isAccess,

  async find(setup) {
    const { client, deployment } = setup
    const host = accessOf(deployment)
    const account_id = deployment.accountId
    if (host.policyId !== undefined) {
      const there = await read(setup, host.policyId)
      // One that names a token that is gone is written anew.
      if (there !== null) return names(setup, there) ? nameOf(setup) : null
      delete host.policyId
    }
    for await (const one of client.zeroTrust.access.policies.list({ account_id })) {
      if (one.name !== nameOf(setup) || one.id === undefined) continue
      const policy = one as Policy
      if (!names(setup, policy) || others(setup, policy) > 0) {
        throw new NotOurs(
          `There is an Access policy ${nameOf(setup)} that lets others through, too. Remove it (Zero Trust > Access > Policies), or give this set-up another name: --name my-gateway`,
        )
      }
      host.policyId = one.id
      return nameOf(setup)
    }
    return null
  },

  async make(setup) {
    const { client, deployment } = setup
    const host = accessOf(deployment)
    const { policies } = client.zeroTrust.access
    const wanted = {
      account_id: deployment.accountId,
      name: nameOf(setup),
      decision: 'non_identity' as const,
      include: host.serviceTokens.map(({ id }) => ({ service_token: { token_id: id } })),
    }
    const made = host.policyId === undefined ? await policies.create(wanted) : await policies.update(host.policyId, wanted)
    host.policyId = made.id as string
    return nameOf(setup)
  },

  async check(setup) {
    const policy = await read(setup, accessOf(setup.deployment).policyId ?? '')
    if (policy?.decision === 'non_identity' && names(setup, policy)) {
      if (others(setup, policy) > 0)
        setup.hint(`The Access policy ${nameOf(setup)} lets others than the gateway through, too: was that you?`)
      return
    }
    throw new SetupError(
      `The Access policy ${nameOf(setup)} is not as set-up made it: it has to let the service token through. Remove it (Zero Trust > Access > Policies) and run npm run setup again.`,
    )
  },

  async undo({ client, deployment }) {
    const host = accessOf(deployment)
    if (host.policyId === undefined) return null
    await client.zeroTrust.access.policies.delete(host.policyId, { account_id: deployment.accountId }).catch((error) => {
      if (!isMissing(error)) throw error
    })
    delete host.policyId
    return null
  },
}

interface Policy {
  decision?: string
  include?: { service_token?: { token_id?: string } }[]
}

/** It names all of our service tokens. */
function names({ deployment }: Setup, { include = [] }: Policy): boolean {
  const { serviceTokens } = accessOf(deployment)
  return serviceTokens.length > 0 && serviceTokens.every(({ id }) => include.some(({ service_token }) => service_token?.token_id === id))
}

/** How many rules let somebody else through. */
function others({ deployment }: Setup, { include = [] }: Policy): number {
  const ours = new Set<string | undefined>(accessOf(deployment).serviceTokens.map(({ id }) => id))
  return include.filter(({ service_token }) => !ours.has(service_token?.token_id)).length
}

async function read({ client, deployment }: Setup, id: string): Promise<Policy | null> {
  return client.zeroTrust.access.policies.get(id, { account_id: deployment.accountId }).then(
    (policy) => policy as Policy,
    (error) => {
      if (isMissing(error)) return null
      throw error
    },
  )
}

function nameOf({ deployment }: Setup): string {
  return `${deployment.worker}: the gateway alone`
}

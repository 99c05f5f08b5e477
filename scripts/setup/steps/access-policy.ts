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
      if ((await read(setup, host.policyId)) !== null) return nameOf(setup)
      delete host.policyId
    }
    for await (const one of client.zeroTrust.access.policies.list({ account_id })) {
      if (one.name !== nameOf(setup) || one.id === undefined) continue
      const policy = one as Policy
      if (!isForOurTokens(setup, policy)) {
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
    const made = await client.zeroTrust.access.policies.create({
      account_id: deployment.accountId,
      name: nameOf(setup),
      decision: 'non_identity',
      include: host.serviceTokens.map(({ id }) => ({ service_token: { token_id: id } })),
    })
    host.policyId = made.id as string
    return nameOf(setup)
  },

  async check(setup) {
    const policy = await read(setup, accessOf(setup.deployment).policyId ?? '')
    if (policy !== null && policy.decision === 'non_identity' && isForOurTokens(setup, policy)) return
    throw new SetupError(
      `The Access policy ${nameOf(setup)} is not as set-up made it: it has to let the service token through and nothing else. Remove it (Zero Trust > Access > Policies) and run npm run setup again.`,
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

function isForOurTokens({ deployment }: Setup, { include = [] }: Policy): boolean {
  const ours = new Set<string | undefined>(accessOf(deployment).serviceTokens.map(({ id }) => id))
  return include.length > 0 && include.every(({ service_token }) => ours.has(service_token?.token_id))
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

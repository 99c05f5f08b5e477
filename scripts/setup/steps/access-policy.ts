// The Access policy: the service token, and nothing else, is let through.
import { isAccess } from '../../cloudflare/deployment.ts'
import { NotOurs, nullIfMissing, SetupError } from '../problem.ts'
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
      if (others(setup, policy).length > 0) throw new NotOurs(await foreign(setup, policy))
      host.policyId = one.id
      // One that leaves out a token of ours is written anew.
      return names(setup, policy) ? nameOf(setup) : null
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
      if (others(setup, policy).length > 0)
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
    await client.zeroTrust.access.policies.delete(host.policyId, { account_id: deployment.accountId }).catch(nullIfMissing)
    delete host.policyId
    return null
  },
}

interface Rule {
  service_token?: { token_id?: string }
}

interface Policy {
  decision?: string
  include?: Rule[]
}

/** It names all of our service tokens. */
function names({ deployment }: Setup, { include = [] }: Policy): boolean {
  const { serviceTokens } = accessOf(deployment)
  return serviceTokens.length > 0 && serviceTokens.every(({ id }) => include.some(({ service_token }) => service_token?.token_id === id))
}

/** The rules that let somebody else through. */
function others({ deployment }: Setup, { include = [] }: Policy): Rule[] {
  const ours = new Set<string | undefined>(accessOf(deployment).serviceTokens.map(({ id }) => id))
  return include.filter(({ service_token }) => !ours.has(service_token?.token_id))
}

/** A policy that lets our own token through may be what a gateway that serves lives by: then only the others are to go. */
async function foreign(setup: Setup, policy: Policy): Promise<string> {
  const { client, deployment } = setup
  const place = 'Zero Trust > Access > Policies'
  const strange = others(setup, policy)
  const start = `There is an Access policy ${nameOf(setup)} that lets others through, too`
  if (strange.length === policy.include?.length) {
    return `${start}, and the gateway's own token not. Rename or remove it (${place}), or give this set-up another name: --name my-gateway`
  }
  const nameOfToken = new Map<string | undefined, string>()
  for await (const { id, name } of client.zeroTrust.access.serviceTokens.list({ account_id: deployment.accountId })) {
    nameOfToken.set(id, name ?? '')
  }
  const worded = strange.map(({ service_token: token, ...rule }) =>
    token === undefined
      ? `the rule ${Object.keys(rule).join(', ') || 'that is empty'}`
      : `the service token ${nameOfToken.get(token.token_id) ?? `${token.token_id}, which is gone`}`,
  )
  return `${start}: ${worded.join('; ')}. Take that out of the policy (${place} > ${nameOf(setup)} > Include), leave the rest of it as it is, since the gateway lives by it, and run npm run setup again.`
}

async function read({ client, deployment }: Setup, id: string): Promise<Policy | null> {
  return client.zeroTrust.access.policies.get(id, { account_id: deployment.accountId }).then((policy) => policy as Policy, nullIfMissing)
}

function nameOf({ deployment }: Setup): string {
  return `${deployment.worker}: the gateway alone`
}

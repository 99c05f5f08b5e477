// The Access application: it stands in front of the box's hostname before that exists.
import { isAccess } from '../../cloudflare/deployment.ts'
import { NO_ZERO_TRUST, NotOurs, nullIfMissing, SetupError } from '../problem.ts'
import type { Setup, Step } from '../setup-context.ts'
import { accessOf } from './service-token.ts'

export const accessApplication: Step = {
  name: 'Access application',
  why: "guards the box's hostname, before there is a DNS record for it",
  rights: ['Account > Access: Apps and Policies > Edit', 'Account > Access: Organizations, Identity Providers, and Groups > Read'],
  applies: isAccess,

  async find(setup) {
    const { client, deployment } = setup
    const host = accessOf(deployment)
    host.teamName = await teamName(setup)
    if (host.applicationId !== undefined) {
      const there = await read(setup, host.applicationId)
      // One whose policy is gone is given ours again.
      if (there !== null) return isGuarded(setup, there) ? noted(setup, there) : null
      delete host.applicationId
      delete host.audience
    }
    for await (const one of client.zeroTrust.access.applications.list({ account_id: deployment.accountId })) {
      const application = one as Application
      if (application.domain !== host.hostname) continue
      if (application.name === nameOf(setup)) return noted(setup, application)
      throw new NotOurs(
        `Cloudflare Access has an application ${application.name} for ${host.hostname} already, which set-up did not make. Give the box another hostname (--box-hostname), or remove that one (Zero Trust > Access > Applications).`,
      )
    }
    return null
  },

  async make(setup) {
    const { client, deployment } = setup
    const host = accessOf(deployment)
    const { applications } = client.zeroTrust.access
    const wanted = {
      account_id: deployment.accountId,
      type: 'self_hosted' as const,
      name: nameOf(setup),
      domain: host.hostname,
      destinations: [{ type: 'public' as const, uri: host.hostname }],
      policies: [{ id: host.policyId ?? '', precedence: 1 }],
      service_auth_401_redirect: true,
      app_launcher_visible: false,
    }
    const { applicationId: id } = host
    return noted(setup, (id === undefined ? await applications.create(wanted) : await applications.update(id, wanted)) as Application)
  },

  async check(setup) {
    const host = accessOf(setup.deployment)
    const there = await read(setup, host.applicationId ?? '')
    if (there !== null && there.domain === host.hostname && isGuarded(setup, there)) {
      const others = there.policies?.filter(({ id }) => id !== host.policyId) ?? []
      const named = others.map(({ name }) => name).join(', ')
      if (others.length > 0) setup.hint(`The Access application ${nameOf(setup)} has other policies, too (${named}): was that you?`)
      return
    }
    throw new SetupError(
      `The Access application ${nameOf(setup)} is not as set-up made it: it has to guard ${host.hostname} by one policy, ${setup.deployment.worker}: the gateway alone. Remove it (Zero Trust > Access > Applications) and run npm run setup again.`,
    )
  },

  async undo({ client, deployment }) {
    const host = accessOf(deployment)
    if (host.applicationId === undefined) return null
    await client.zeroTrust.access.applications.delete(host.applicationId, { account_id: deployment.accountId }).catch(nullIfMissing)
    delete host.applicationId
    delete host.audience
    return null
  },
}

interface Application {
  id?: string
  name?: string
  domain?: string
  aud?: string
  policies?: { id?: string; name?: string }[]
}

function isGuarded({ deployment }: Setup, { policies = [] }: Application): boolean {
  const { policyId } = accessOf(deployment)
  return policies.some(({ id }) => id !== undefined && id === policyId)
}

function noted(setup: Setup, { id, aud }: Application): string {
  const host = accessOf(setup.deployment)
  host.applicationId = id as string
  host.audience = aud as string
  return `${nameOf(setup)}, for ${host.hostname}`
}

async function read({ client, deployment }: Setup, id: string): Promise<Application | null> {
  return client.zeroTrust.access.applications
    .get(id, { account_id: deployment.accountId })
    .then((application) => application as Application, nullIfMissing)
}

/** The organization's name, which the connector needs to check what Access has signed. */
async function teamName({ client, deployment }: Setup): Promise<string> {
  const organization = await client.zeroTrust.organizations.list({ account_id: deployment.accountId }).catch(nullIfMissing)
  const domain = organization?.auth_domain
  if (!domain) throw new SetupError(NO_ZERO_TRUST)
  return domain.replace(/\.cloudflareaccess\.com$/, '')
}

function nameOf({ deployment }: Setup): string {
  return `${deployment.worker}: the box`
}

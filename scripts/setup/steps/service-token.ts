// The Access service token: what the gateway shows to be let through to the box.
import type Cloudflare from 'cloudflare'
import { type Deployment, isAccess } from '../../cloudflare/deployment.ts'
import { isOurToken, madeAtMs, setupTokenName } from '../../cloudflare/service-token-names.ts'
import { nullIfMissing, SetupError } from '../problem.ts'
import { addSecrets, readSecrets } from '../secrets-file.ts'
import type { Step } from '../setup-context.ts'
import { workerSecrets } from './worker-secrets.ts'

const DAY_MS = 86_400_000
/** A year. */
const DURATION = '8760h'

export const serviceToken: Step = {
  name: 'Access service token',
  why: 'the gateway shows it to Cloudflare Access, and nobody else has it',
  rights: ['Account > Access: Service Tokens > Edit'],
  applies: isAccess,

  async find({ client, deployment }) {
    const host = accessOf(deployment)
    const account_id = deployment.accountId
    const kept = []
    for (const one of host.serviceTokens) {
      const there = await client.zeroTrust.access.serviceTokens.get(one.id, { account_id }).catch(nullIfMissing)
      if (there !== null) kept.push({ ...one, ...(there.expires_at ? { expiresAt: iso(there.expires_at) } : {}) })
    }
    host.serviceTokens = kept
    if (kept.length > 0) return nameOf(deployment)
    const ours = await oursByName(client, deployment)
    host.serviceTokens = ours.map((one) => ({ id: one.id, clientId: one.client_id, expiresAt: iso(one.expires_at ?? inAYear()) }))
    return ours.length === 0 ? null : ours.map(({ name }) => name).join(' and ')
  },

  async make({ client, deployment, directory, dryRun }) {
    const account_id = deployment.accountId
    const name = nameOf(deployment)
    const made = await client.zeroTrust.access.serviceTokens.create({ account_id, name, duration: DURATION })
    const { id = '', client_id = '', client_secret = '' } = made
    // Before all else: Cloudflare shows the secret this once.
    if (!dryRun) await addSecrets(directory, { CF_ACCESS_CLIENT_ID: client_id, CF_ACCESS_CLIENT_SECRET: client_secret })
    const expiresAt = iso((made as { expires_at?: string }).expires_at ?? inAYear())
    accessOf(deployment).serviceTokens = [{ id, clientId: client_id, expiresAt }]
    return `${name}, good until ${expiresAt.slice(0, 10)}`
  },

  async check({ deployment }) {
    const newest = accessOf(deployment).serviceTokens.at(-1)
    if (newest !== undefined && Date.parse(newest.expiresAt) < Date.now() + DAY_MS) {
      throw new SetupError(
        `The Access service token ${nameOf(deployment)} ends ${newest.expiresAt.slice(0, 10)}. Extend it: Zero Trust > Access > Service credentials > ${nameOf(deployment)} > Refresh. Then run npm run setup again.`,
      )
    }
  },

  async undo({ client, deployment }) {
    const host = accessOf(deployment)
    for (const { id } of [...host.serviceTokens].reverse()) {
      await client.zeroTrust.access.serviceTokens.delete(id, { account_id: deployment.accountId }).catch(nullIfMissing)
      host.serviceTokens = host.serviceTokens.filter((one) => one.id !== id)
    }
    return null
  },
}

/** Its secret, which Cloudflare shows once: kept in a file until the Worker has it, and made anew where both are gone. */
export const accessSecret: Step = {
  name: 'Access secret',
  why: "waits in .dev.vars.deploy (only you can read it) until it is the Worker's; Cloudflare shows it once",
  rights: ['Account > Access: Service Tokens > Edit'],
  applies: isAccess,

  async find(setup) {
    const { deployment, directory } = setup
    const newest = accessOf(deployment).serviceTokens.at(-1)
    if (newest === undefined) return null
    const kept = await readSecrets(directory)
    if (kept.CF_ACCESS_CLIENT_ID === newest.clientId && kept.CF_ACCESS_CLIENT_SECRET) return 'in .dev.vars.deploy'
    return (await workerSecrets(setup)).has('CF_ACCESS_CLIENT_SECRET') ? "the Worker's" : null
  },

  async make(setup) {
    const { client, deployment, directory, dryRun } = setup
    const newest = accessOf(deployment).serviceTokens.at(-1)
    const kept = await accessSecret.find(setup)
    if (kept !== null) return kept
    // A dry run has made no token whose secret could be missing.
    if (newest === undefined || dryRun) return 'in .dev.vars.deploy'
    const { client_secret = '' } = await client.zeroTrust.access.serviceTokens.rotate(newest.id, { account_id: deployment.accountId })
    await addSecrets(directory, { CF_ACCESS_CLIENT_ID: newest.clientId, CF_ACCESS_CLIENT_SECRET: client_secret })
    return 'made anew, since the first one was lost; in .dev.vars.deploy'
  },

  async check() {},
  toUndo: async () => null,
  async undo() {
    return null
  },
}

interface NamedToken {
  id: string
  client_id: string
  name: string
  created_at?: string
  expires_at?: string
}

/** Where deployment.json was lost: two while they are rotated. The newest last, which is the one that the Worker has. */
async function oursByName(client: Cloudflare, { accountId, worker }: Deployment): Promise<NamedToken[]> {
  const found: NamedToken[] = []
  for await (const one of client.zeroTrust.access.serviceTokens.list({ account_id: accountId })) {
    if (one.id && one.client_id && isOurToken(worker, one.name)) found.push(one as NamedToken)
  }
  const madeMs = ({ name, created_at }: NamedToken) => (created_at ? Date.parse(created_at) : madeAtMs(worker, name))
  return found.sort((a, b) => madeMs(a) - madeMs(b))
}

export function accessOf(deployment: Deployment): Extract<Deployment['host'], { kind: 'access' }> {
  if (deployment.host.kind !== 'access') throw new Error('this deployment has no Access')
  return deployment.host
}

function nameOf(deployment: Deployment): string {
  return setupTokenName(deployment.worker)
}

function iso(text: string): string {
  return new Date(text).toISOString()
}

function inAYear(): string {
  return new Date(Date.now() + 365 * DAY_MS).toISOString()
}

// The Worker itself. How it is deployed is `npm run deploy`'s matter, which is handed in.
import type { Deployment } from '../../cloudflare/deployment.ts'
import { PLAN_QUESTION, type Plan } from '../../deploy/plans.ts'
import { isMissing, NotOurs, nullIfMissing } from '../problem.ts'
import { forgetSecrets, readSecrets } from '../secrets-file.ts'
import type { Setup, Step } from '../setup-context.ts'
import { zoneOf } from './dns-record.ts'

/** Deploys the Worker with the secrets of .dev.vars.deploy, and returns once it has them; the plan has proved right then. Throws HalfMade where it stays. */
export type DeployWorker = (deployment: Deployment, plan: Plan) => Promise<void>

/** @param deploy null: the owner is told to run `npm run deploy`. */
export function workerStep(deploy: DeployWorker | null): Step {
  // Not in deployment.json before Cloudflare has taken it: a wrong answer would stay there.
  let plan: Plan = 'free'
  return {
    name: 'Worker',
    why: 'the gateway itself',
    rights: ['Account > Workers Scripts > Edit', 'Zone > Workers Routes > Edit'],
    applies: () => true,

    async find(setup) {
      await refuseTakenHostname(setup)
      const deployed = await isOurs(setup)
      if (deploy === null) return deployed ? `${setup.deployment.worker}, deployed` : 'not yet: npm run deploy'
      // Secrets that still wait say that a deploy did not come to its end.
      const waiting = Object.keys(await readSecrets(setup.directory)).length > 0
      return deployed && !waiting ? `https://${setup.deployment.public.hostname}` : null
    },

    async ask({ deployment, ask }) {
      plan = deployment.plan ?? ((await ask.yes(PLAN_QUESTION, false)) ? 'paid' : 'free')
    },

    async make(setup) {
      const { deployment, directory, dryRun } = setup
      if (dryRun) return 'by npm run deploy'
      await deploy?.(deployment, plan)
      deployment.plan = plan
      await forgetSecrets(directory)
      return `https://${deployment.public.hostname}`
    },

    async check() {},

    toUndo: async (setup) => ((await isOurs(setup)) ? setup.deployment.worker : null),

    async undo(setup) {
      const { client, deployment } = setup
      const { accountId: account_id, worker } = deployment
      for (const { id } of await domainsOf(setup)) if (id !== undefined) await client.workers.domains.delete(id, { account_id })
      await client.workers.scripts.delete(worker, { account_id, force: true }).catch(nullIfMissing)
      return null
    },
  }
}

/** A Worker of our name is ours if it is bound to our database. */
async function isOurs({ client, deployment }: Setup): Promise<boolean> {
  const { accountId: account_id, worker, database } = deployment
  if (database === undefined) return false
  try {
    const { bindings = [] } = await client.workers.scripts.scriptAndVersionSettings.get(worker, { account_id })
    return JSON.stringify(bindings).includes(database.id)
  } catch (error) {
    if (isMissing(error)) return false
    throw error
  }
}

/** The public hostname is the Worker's, or nobody's yet. */
async function refuseTakenHostname(setup: Setup): Promise<void> {
  const { client, deployment } = setup
  if (deployment.public.kind !== 'domain') return
  const { hostname } = deployment.public
  const owner = (await domainsOf(setup)).find((one) => one.hostname === hostname)?.service
  if (owner === deployment.worker) return
  const remedy = 'Give the gateway another hostname (--hostname), or remove that one.'
  if (owner !== undefined) throw new NotOurs(`${hostname} belongs to another Worker, ${owner}. ${remedy}`)
  for await (const one of client.dns.records.list({ zone_id: zoneOf(setup), name: { exact: hostname } })) {
    const { name, type, content } = one as { name?: string; type?: string; content?: string }
    if (name === hostname) throw new NotOurs(`${hostname} has a DNS record already (${type} ${content}). ${remedy}`)
  }
}

async function domainsOf({ client, deployment }: Setup): Promise<{ id?: string; hostname?: string; service?: string }[]> {
  const found: { id?: string; hostname?: string; service?: string }[] = []
  try {
    for await (const one of client.workers.domains.list({ account_id: deployment.accountId })) {
      if (one.service === deployment.worker || one.hostname === deployment.public.hostname) found.push(one)
    }
  } catch (error) {
    if (!isMissing(error)) throw error
  }
  return found
}

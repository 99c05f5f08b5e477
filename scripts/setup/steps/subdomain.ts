// Without a domain: the account's name below workers.dev. All of the account's Workers share it, so an undo leaves it.
import Cloudflare from 'cloudflare'
import { nullIfMissing } from '../problem.ts'
import type { Setup, Step } from '../setup-context.ts'

export const workersSubdomain: Step = {
  name: 'Name below workers.dev',
  why: 'where customers call; it belongs to the account and stays whatever is undone',
  rights: ['Account > Workers Scripts > Edit'],
  applies: (deployment) => deployment.public.kind === 'workers.dev',

  async find({ client, deployment }) {
    const there = await accountSubdomain(client, deployment.accountId)
    if (there === null) return null
    deployment.public.hostname = `${deployment.worker}.${there}.workers.dev`
    return there
  },

  async make(setup) {
    const name = setup.deployment.public.hostname.split('.')[1] ?? ''
    try {
      return await claim(setup, name)
    } catch (error) {
      if (!(error instanceof Cloudflare.APIError) || ![400, 409, 422].includes(error.status ?? 0)) throw error
      const free = `${name.slice(0, 50)}-${Date.now().toString(36).slice(-6)}`
      return claim(setup, await setup.ask.text(`Cloudflare does not give the name ${name}: it may be taken. Another?`, free))
    }
  },

  async check() {},
  toUndo: async () => null,
  async undo() {
    return null
  },
}

async function claim({ client, deployment }: Setup, name: string): Promise<string> {
  const { subdomain } = await client.workers.subdomains.update({ account_id: deployment.accountId, subdomain: name })
  deployment.public.hostname = `${deployment.worker}.${subdomain}.workers.dev`
  return subdomain
}

/** Null: the account was never used for Workers. */
export async function accountSubdomain(client: Cloudflare, account_id: string): Promise<string | null> {
  const there = await client.workers.subdomains.get({ account_id }).catch(nullIfMissing)
  return there?.subdomain || null
}

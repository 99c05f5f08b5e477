// Which plan of Workers the account is on: told by an option, noted in deployment.json, or asked once.
import { type Io, UsageError } from '../admin/context.ts'
import type { Deployment } from '../cloudflare/deployment.ts'
import { PLAN_QUESTION, type Plan } from './plans.ts'

/** The deployment with its plan. It is noted once it has proved right: Cloudflare refuses what is of the paid one. Throws UsageError where nobody can be asked. */
export async function withPlan(deployment: Deployment, asked: Plan | undefined, { ask }: Io): Promise<Deployment & { plan: Plan }> {
  const plan = asked ?? deployment.plan
  if (plan !== undefined) return { ...deployment, plan }
  if (ask === null) throw new UsageError('--plan is missing: free or paid, as the account is at Cloudflare. It is kept in deployment.json.')
  return { ...deployment, plan: (await ask(PLAN_QUESTION)) ? 'paid' : 'free' }
}

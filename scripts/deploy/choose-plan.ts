// Which plan of Workers the account is on: told by an option, kept in deployment.json, or asked once.
import { type Io, UsageError } from '../admin/context.ts'
import { type Deployment, writeDeployment } from '../cloudflare/deployment.ts'
import { PLAN_QUESTION, type Plan } from './plans.ts'

/** The deployment with its plan, which is kept. @param directory of deployment.json. Throws UsageError where nobody can be asked. */
export async function withPlan(
  deployment: Deployment,
  { asked, io, directory, keep }: { asked: Plan | undefined; io: Io; directory: string; keep: boolean },
): Promise<Deployment & { plan: Plan }> {
  const plan = asked ?? deployment.plan ?? (await askPlan(io))
  const planned = { ...deployment, plan }
  if (keep && plan !== deployment.plan) await writeDeployment(directory, planned)
  return planned
}

async function askPlan({ ask }: Io): Promise<Plan> {
  if (ask === null) throw new UsageError('--plan is missing: free or paid, as the account is at Cloudflare. It is kept in deployment.json.')
  return (await ask(PLAN_QUESTION)) ? 'paid' : 'free'
}

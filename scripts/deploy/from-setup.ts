// The deploy as set-up's last step: the plan is asked there, and the secrets are those that set-up has put aside.
import type { Deployment } from '../cloudflare/deployment.ts'
import { readSecrets } from '../setup/secrets-file.ts'
import { deployWorker } from './deploy-worker.ts'
import { PLAN_QUESTION } from './plans.ts'

export interface SetupWorld {
  /** Of deployment.json and .dev.vars.deploy. */
  directory: string
  environment: Record<string, string | undefined>
  /** null: nobody is there; then it is the free plan, whose settings do on both. */
  ask: { yes(question: string, fallback: boolean): Promise<boolean> } | null
  say(line: string): void
}

/** What set-up calls with its deployment, in which the plan is noted. Throws Failure, DatabaseError. */
export function deployFromSetup({ directory, environment, ask, say }: SetupWorld): (deployment: Deployment) => Promise<void> {
  return async function deploy(deployment) {
    deployment.plan ??= (await ask?.yes(PLAN_QUESTION, false)) ? 'paid' : 'free'
    const secrets = await readSecrets(directory)
    await deployWorker({ deployment, plan: deployment.plan, environment, secrets, say: (line) => say(`        ${line}`) })
  }
}

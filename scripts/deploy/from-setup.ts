// The deploy as set-up's last step: the plan is asked there, and the secrets are those that set-up has put aside.
import type { Deployment } from '../cloudflare/deployment.ts'
import { databaseErrorIn } from '../database/database.ts'
import { SetupError } from '../setup/problem.ts'
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
  signal: AbortSignal
}

/** What set-up calls with its deployment, in which the plan is noted. Throws SetupError. */
export function deployFromSetup({ directory, environment, ask, say, signal }: SetupWorld): (deployment: Deployment) => Promise<void> {
  return async function deploy(deployment) {
    deployment.plan ??= (await ask?.yes(PLAN_QUESTION, false)) ? 'paid' : 'free'
    const secrets = await readSecrets(directory)
    const how = { deployment, plan: deployment.plan, environment, secrets, signal, say: (line: string) => say(`        ${line}`) }
    const { box } = await deployWorker(how).catch((error) => {
      const reason = databaseErrorIn(error)?.message ?? (error as Error).message
      throw new SetupError(`${reason}\nRun npm run setup again: it goes on where it stopped.`)
    })
    if (box.remedy !== null) say(`        ! The box: ${box.remedy}`)
  }
}

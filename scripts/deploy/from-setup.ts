// The deploy as set-up's last step: the plan was asked there, and the secrets are those that set-up has put aside.
import { databaseErrorIn } from '../database/database.ts'
import { HalfMade, SetupError } from '../setup/problem.ts'
import { readSecrets } from '../setup/secrets-file.ts'
import type { DeployWorker } from '../setup/steps/worker.ts'
import { deployWorker, FirstStays } from './deploy-worker.ts'
import type { Plan } from './plans.ts'

export interface SetupWorld {
  /** Of deployment.json and .dev.vars.deploy. */
  directory: string
  environment: Record<string, string | undefined>
  say(line: string): void
  signal: AbortSignal
}

/** What set-up calls with its deployment. Throws SetupError; HalfMade where the Worker was uploaded and stays. */
export function deployFromSetup({ directory, environment, say, signal }: SetupWorld): DeployWorker {
  return async function deploy(deployment, plan) {
    const secrets = await readSecrets(directory)
    const how = { deployment, plan, environment, secrets, signal, say: (line: string) => say(`        ${line}`) }
    const { box } = await deployWorker(how).catch((error) => {
      const reason = databaseErrorIn(error)?.message ?? (error as Error).message
      const Problem = error instanceof FirstStays ? HalfMade : SetupError
      throw new Problem(`${reason}\n${planHint(reason, deployment.plan)}Run npm run setup again: it goes on where it stopped.`)
    })
    if (box.remedy !== null) say(`        ! The box: ${box.remedy}`)
  }
}

/** Set-up has no --plan: what is not noted yet it asks again. */
function planHint(reason: string, noted: Plan | undefined): string {
  if (!reason.includes('--plan free')) return ''
  return noted === undefined ? 'Set-up asks for the plan again: answer no. ' : 'npm run deploy -- --plan free changes it. '
}

// --undo: lists what set-up made, asks, and takes it back in reverse order.
import { rm } from 'node:fs/promises'
import { join } from 'node:path'
import { DEPLOYMENT_FILE } from '../cloudflare/deployment.ts'
import type { Options } from './options.ts'
import { NotOurs, Stopped } from './problem.ts'
import { explained, stepsOf } from './run-steps.ts'
import { forgetSecrets } from './secrets-file.ts'
import type { Setup, Step } from './setup-context.ts'
import { database, usageRows } from './steps/database.ts'

/** Returns false when the owner said no. `done` grows as it goes, so that it can be told where it stops. */
export async function undo(setup: Setup, options: Options, done: string[], signal: AbortSignal): Promise<boolean> {
  const there: [Step, string][] = []
  for (const step of stepsOf(setup, null)) {
    const found = await lookedAt(setup, step)
    if (found !== null) there.unshift([step, found])
  }
  const rows = await explained(database, () => usageRows(setup))
  const keepsLedger = rows > 0 && !options.withLedger
  const removed = there.filter(([step]) => !(step === database && keepsLedger))
  setup.say(removed.length > 0 ? 'Set-up made, and would remove:' : 'Nothing is left of what set-up made.')
  for (const [step, found] of removed)
    setup.say(
      `  ${step.name}: ${found}${step === database && rows > 0 ? ` with ${rows} billed ${rows === 1 ? 'request' : 'requests'}` : ''}`,
    )
  if (keepsLedger) setup.say(ledgerStays(setup, rows))
  const question = `Remove ${removed.length === 1 ? 'it' : `these ${removed.length}`}?`
  if (removed.length > 0 && !options.dryRun && !options.yes && !(await setup.ask.yes(question, false))) return false
  for (const [step] of removed) {
    if (signal.aborted) throw new Stopped()
    const told = await explained(step, () => step.undo(setup))
    await setup.save()
    done.push(step.name)
    setup.say(`- ${step.name}${told === null ? '' : `: ${told}`}`)
  }
  if (!options.dryRun) {
    await forgetSecrets(setup.directory)
    if (!keepsLedger) await rm(join(setup.directory, DEPLOYMENT_FILE), { force: true })
  }
  return true
}

/** What stands in a step's place but is somebody else's is left alone. */
async function lookedAt(setup: Setup, step: Step): Promise<string | null> {
  try {
    return await explained(step, () => (step.toUndo ?? step.find).call(step, setup))
  } catch (error) {
    if (!(error instanceof NotOurs)) throw error
    setup.say(`Left alone: ${error.message}`)
    return null
  }
}

function ledgerStays({ deployment }: Setup, rows: number): string {
  const backup = 'npm run admin -- backup --remote --output ledger.backup'
  return `The D1 database ${deployment.database?.name} stays: it holds ${rows} billed requests. To remove it, too: ${backup}, then npm run setup -- --undo --with-ledger`
}

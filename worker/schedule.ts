// What is done each minute: whatever outlived its lease is settled, and what there is to tell is told.
import { deliver } from './alerts/deliver.ts'
import { look } from './alerts/host.ts'
import { watch } from './alerts/watch.ts'
import { configOf } from './config.ts'
import { sweep } from './ledger/settlement.ts'
import { causeOf, log } from './log.ts'

/** One sweep settles up to 100; a schedule does as many as fit its query limit. */
const SWEEPS_MAX = 8

/** Every part runs, whatever became of those before it. Throws the first error, for the runtime to count. */
export async function everyMinute(env: Cloudflare.Env, defer: (work: Promise<unknown>) => void): Promise<void> {
  const { DB: db } = env
  const parts: Record<string, () => Promise<unknown>> = {
    sweep: async () => sweepAll(db),
    watch: async () =>
      watch({ db, config: configOf(env), nowMs: Date.now(), look: (withModels) => look(configOf(env), withModels, defer) }),
    deliver: async () => deliver({ db, config: configOf(env), nowMs: Date.now() }),
  }
  const errors: unknown[] = []
  for (const [part, run] of Object.entries(parts)) {
    await run().catch((error) => {
      log({ event: 'error', code: 'schedule', part, message: causeOf(error) })
      errors.push(error)
    })
  }
  if (errors.length > 0) throw errors[0]
}

async function sweepAll(db: D1Database): Promise<void> {
  let settled = 0
  for (let round = 0; round < SWEEPS_MAX; round++) {
    const count = await sweep(db)
    settled += count
    if (count < 100) break
  }
  if (settled > 0) log({ event: 'sweep', settled })
}

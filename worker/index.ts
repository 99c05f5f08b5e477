// The Worker's entry: requests, and the schedules: what outlived its lease is settled, and each night the ledger is proved.
import { app } from './app.ts'
import { sweep } from './ledger/settlement.ts'
import { log } from './log.ts'
import { NIGHTLY_CRON, nightly } from './nightly.ts'

/** One sweep settles up to 100; a schedule does as many as fit its query limit. */
const SWEEPS_MAX = 8

export default {
  fetch: (request, env, context) => app.fetch(request, env, context),

  async scheduled(event, env) {
    if (event.cron === NIGHTLY_CRON) return nightly(env.DB)
    let settled = 0
    for (let round = 0; round < SWEEPS_MAX; round++) {
      const count = await sweep(env.DB)
      settled += count
      if (count < 100) break
    }
    if (settled > 0) log({ event: 'sweep', settled })
  },
} satisfies ExportedHandler<Cloudflare.Env>

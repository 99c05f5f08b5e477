// The Worker's entry: requests, and the schedule that settles what outlived its lease.
import { app } from './app.ts'
import { sweep } from './ledger/settlement.ts'
import { log } from './log.ts'

/** One sweep settles up to 100; a schedule does as many as fit its query limit. */
const SWEEPS_MAX = 8

export default {
  fetch: (request, env, context) => app.fetch(request, env, context),

  async scheduled(_event, env) {
    let settled = 0
    for (let round = 0; round < SWEEPS_MAX; round++) {
      const count = await sweep(env.DB)
      settled += count
      if (count < 100) break
    }
    if (settled > 0) log({ event: 'sweep', settled })
  },
} satisfies ExportedHandler<Cloudflare.Env>

// The Worker's entry: requests, what is done each minute, and the proof of each night.
import { app } from './app.ts'
import { NIGHTLY_CRON, nightly } from './nightly.ts'
import { everyMinute } from './schedule.ts'

export default {
  fetch: (request, env, context) => app.fetch(request, env, context),
  scheduled: ({ cron }, env, context) => (cron === NIGHTLY_CRON ? nightly(env.DB) : everyMinute(env, (work) => context.waitUntil(work))),
} satisfies ExportedHandler<Cloudflare.Env>

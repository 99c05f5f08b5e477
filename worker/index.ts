// The Worker's entry: requests, and what is done each minute.
import { app } from './app.ts'
import { everyMinute } from './schedule.ts'

export default {
  fetch: (request, env, context) => app.fetch(request, env, context),
  scheduled: (_event, env, context) => everyMinute(env, (work) => context.waitUntil(work)),
} satisfies ExportedHandler<Cloudflare.Env>

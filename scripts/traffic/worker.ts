// The Worker as it is, by a clock that is set: an entry for `npm run traffic` alone, which no deploy has.
import gateway from '../../worker/index.ts'
import { type Clock, movedDatabase } from './clock.ts'

/** Where the clock is set. */
const CLOCK_PATH = '/traffic/clock'

let clock: Clock | null = null
const realNow = Date.now
Date.now = () => realNow() + (clock?.aheadSeconds ?? 0) * 1000

export default {
  async fetch(request, env, context) {
    if (new URL(request.url).pathname === CLOCK_PATH) {
      clock = await request.json<Clock>()
      return new Response(null, { status: 204 })
    }
    // Until the clock is set nothing may be dated.
    if (clock === null) return new Response('The clock is not set.', { status: 503 })
    return gateway.fetch(request, { ...env, DB: movedDatabase(env.DB, clock) }, context)
  },
  async scheduled(event, env, context) {
    if (clock !== null) await gateway.scheduled(event, { ...env, DB: movedDatabase(env.DB, clock) }, context)
  },
} satisfies ExportedHandler<Cloudflare.Env>

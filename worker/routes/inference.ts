// The paths that cost money: one per dialect, each the same story.
import { Hono } from 'hono'
import { DIALECTS } from '../dialects/all.ts'
import { serve } from '../request-story.ts'
import { type AppEnv, exchangeOf } from './context.ts'

export const inference = new Hono<AppEnv>()

for (const dialect of DIALECTS) {
  inference.post(dialect.path, (c) => {
    const exchange = exchangeOf(c)
    const response = serve(dialect, exchange)
    // A caller who hangs up before the answer begins would otherwise end the story where it stands, with its hold unsettled.
    exchange.defer(response.catch(() => {}))
    return response
  })
}

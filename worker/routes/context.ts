// What Hono's context carries here, and how a route gets its exchange out of it.
import type { Context } from 'hono'
import { configOf } from '../config.ts'
import type { Exchange } from '../exchange.ts'
import { groupOf } from '../ledger/group.ts'

export interface AppEnv {
  Bindings: Cloudflare.Env
  Variables: { requestId: string }
}

export function exchangeOf(c: Context<AppEnv>): Exchange {
  const config = configOf(c.env)
  return {
    request: c.req.raw,
    requestId: c.get('requestId'),
    db: c.env.DB,
    ledger: groupOf(c.env.DB, config.ledgerGroupMax),
    config,
    defer: (work) => c.executionCtx.waitUntil(work),
  }
}

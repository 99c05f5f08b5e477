// GET /account/requests and /account/requests/{id}: what ran and runs, newest first, page by page, and why one cost what it did.
import { and, desc, eq, gte, inArray, lt, or, sql } from 'drizzle-orm'
import { type DrizzleD1Database, drizzle } from 'drizzle-orm/d1'
import { Hono } from 'hono'
import * as z from 'zod'
import { authenticate, type Caller } from '../auth.ts'
import { GatewayError, gatewayFault } from '../errors.ts'
import { explainEnded, explainRunning } from '../explain.ts'
import { DAY_MS } from '../ledger/periods.ts'
import { formatUsd } from '../money.ts'
import { ID_MARGIN_MS, idAt, readRequestId } from '../request-id.ts'
import { adjustments, holds, prices, usage, usageDaily } from '../schema.ts'
import { checkedQuery, iso, seenBy } from './account-query.ts'
import type { AccountRequest, AccountRequests, ToldRequest } from './account-shapes.ts'
import { type AppEnv, exchangeOf } from './context.ts'

export const accountRequests = new Hono<AppEnv>()

const PAGE_MOST = 200
export const requestsQuery = z.object({
  limit: z
    .string()
    .regex(/^[1-9]\d{0,2}$/, `must be a whole number from 1 to ${PAGE_MOST}`)
    .transform(Number)
    .refine((limit) => limit <= PAGE_MOST, `must be at most ${PAGE_MOST}`)
    .default(50),
  before: z
    .string()
    .transform((text) => readRequestId(text) ?? '')
    .refine((id) => id !== '', 'must be the id of a request, as `next` has it')
    .optional(),
})

accountRequests.get('/account/requests', checkedQuery(requestsQuery), async (c) => {
  const { db: d1, request } = exchangeOf(c)
  const caller = await authenticate(d1, request.headers)
  const { limit, before = '~' } = c.req.valid('query')
  const db = drizzle(d1)
  const from = caller.account ? '' : await firstIdOf(db, caller)
  const page = limit + 1
  const [running, ended] = await db.batch([
    db
      .select()
      .from(holds)
      .where(and(seenBy(caller, holds), lt(holds.id, before)))
      .orderBy(desc(holds.id))
      .limit(page),
    db
      .select()
      .from(usage)
      .where(and(seenBy(caller, usage), lt(usage.id, before), gte(usage.id, from)))
      .orderBy(desc(usage.id))
      .limit(page),
  ])
  const rows = [...running.map(runningTold), ...ended.map(endedTold)].sort((one, other) => (one.id < other.id ? 1 : -1))
  const data = rows.slice(0, limit)
  return c.json<AccountRequests>({ data, next: rows.length > limit ? (data.at(-1)?.id ?? null) : null })
})

/**
 * What the ids of a key's first day begin with. Rows are clustered by customer: what is older than the key's first request would be read in
 * vain. '~': it has none, and no id is so great.
 */
async function firstIdOf(db: DrizzleD1Database, { customerId, keyId }: Caller): Promise<string> {
  const [first] = await db
    .select({ day: sql<number | null>`min(${usageDaily.day})` })
    .from(usageDaily)
    .where(and(eq(usageDaily.customerId, customerId), eq(usageDaily.keyId, keyId)))
  return first === undefined || first.day === null ? '~' : idAt(first.day * DAY_MS - ID_MARGIN_MS)
}

/** In flight or ended. Another's is not there. */
accountRequests.get('/account/requests/:id', async (c) => {
  const { db: d1, request } = exchangeOf(c)
  const caller = await authenticate(d1, request.headers)
  const db = drizzle(d1)
  const id = c.req.param('id')
  const priceId = (table: typeof usage | typeof holds) =>
    db
      .select({ id: table.priceId })
      .from(table)
      .where(and(seenBy(caller, table), eq(table.id, id)))
  const [[ended], [running], [price], posted] = await db.batch([
    db
      .select()
      .from(usage)
      .where(and(seenBy(caller, usage), eq(usage.id, id))),
    db
      .select()
      .from(holds)
      .where(and(seenBy(caller, holds), eq(holds.id, id))),
    db
      .select()
      .from(prices)
      .where(or(inArray(prices.id, priceId(usage)), inArray(prices.id, priceId(holds)))),
    db
      .select()
      .from(adjustments)
      .where(and(eq(adjustments.customerId, caller.customerId), eq(adjustments.usageId, id)))
      .orderBy(adjustments.createdMs, adjustments.id),
  ])
  if (price === undefined) throw new GatewayError('not_found', 'This key has no such request.')
  if (ended !== undefined) return c.json<AccountRequest>({ ...endedTold(ended), explanation: explainEnded(ended, price, posted) })
  if (running === undefined) throw gatewayFault()
  return c.json<AccountRequest>({ ...runningTold(running), explanation: explainRunning(running, price) })
})

function admittedTold(row: typeof holds.$inferSelect | typeof usage.$inferSelect) {
  return {
    id: row.id,
    key_id: row.keyId,
    model: row.model,
    dialect: row.dialect,
    upstream: row.upstream,
    held_usd: formatUsd(row.holdNano),
    output_limit: row.outputLimit,
    created_at: iso(row.createdMs),
  }
}

function runningTold(row: typeof holds.$inferSelect): Extract<ToldRequest, { state: 'running' }> {
  return { ...admittedTold(row), state: 'running' }
}

function endedTold(row: typeof usage.$inferSelect): Extract<ToldRequest, { state: 'ended' }> {
  return {
    ...admittedTold(row),
    state: 'ended',
    outcome: row.outcome,
    input_tokens: row.inputTokens,
    cached_tokens: row.cachedTokens,
    cache_write_tokens: row.cacheWriteTokens,
    cache_write_long_tokens: row.cacheWriteLongTokens,
    output_tokens: row.outputTokens,
    reasoning_tokens: row.reasoningTokens,
    estimated: row.estimated === 1,
    cost_usd: formatUsd(row.costNano),
    first_token_ms: row.firstMs,
    settled_at: iso(row.settledMs),
  }
}

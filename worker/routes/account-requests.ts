// GET /account/requests and /account/requests/{id}: what ran and runs, newest first, page by page, and why one cost what it did.
import { Hono } from 'hono'
import * as z from 'zod'
import { authenticate, type Caller } from '../auth.ts'
import { GatewayError, gatewayFault } from '../errors.ts'
import { explainEnded, explainRunning } from '../explain.ts'
import { DAY_MS } from '../ledger/periods.ts'
import { formatUsd } from '../money.ts'
import { ID_MARGIN_MS, idAt, readRequestId } from '../request-id.ts'
import { adjustments, holds, prices, usage } from '../schema.ts'
import { checkedQuery, columnsOf, iso, SEEN, seenBy } from './account-query.ts'
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

type UsageRow = typeof usage.$inferSelect
type HoldRow = typeof holds.$inferSelect

/** ?3 the id to end before, ?4 that to begin with, ?5 how many: clustered by customer and id, a page is a seek. */
const ENDED_PAGE = `SELECT ${columnsOf(usage)} FROM usage WHERE ${SEEN} AND id < ?3 AND id >= ?4 ORDER BY id DESC LIMIT ?5`
const RUNNING_PAGE = `SELECT ${columnsOf(holds)} FROM holds WHERE ${SEEN} AND id < ?3 ORDER BY id DESC LIMIT ?4`

accountRequests.get('/account/requests', checkedQuery(requestsQuery), async (c) => {
  const { db, request } = exchangeOf(c)
  const caller = await authenticate(db, request.headers)
  const { limit, before = '~' } = c.req.valid('query')
  const from = caller.account ? '' : await firstIdOf(db, caller)
  const [running, ended] = await db.batch([
    db.prepare(RUNNING_PAGE).bind(...seenBy(caller), before, limit + 1),
    db.prepare(ENDED_PAGE).bind(...seenBy(caller), before, from, limit + 1),
  ])
  const told = [...rowsOf<HoldRow>(running).map(runningTold), ...rowsOf<UsageRow>(ended).map(endedTold)]
  const data = told.sort((one, other) => (one.id < other.id ? 1 : -1)).slice(0, limit)
  return c.json<AccountRequests>({ data, next: told.length > limit ? (data.at(-1)?.id ?? null) : null })
})

/**
 * What the ids of a key's first day begin with. Rows are clustered by customer: what is older than the key's first request would be read in
 * vain. '~': it has none, and no id is so great.
 */
async function firstIdOf(db: D1Database, { customerId, keyId }: Caller): Promise<string> {
  const first = db.prepare('SELECT min(day) AS day FROM usage_daily WHERE customer_id = ?1 AND key_id = ?2')
  const day = await first.bind(customerId, keyId).first<number>('day')
  return day === null ? '~' : idAt(day * DAY_MS - ID_MARGIN_MS)
}

/** ?3 is the id. One transaction: what ends meanwhile is in one of the first two. An adjustment may name no key; it is told with a request that is seen. */
const ONE = [
  `SELECT ${columnsOf(usage)} FROM usage WHERE ${SEEN} AND id = ?3`,
  `SELECT ${columnsOf(holds)} FROM holds WHERE ${SEEN} AND id = ?3`,
  `SELECT ${columnsOf(prices)} FROM prices
   WHERE id IN (SELECT price_id FROM usage WHERE ${SEEN} AND id = ?3 UNION ALL SELECT price_id FROM holds WHERE ${SEEN} AND id = ?3)`,
  `SELECT ${columnsOf(adjustments)} FROM adjustments WHERE customer_id = ?1 AND usage_id = ?3 ORDER BY created_ms, id`,
]

/** In flight or ended. Another's is not there. */
accountRequests.get('/account/requests/:id', async (c) => {
  const { db, request } = exchangeOf(c)
  const caller = await authenticate(db, request.headers)
  const id = c.req.param('id')
  const results = await db.batch(ONE.map((sql) => db.prepare(sql).bind(...seenBy(caller), id)))
  const [ended] = rowsOf<UsageRow>(results[0])
  const [running] = rowsOf<HoldRow>(results[1])
  const [price] = rowsOf<typeof prices.$inferSelect>(results[2])
  if (price === undefined) throw new GatewayError('not_found', 'This key has no such request.')
  if (ended !== undefined) {
    const posted = rowsOf<typeof adjustments.$inferSelect>(results[3])
    return c.json<AccountRequest>({ ...endedTold(ended), explanation: explainEnded(ended, price, posted) })
  }
  if (running === undefined) throw gatewayFault()
  return c.json<AccountRequest>({ ...runningTold(running), explanation: explainRunning(running, price) })
})

function rowsOf<Row>(result: D1Result | undefined): Row[] {
  return (result?.results ?? []) as Row[]
}

function admittedTold(row: HoldRow | UsageRow) {
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

function runningTold(row: HoldRow): Extract<ToldRequest, { state: 'running' }> {
  return { ...admittedTold(row), state: 'running' }
}

function endedTold(row: UsageRow): Extract<ToldRequest, { state: 'ended' }> {
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

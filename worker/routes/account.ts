// What a customer may know of their own account, with their key: what is left, what was used, what one request cost.
import { zValidator } from '@hono/zod-validator'
import { and, between, eq, sql } from 'drizzle-orm'
import { drizzle } from 'drizzle-orm/d1'
import type { SQLiteColumn } from 'drizzle-orm/sqlite-core'
import { Hono } from 'hono'
import * as z from 'zod'
import { authenticate } from '../auth.ts'
import { GatewayError, gatewayFault } from '../errors.ts'
import { DAY_MS, periodRenewsMs, periodStartDay } from '../ledger/periods.ts'
import { formatUsd } from '../money.ts'
import { apiKeys, type BudgetPeriod, customers, holds, spend, type Upstream, usage, usageDaily } from '../schema.ts'
import type { AccountRequest, AccountUsage } from './account-shapes.ts'
import { type AppEnv, exchangeOf } from './context.ts'

export const account = new Hono<AppEnv>()

interface Budget {
  budget_usd: string | null
  period: BudgetPeriod
  spent_usd: string
  held_usd: string
  /** null: unlimited. */
  remaining_usd: string | null
  renews_at: string | null
}

account.get('/account/budget', async (c) => {
  const { db: d1, request } = exchangeOf(c)
  const caller = await authenticate(d1, request.headers)
  const db = drizzle(d1)
  const [[customer], [key]] = await db.batch([
    db.select().from(customers).where(eq(customers.id, caller.customerId)),
    db.select().from(apiKeys).where(eq(apiKeys.id, caller.keyId)),
  ])
  if (customer === undefined || key === undefined) throw gatewayFault()
  const nowMs = Date.now()
  const owner = async (
    name: string,
    who: { budgetNano: number | null; budgetPeriod: BudgetPeriod },
    held: ReturnType<typeof eq>,
  ): Promise<Budget> => {
    const start = periodStartDay(who.budgetPeriod, nowMs)
    const [[spent], [flight]] = await db.batch([
      db
        .select({ nano: spend.spentNano })
        .from(spend)
        .where(and(eq(spend.owner, name), eq(spend.period, start))),
      db
        .select({ nano: sql<number>`coalesce(sum(${holds.holdNano}), 0)` })
        .from(holds)
        .where(and(held, sql`${holds.createdMs} >= ${start * DAY_MS}`)),
    ])
    const spentNano = spent?.nano ?? 0
    const heldNano = flight?.nano ?? 0
    const renews = periodRenewsMs(who.budgetPeriod, nowMs)
    return {
      budget_usd: who.budgetNano === null ? null : formatUsd(who.budgetNano),
      period: who.budgetPeriod,
      spent_usd: formatUsd(spentNano),
      held_usd: formatUsd(heldNano),
      remaining_usd: who.budgetNano === null ? null : formatUsd(who.budgetNano - spentNano - heldNano),
      renews_at: renews === null ? null : new Date(renews).toISOString(),
    }
  }
  const prepaid = customer.prepaid === 1 ? { prepaid: await prepaidOf(d1, customer.id) } : {}
  return c.json({
    ...prepaid,
    account: await owner(`c${customer.id}`, customer, eq(holds.customerId, customer.id)),
    key:
      key.budgetNano === null
        ? null
        : await owner(`k${key.id}`, key, sql`${holds.customerId} = ${customer.id} AND ${holds.keyId} = ${key.id}`),
  })
})

/** One statement, so that a request which ends meanwhile is in one place only. */
async function prepaidOf(db: D1Database, customerId: number) {
  const row = await db
    .prepare(
      `SELECT (SELECT coalesce(sum(amount_nano), 0) FROM payments WHERE customer_id = ?1) AS paid,
         coalesce((SELECT spent_nano FROM spend WHERE owner = 'p' || CAST(?1 AS INTEGER) AND period = 0), 0) AS owed,
         (SELECT coalesce(sum(hold_nano), 0) FROM holds WHERE customer_id = ?1) AS held`,
    )
    .bind(customerId)
    .first<{ paid: number; owed: number; held: number }>()
  const { paid = 0, owed = 0, held = 0 } = row ?? {}
  return { paid_usd: formatUsd(paid), used_usd: formatUsd(paid + owed), held_usd: formatUsd(held), left_usd: formatUsd(-owed - held) }
}

const date = z.iso.date('must be a date such as 2026-11-24').transform((text) => Date.parse(text) / DAY_MS)
const range = z.object({ from: date.optional(), to: date.optional() })
const checkedRange = zValidator('query', range, (result) => {
  if (result.success) return
  const issue = result.error.issues[0]
  const param = String(issue?.path[0] ?? '')
  throw new GatewayError('invalid_request', `${param}: ${issue?.message}`, { param })
})

/** This key's use by model, from the daily sums; `to` is inclusive, and the current month is the default. */
account.get('/account/usage', checkedRange, async (c) => {
  const { db: d1, request } = exchangeOf(c)
  const caller = await authenticate(d1, request.headers)
  const query = c.req.valid('query')
  const nowMs = Date.now()
  const from = query.from ?? periodStartDay('month', nowMs)
  const to = query.to ?? Math.floor(nowMs / DAY_MS)
  if (from > to) throw new GatewayError('invalid_request', 'from: must not be after to', { param: 'from' })
  const total = (column: SQLiteColumn) => sql<number>`sum(${column})`
  const rows = await drizzle(d1)
    .select({
      model: usageDaily.model,
      upstream: upstreamOf((to + 1) * DAY_MS),
      requests: total(usageDaily.requests),
      input_tokens: total(usageDaily.inputTokens),
      cached_tokens: total(usageDaily.cachedTokens),
      cache_write_tokens: total(usageDaily.cacheWriteTokens),
      cache_write_long_tokens: total(usageDaily.cacheWriteLongTokens),
      output_tokens: total(usageDaily.outputTokens),
      reasoning_tokens: total(usageDaily.reasoningTokens),
      cost: total(usageDaily.costNano),
    })
    .from(usageDaily)
    .where(and(eq(usageDaily.customerId, caller.customerId), eq(usageDaily.keyId, caller.keyId), between(usageDaily.day, from, to)))
    .groupBy(usageDaily.model)
  const day = (days: number) => new Date(days * DAY_MS).toISOString().slice(0, 10)
  return c.json<AccountUsage>({
    from: day(from),
    to: day(to),
    models: rows.map(({ cost, ...row }) => ({ ...row, cost_usd: formatUsd(cost) })),
    cost_usd: formatUsd(rows.reduce((sum, row) => sum + row.cost, 0)),
  })
})

/** Daily sums do not hold whose model it was; the last price of its name that began before a moment does. Without one it is the host's, by `*`. */
const upstreamOf = (beforeMs: number) =>
  sql<Upstream>`coalesce((SELECT p.upstream FROM prices p WHERE p.model = usage_daily.model AND p.variant = '' AND p.valid_from_ms < ${beforeMs}
    ORDER BY p.valid_from_ms DESC, p.id DESC LIMIT 1), 'ollama')`

/** One request of this key's: in flight or ended. Another's is not there. */
account.get('/account/requests/:id', async (c) => {
  const { db: d1, request } = exchangeOf(c)
  const caller = await authenticate(d1, request.headers)
  const db = drizzle(d1)
  const id = c.req.param('id')
  const [[ended], [running]] = await db.batch([
    db
      .select()
      .from(usage)
      .where(and(eq(usage.customerId, caller.customerId), eq(usage.id, id), eq(usage.keyId, caller.keyId))),
    db
      .select()
      .from(holds)
      .where(and(eq(holds.customerId, caller.customerId), eq(holds.id, id), eq(holds.keyId, caller.keyId))),
  ])
  if (running !== undefined) {
    const { model, dialect, upstream, holdNano, outputLimit, createdMs } = running
    return c.json<AccountRequest>({
      id,
      state: 'running',
      model,
      dialect,
      upstream,
      held_usd: formatUsd(holdNano),
      output_limit: outputLimit,
      created_at: iso(createdMs),
    })
  }
  if (ended === undefined) throw new GatewayError('not_found', 'This key has no such request.')
  return c.json<AccountRequest>({
    id,
    state: 'ended',
    outcome: ended.outcome,
    model: ended.model,
    dialect: ended.dialect,
    upstream: ended.upstream,
    input_tokens: ended.inputTokens,
    cached_tokens: ended.cachedTokens,
    cache_write_tokens: ended.cacheWriteTokens,
    cache_write_long_tokens: ended.cacheWriteLongTokens,
    output_tokens: ended.outputTokens,
    reasoning_tokens: ended.reasoningTokens,
    estimated: ended.estimated === 1,
    cost_usd: formatUsd(ended.costNano),
    held_usd: formatUsd(ended.holdNano),
    output_limit: ended.outputLimit,
    first_token_ms: ended.firstMs,
    created_at: iso(ended.createdMs),
    settled_at: iso(ended.settledMs),
  })
})

function iso(ms: number): string {
  return new Date(ms).toISOString()
}

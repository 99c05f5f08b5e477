// GET /account/budget: what is left of the budgets, and which limit binds. What was used is in account-usage.ts, what requests cost in account-requests.ts.
import { and, eq, sql } from 'drizzle-orm'
import { drizzle } from 'drizzle-orm/d1'
import { Hono } from 'hono'
import { authenticate } from '../auth.ts'
import { gatewayFault } from '../errors.ts'
import { DAY_MS, periodRenewsMs, periodStartDay } from '../ledger/periods.ts'
import { formatUsd } from '../money.ts'
import { apiKeys, type BudgetPeriod, customers, holds, spend } from '../schema.ts'
import type { AccountBudget } from './account-shapes.ts'
import { type AppEnv, exchangeOf } from './context.ts'

export const account = new Hono<AppEnv>()

type Budget = AccountBudget['account']

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
  ): Promise<Budget & { leftNano: number | null }> => {
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
    const leftNano = who.budgetNano === null ? null : who.budgetNano - spentNano - heldNano
    return {
      leftNano,
      budget_usd: who.budgetNano === null ? null : formatUsd(who.budgetNano),
      period: who.budgetPeriod,
      spent_usd: formatUsd(spentNano),
      held_usd: formatUsd(heldNano),
      remaining_usd: leftNano === null ? null : formatUsd(leftNano),
      renews_at: renews === null ? null : new Date(renews).toISOString(),
    }
  }
  const { leftNano: accountLeft, ...ofAccount } = await owner(`c${customer.id}`, customer, eq(holds.customerId, customer.id))
  const isKeys = sql`${holds.customerId} = ${customer.id} AND ${holds.keyId} = ${key.id}`
  const { leftNano: keyLeft, ...ofKey } = await owner(`k${key.id}`, key, isKeys)
  // Whatever else bounds what may be spent (a prepaid balance) belongs into this list.
  const binds = binding([
    ['key budget', keyLeft],
    ['account budget', accountLeft],
  ])
  return c.json<AccountBudget>({ account: ofAccount, key: key.budgetNano === null ? null : ofKey, binds })
})

type Limit = NonNullable<AccountBudget['binds']>

/** The limit that leaves least, the first of those that leave the same; null: none does. */
function binding(limits: [name: Limit, leftNano: number | null][]): Limit | null {
  const bounded = limits.filter((limit): limit is [Limit, number] => limit[1] !== null)
  return bounded.sort(([, one], [, other]) => one - other)[0]?.[0] ?? null
}

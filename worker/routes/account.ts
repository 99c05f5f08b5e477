// GET /account/budget: what is left of the budgets, and which limit binds. What was used is in account-usage.ts, what requests cost in account-requests.ts.
import { Hono } from 'hono'
import { authenticate } from '../auth.ts'
import { gatewayFault } from '../errors.ts'
import { periodOfDaySql, periodRenewsMs } from '../ledger/periods.ts'
import { formatUsd } from '../money.ts'
import type { BudgetPeriod } from '../schema.ts'
import { iso } from './account-query.ts'
import type { AccountBudget } from './account-shapes.ts'
import { type AppEnv, exchangeOf } from './context.ts'

export const account = new Hono<AppEnv>()

/**
 * ?1 customer, ?2 key: the customer first, then the key if it has a budget. One statement, so that a request which ends meanwhile is in one place
 * only; what counts is what admission counts.
 */
const STANDING = `
WITH clock AS (SELECT CAST(unixepoch('subsec') * 1000 AS INTEGER) AS now), owners AS (
  SELECT 'c' || id AS owner, id AS customer_id, NULL AS key_id, budget_nano, budget_period FROM customers WHERE id = ?1
  UNION ALL
  SELECT 'k' || id, customer_id, id, budget_nano, budget_period FROM api_keys WHERE id = ?2 AND budget_nano IS NOT NULL
), placed AS (SELECT *, ${periodOfDaySql('budget_period', '(now / 86400000)')} AS period FROM owners, clock)
SELECT now AS nowMs, budget_nano AS budgetNano, budget_period AS kind,
  coalesce((SELECT spent_nano FROM spend s WHERE s.owner = p.owner AND s.period = p.period), 0) AS spentNano,
  (SELECT coalesce(sum(h.hold_nano), 0) FROM holds h
    WHERE h.customer_id = p.customer_id AND (p.key_id IS NULL OR h.key_id = p.key_id) AND h.created_ms >= p.period * 86400000) AS heldNano
FROM placed p ORDER BY p.key_id NULLS FIRST`

interface Standing {
  nowMs: number
  budgetNano: number | null
  kind: BudgetPeriod
  spentNano: number
  heldNano: number
}

account.get('/account/budget', async (c) => {
  const { db, request } = exchangeOf(c)
  const { customerId, keyId } = await authenticate(db, request.headers)
  const [[customer, key], balance] = await Promise.all([
    db
      .prepare(STANDING)
      .bind(customerId, keyId)
      .all<Standing>()
      .then(({ results }) => results),
    db.prepare(BALANCE).bind(customerId).first<Balance>(),
  ])
  if (customer === undefined) throw gatewayFault()
  const binds = binding([
    ['key budget', key === undefined ? null : leftNano(key)],
    ['account budget', leftNano(customer)],
    ['prepaid balance', balance === null ? null : balanceLeftNano(balance)],
  ])
  const prepaid = balance === null ? {} : { prepaid: prepaidOf(balance) }
  return c.json<AccountBudget>({ ...prepaid, account: budgetOf(customer), key: key === undefined ? null : budgetOf(key), binds })
})

/** ?1 customer: a row if they are prepaid. What is owed is what was used less what was paid. */
const BALANCE = `SELECT (SELECT coalesce(sum(amount_nano), 0) FROM payments WHERE customer_id = c.id) AS paidNano,
  coalesce((SELECT spent_nano FROM spend WHERE owner = 'p' || c.id AND period = 0), 0) AS owedNano,
  (SELECT coalesce(sum(hold_nano), 0) FROM holds WHERE customer_id = c.id) AS heldNano
FROM customers c WHERE c.id = ?1 AND c.prepaid = 1`

interface Balance {
  paidNano: number
  owedNano: number
  heldNano: number
}

function balanceLeftNano({ owedNano, heldNano }: Balance): number {
  return -owedNano - heldNano
}

function prepaidOf(balance: Balance): NonNullable<AccountBudget['prepaid']> {
  const { paidNano, owedNano, heldNano } = balance
  return {
    paid_usd: formatUsd(paidNano),
    used_usd: formatUsd(paidNano + owedNano),
    held_usd: formatUsd(heldNano),
    left_usd: formatUsd(balanceLeftNano(balance)),
  }
}

/** null: unlimited. */
function leftNano({ budgetNano, spentNano, heldNano }: Standing): number | null {
  return budgetNano === null ? null : budgetNano - spentNano - heldNano
}

function budgetOf(standing: Standing): AccountBudget['account'] {
  const { budgetNano, kind, spentNano, heldNano, nowMs } = standing
  const left = leftNano(standing)
  const renews = periodRenewsMs(kind, nowMs)
  return {
    budget_usd: budgetNano === null ? null : formatUsd(budgetNano),
    period: kind,
    spent_usd: formatUsd(spentNano),
    held_usd: formatUsd(heldNano),
    remaining_usd: left === null ? null : formatUsd(left),
    renews_at: renews === null ? null : iso(renews),
  }
}

type Limit = NonNullable<AccountBudget['binds']>

/** The limit that leaves least, the first of those that leave the same; null: none does. */
function binding(limits: [name: Limit, leftNano: number | null][]): Limit | null {
  const bounded = limits.filter((limit): limit is [Limit, number] => limit[1] !== null)
  return bounded.sort(([, one], [, other]) => one - other)[0]?.[0] ?? null
}

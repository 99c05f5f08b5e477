// Budgets that have passed a threshold: of customers and of keys, for whoever is to be told.
import { DAY_MS, periodOfDaySql, periodRenewsMs } from '../ledger/periods.ts'
import { formatUsd } from '../money.ts'
import type { BudgetPeriod } from '../schema.ts'
import { type Alert, minuteText, payloadOf, wantsSql } from './alert.ts'
import { PARTS, prefixSql } from './refused.ts'

/**
 * The highest threshold that each budget has reached, for each target that was told of neither it nor a higher one. `?1` is today.
 * A budget that refuses requests has reached all of them. The sums are those that admission reads: no usage is looked at. Another budget, or another period, is told anew.
 */
const REACHED = `
WITH owners AS (
  SELECT 'c' || id AS owner, id AS customer_id, name AS customer_name, NULL AS key_id, NULL AS key_name, budget_nano, budget_period FROM customers WHERE budget_nano > 0
  UNION ALL
  SELECT 'k' || k.id, k.customer_id, c.name, k.id, k.name, k.budget_nano, k.budget_period FROM api_keys k JOIN customers c ON c.id = k.customer_id
  WHERE k.budget_nano > 0 AND k.revoked_ms IS NULL
), spent AS (
  SELECT o.*, s.period, s.spent_nano, ${prefixSql('o.owner', 's.period', 'o.budget_nano')} AS prefix
  FROM owners o JOIN spend s ON s.owner = o.owner AND s.period = ${periodOfDaySql('o.budget_period', 'CAST(?1 AS INTEGER)')}
  WHERE s.spent_nano > 0
), known AS (
  SELECT *, (budget_nano - spent_nano) * ${PARTS} < budget_nano AND EXISTS (SELECT 1 FROM alert_state WHERE subject = prefix) AS is_used_up FROM spent
), reached AS (
  SELECT t.id AS target_id, t.thresholds, t.customer_id IS NULL AS is_operators, s.*, max(h.value) AS threshold
  FROM alert_targets t JOIN known s ON t.customer_id IS NULL OR t.customer_id = s.customer_id JOIN json_each(t.thresholds) h
  WHERE t.removed_ms IS NULL AND ${wantsSql("'budget'")} AND (s.spent_nano * 100 >= s.budget_nano * h.value OR s.is_used_up)
  GROUP BY t.id, s.owner
)
SELECT target_id, is_operators, prefix, customer_id, customer_name, key_id, key_name, budget_nano, budget_period, period, spent_nano, threshold, is_used_up
FROM reached r WHERE NOT EXISTS (
  SELECT 1 FROM json_each(r.thresholds) h JOIN alerts a ON a.target_id = r.target_id AND a.id = r.prefix || h.value WHERE h.value >= r.threshold)
LIMIT 200`

interface Reached {
  target_id: number
  is_operators: number
  prefix: string
  customer_id: number
  customer_name: string
  key_id: number | null
  key_name: string | null
  budget_nano: number
  budget_period: BudgetPeriod
  period: number
  spent_nano: number
  threshold: number
  /** 1: a request was refused, since what is left did not cover it. */
  is_used_up: number
}

export async function budgetAlerts(db: D1Database, nowMs: number): Promise<Alert[]> {
  const { results } = await db
    .prepare(REACHED)
    .bind(Math.floor(nowMs / DAY_MS))
    .all<Reached>()
  return results.map((row) => budgetAlert(row, nowMs))
}

const PERIOD_WORDS: Record<BudgetPeriod, string> = { total: 'in all', day: 'today', week: 'this week', month: 'this month' }

function budgetAlert(row: Reached, nowMs: number): Alert {
  const { threshold, customer_id, customer_name, key_id, key_name, budget_nano, budget_period, spent_nano } = row
  const renewsMs = periodRenewsMs(budget_period, nowMs)
  const isUsedUp = row.is_used_up === 1 || spent_nano >= budget_nano
  const whose = [
    row.is_operators ? `${customer_name} (customer ${customer_id})` : null,
    key_id === null ? null : keyTitle(key_id, key_name),
  ]
  const named = whose.filter((part) => part !== null).join(', ')
  const left = `$${formatUsd(Math.max(0, budget_nano - spent_nano))} is left${isUsedUp ? ', and requests are refused' : ''}`
  const budget = named === '' ? 'your budget' : `the budget of ${named}`
  const renews = renewsMs === null ? 'It does not renew.' : `It renews at ${minuteText(renewsMs)}.`
  return {
    id: `${row.prefix}${threshold}`,
    targetId: row.target_id,
    atMs: nowMs,
    payload: payloadOf('budget', nowMs, {
      severity: isUsedUp ? 'critical' : threshold >= 80 ? 'warning' : 'info',
      title: isUsedUp ? `${budget.charAt(0).toUpperCase()}${budget.slice(1)} is used up` : `${threshold} % of ${budget} is used`,
      message: `$${formatUsd(spent_nano)} of $${formatUsd(budget_nano)} is spent ${PERIOD_WORDS[budget_period]}: ${left}. ${renews}`,
      data: {
        customer_id,
        customer_name,
        key_id,
        key_name,
        threshold,
        used_up: isUsedUp,
        budget_usd: formatUsd(budget_nano),
        spent_usd: formatUsd(spent_nano),
        remaining_usd: formatUsd(Math.max(0, budget_nano - spent_nano)),
        period: budget_period,
        period_start: budget_period === 'total' ? null : new Date(row.period * DAY_MS).toISOString(),
        renews_at: renewsMs === null ? null : new Date(renewsMs).toISOString(),
      },
    }),
  }
}

function keyTitle(id: number, name: string | null): string {
  return `key ${id}${name ? ` (${name})` : ''}`
}

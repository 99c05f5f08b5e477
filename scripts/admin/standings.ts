// How a customer's budget stands, and those of their keys: what is spent and held in the present period, and what an adjustment did to that.
import { periodOfDaySql, periodRenewsMs } from '../../worker/ledger/periods.ts'
import type { BudgetPeriod } from '../../worker/schema.ts'
import type { Database, Row } from '../database/database.ts'
import { NOW_MS } from './clock.ts'
import { dollars, isoOrNull, minute, usd } from './table.ts'

/**
 * One statement, so that a request which ends meanwhile is in one place and in one only. The customer comes first.
 * What counts is what admission counts: the spend of the period and the holds that began in it.
 */
const STANDING = `
WITH clock AS (SELECT ${NOW_MS} AS now), owners AS (
  SELECT 'c' || id AS owner, id AS customer_id, NULL AS key_id, NULL AS prefix, name, status, budget_nano, budget_period FROM customers WHERE id = CAST(?1 AS INTEGER)
  UNION ALL
  SELECT 'k' || id, customer_id, id, prefix, name, NULL, budget_nano, budget_period FROM api_keys, clock
  WHERE customer_id = CAST(?1 AS INTEGER) AND budget_nano IS NOT NULL AND revoked_ms IS NULL AND (expires_ms IS NULL OR expires_ms > now)
), placed AS (SELECT *, ${periodOfDaySql('budget_period', '(now / 86400000)')} AS period FROM owners, clock)
SELECT p.*, CAST(coalesce((SELECT spent_nano FROM spend s WHERE s.owner = p.owner AND s.period = p.period), 0) AS TEXT) AS spent,
  CAST((SELECT coalesce(sum(h.hold_nano), 0) FROM holds h
    WHERE h.customer_id = p.customer_id AND (p.key_id IS NULL OR h.key_id = p.key_id) AND h.created_ms >= p.period * 86400000) AS TEXT) AS held
FROM placed p ORDER BY p.key_id NULLS FIRST`

export interface Standing {
  row: Row
  budget: bigint | null
  spent: bigint
  held: bigint
  /** null: unlimited. */
  left: bigint | null
  period: BudgetPeriod
  renewsMs: number | null
}

/** The customer, then each key with a budget that is in use. Empty: there is no such customer. */
export async function standingsOf(db: Database, customerId: number): Promise<Standing[]> {
  return (await db.all(STANDING, [customerId])).map(standingOf)
}

function standingOf(row: Row): Standing {
  const [spent, held] = [BigInt(row.spent ?? 0), BigInt(row.held ?? 0)]
  const budget = row.budget_nano === null ? null : BigInt(row.budget_nano ?? 0)
  const period = row.budget_period as BudgetPeriod
  return {
    row,
    budget,
    spent,
    held,
    left: budget === null ? null : budget - spent - held,
    period,
    renewsMs: periodRenewsMs(period, Number(row.now)),
  }
}

export function budgetJson({ budget, spent, held, left, period, renewsMs }: Standing) {
  return {
    budget_usd: budget === null ? null : usd(budget),
    period,
    spent_usd: usd(spent),
    held_usd: usd(held),
    remaining_usd: left === null ? null : usd(left),
    renews_at: isoOrNull(renewsMs),
  }
}

/** What money that was given back, or charged, did to a budget. */
export interface Room {
  json: (ReturnType<typeof budgetJson> & { room_usd: string }) | null
  /** A line, or nothing. */
  text: string
}

/**
 * Of the customer's budget, after an adjustment of so many nano-dollars (below zero: less to pay) that counts on `day` (days since 1970). Nothing
 * is said where there is no budget, or where its present period is not the one of that day.
 */
export async function roomAfter(db: Database, customerId: number, nano: bigint, day: number | 'today'): Promise<Room> {
  const [customer] = await standingsOf(db, customerId)
  if (customer === undefined || customer.budget === null || (day !== 'today' && day < Number(customer.row.period)))
    return { json: null, text: '' }
  const { budget, period, left, renewsMs } = customer
  const room = `${dollars(nano < 0n ? -nano : nano)} ${nano < 0n ? 'more' : 'less'} room`
  const until = renewsMs === null ? '' : ` until ${minute(renewsMs)} (UTC)`
  return {
    json: { ...budgetJson(customer), room_usd: usd(-nano) },
    text: `\nBudget of ${dollars(budget)} (${period}): it has ${room} in the present period, ${dollars(left)} is left${until}.`,
  }
}

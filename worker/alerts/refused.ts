// A hard budget, or a balance, is seldom spent to the last cent: what is left no longer covers a request. That is noted where it happens, since no row tells it.
import type { Refused } from '../ledger/admission.ts'
import { periodStartDay } from '../ledger/periods.ts'
import { causeOf, log } from '../log.ts'

/** What is left has to be less than one part in so many of the budget, or of the last payment in: a large request alone uses none up. */
export const PARTS = 10
/** So many notes an isolate remembers, so that a customer who goes on asking costs no write each. */
const NOTES_MAX = 1000

const noted = new Set<string>()

/** How the watch knows a budget in a period, and how its alerts begin. */
export const prefixSql = (owner: string, period: string, budget: string) =>
  `'budget:' || ${owner} || ':' || ${period} || ':' || ${budget} || ':'`

/** SQL: a column of the last payment in of a customer (an expression), by the index of just those. */
export const lastPaymentSql = (column: string, customer: string) =>
  `(SELECT p.${column} FROM payments p WHERE p.customer_id = ${customer} AND p.amount_nano > 0 ORDER BY p.created_ms DESC, p.id DESC LIMIT 1)`

/** How the watch knows the balance since the last payment in, and how its alerts begin. NULL: none came in. */
export const balancePrefixSql = (customer: string) =>
  `'balance:c' || ${customer} || ':' || ${lastPaymentSql('created_ms', customer)} || ':'`

interface Note {
  /** The same for as long as a new write would say nothing new. */
  name: string
  sql: string
  params: (string | number)[]
}

const NOTE = 'INSERT INTO alert_state (subject, seen, times, since_ms, updated_ms)'
const VALUES = "'used up', 1, CAST(?1 AS INTEGER), CAST(?1 AS INTEGER)"
const BUDGET = `${NOTE} VALUES (?2, ${VALUES}) ON CONFLICT DO NOTHING`
/** `?2` the customer, `?3` what is left: what was paid in last is not known here. */
const BALANCE = `${NOTE} SELECT ${balancePrefixSql('CAST(?2 AS INTEGER)')}, ${VALUES}
WHERE CAST(?3 AS INTEGER) * ${PARTS} < ${lastPaymentSql('amount_nano', 'CAST(?2 AS INTEGER)')} ON CONFLICT DO NOTHING`

/** What is used up: budgets, as `prefixSql` spells them, and the balance. What running requests hold may come back, so with them none is. */
function usedUp({ refusal, standing, leastNano }: Pick<Refused, 'refusal' | 'standing' | 'leastNano'>): Note[] {
  if (refusal !== 'budget_exceeded' || standing === null) return []
  const { customer, key, customerId, keyId, balance, nowMs } = standing
  const budgets = [
    { ...customer, owner: `c${customerId}` },
    { ...key, owner: `k${keyId}` },
  ].flatMap(({ owner, budgetNano, spentNano, heldNano, period }) => {
    if (budgetNano === null || heldNano > 0) return []
    const left = budgetNano - spentNano
    const name = `budget:${owner}:${periodStartDay(period, nowMs)}:${budgetNano}:`
    return left < leastNano && left * PARTS < budgetNano ? [{ name, sql: BUDGET, params: [nowMs, name] }] : []
  })
  if (balance === null || balance.heldNano > 0 || balance.leftNano >= leastNano) return budgets
  // A payment changes what is left, so each is noted anew.
  const name = `balance:c${customerId}:${balance.leftNano}`
  return [...budgets, { name, sql: BALANCE, params: [nowMs, customerId, balance.leftNano] }]
}

/** Notes it for the next look, beside the refusal. */
export function noteUsedUp(db: D1Database, refused: Refused, defer: (work: Promise<unknown>) => void): void {
  const fresh = usedUp(refused).filter(({ name }) => !noted.has(name))
  if (fresh.length === 0) return
  if (noted.size > NOTES_MAX) noted.clear()
  const written = db.batch(fresh.map(({ sql, params }) => db.prepare(sql).bind(...params))).then(
    () => {
      for (const { name } of fresh) noted.add(name)
    },
    (error) => log({ event: 'error', code: 'alerts', part: 'used up', message: causeOf(error) }),
  )
  defer(written)
}

// A hard budget is seldom spent to the last cent: what is left no longer covers a request. That is noted where it happens, since no row tells it.
import type { Refused } from '../ledger/admission.ts'
import { periodStartDay } from '../ledger/periods.ts'
import { causeOf, log } from '../log.ts'

/** What is left has to be less than one part in so many of the budget: a large request alone uses none up. */
export const PARTS = 10
/** So many notes an isolate remembers, so that a customer who goes on asking costs no write each. */
const NOTES_MAX = 1000

const noted = new Set<string>()

/** How the watch knows a budget in a period, and how its alerts begin. */
export const prefixSql = (owner: string, period: string, budget: string) =>
  `'budget:' || ${owner} || ':' || ${period} || ':' || ${budget} || ':'`

/** The budgets that are used up, as `prefixSql` spells them. What running requests hold may come back, so with them none is. */
function usedUp({ refusal, standing, leastNano }: Pick<Refused, 'refusal' | 'standing' | 'leastNano'>): string[] {
  if (refusal !== 'budget_exceeded' || standing === null) return []
  const { customer, key, customerId, keyId, nowMs } = standing
  return [
    { ...customer, owner: `c${customerId}` },
    { ...key, owner: `k${keyId}` },
  ].flatMap(({ owner, budgetNano, spentNano, heldNano, period }) => {
    if (budgetNano === null || heldNano > 0) return []
    const left = budgetNano - spentNano
    return left < leastNano && left * PARTS < budgetNano ? [`budget:${owner}:${periodStartDay(period, nowMs)}:${budgetNano}:`] : []
  })
}

/** Notes it for the next look, beside the refusal. */
export function noteUsedUp(db: D1Database, refused: Refused, defer: (work: Promise<unknown>) => void): void {
  const { standing } = refused
  const fresh = usedUp(refused).filter((prefix) => !noted.has(prefix))
  if (fresh.length === 0 || standing === null) return
  if (noted.size > NOTES_MAX) noted.clear()
  const insert = db.prepare(
    "INSERT INTO alert_state (subject, seen, times, since_ms, updated_ms) VALUES (?1, 'used up', 1, CAST(?2 AS INTEGER), CAST(?2 AS INTEGER)) ON CONFLICT DO NOTHING",
  )
  const written = db.batch(fresh.map((prefix) => insert.bind(prefix, standing.nowMs))).then(
    () => {
      for (const prefix of fresh) noted.add(prefix)
    },
    (error) => log({ event: 'error', code: 'alerts', part: 'used up', message: causeOf(error) }),
  )
  defer(written)
}

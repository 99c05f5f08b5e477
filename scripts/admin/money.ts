// Rows of money, as several commands write and show them: each in one transaction with the sums that it changes.
import { rebuildSpendSql } from '../../worker/ledger/periods.ts'
import type { Database, Statement } from '../database/database.ts'
import { NOW_MS } from './clock.ts'
import { dollars, usd } from './table.ts'

/** Sums written anew, for after the rows that they are of. */
export function rebuilt(owner: 'customer' | 'key' | 'balance', id: number): Statement[] {
  return rebuildSpendSql(owner).map((sql) => ({ sql, params: [id] }))
}

/** A row of `adjustments` or `payments` as JSON, for the audit log. */
export function moneyState(table: 'adjustments' | 'payments', customerId: number, id: string): Statement {
  const columns = ['customer_id', 'id', 'amount_nano', ...(table === 'adjustments' ? ['day', 'reason'] : ['reference', 'reason'])]
  return {
    sql: `SELECT json_object(${columns.map((name) => `'${name}', ${name}`).join(', ')}) FROM ${table} WHERE customer_id = ? AND id = ?`,
    params: [customerId, id],
  }
}

/** What a customer paid, used and has running; money as exact whole nano-dollars. */
export interface Balance {
  prepaid: boolean
  paid: bigint
  used: bigint
  held: bigint
  /** What is left to spend; of a postpaid customer it says nothing. */
  left: bigint
}

/** One statement, so that a request which ends meanwhile is in one place only. What was used is what the sum that binds says. */
const BALANCE = `
SELECT c.prepaid, CAST((SELECT coalesce(sum(amount_nano), 0) FROM payments p WHERE p.customer_id = c.id) AS TEXT) AS paid,
  CAST(iif(c.prepaid, coalesce((SELECT spent_nano FROM spend WHERE owner = 'p' || c.id AND period = 0), 0) + (SELECT coalesce(sum(amount_nano), 0) FROM payments p WHERE p.customer_id = c.id),
    (SELECT coalesce(sum(cost_nano), 0) FROM usage_daily d WHERE d.customer_id = c.id) + (SELECT coalesce(sum(amount_nano), 0) FROM adjustments a WHERE a.customer_id = c.id)) AS TEXT) AS used,
  CAST((SELECT coalesce(sum(hold_nano), 0) FROM holds h WHERE h.customer_id = c.id) AS TEXT) AS held, ${NOW_MS} AS now
FROM customers c WHERE c.id = CAST(? AS INTEGER)`

/** Of a customer that there is. */
export async function balanceOf(db: Database, customerId: number): Promise<Balance> {
  const [row] = await db.all(BALANCE, [customerId])
  const [paid, used, held] = [BigInt(row?.paid ?? 0), BigInt(row?.used ?? 0), BigInt(row?.held ?? 0)]
  return { prepaid: row?.prepaid === 1, paid, used, held, left: paid - used - held }
}

/** Tax is in what a postpaid customer paid and not in what they used, so the one is not taken off the other. */
export function balanceJson({ prepaid, paid, used, held, left }: Balance) {
  return { paid_usd: usd(paid), used_usd: usd(used), held_usd: usd(held), left_usd: prepaid ? usd(left) : null }
}

/** Postpaid: $1.77 paid in, with its tax; $1.49 used, before tax. Prepaid: $20 paid in, $3 used, $1 held by running requests, $16 left. */
export function balanceText({ prepaid, paid, used, held, left }: Balance): string {
  if (!prepaid)
    return `Postpaid: ${dollars(paid)} paid in, with its tax; ${dollars(used)} used, before tax. list-invoices --open shows what is to be paid.`
  return `Prepaid: ${dollars(paid)} paid in, ${dollars(used)} used, ${dollars(held)} held by running requests, ${dollars(left)} left.`
}

// A customer's month → its invoice, and whose months there are to be closed.
import { DAY_MS } from '../../worker/ledger/periods.ts'
import type { Database } from '../database/database.ts'
import { numberSql } from '../invoices/document.ts'
import { type Draft, draftInvoice, isDue } from '../invoices/draft.ts'
import type { InvoiceSettings } from '../invoices/settings.ts'
import { Failure } from './context.ts'
import { CREDIT_PREFIX, type CustomerMonth, readCustomerMonth } from './invoice-read.ts'
import { type Written, writeInvoice } from './invoice-write.ts'
import type { Month } from './month.ts'
import { dayName, plural } from './table.ts'

export interface Candidate {
  id: number
  name: string
  /** Requests of the month that are still running. */
  inFlight: number
  /** The invoice that there is; null: none. */
  invoice: string | null
  /** There is something to charge, or to give back. */
  owes: boolean
}

/** ?1 customer or NULL, ?2 and ?3 days. A month of which every request was free comes to nothing. */
const CANDIDATES = `
SELECT c.id, c.name,
  (SELECT count(*) FROM holds h WHERE h.customer_id = c.id AND h.created_ms >= CAST(?2 AS INTEGER) * ${DAY_MS} AND h.created_ms < (CAST(?3 AS INTEGER) + 1) * ${DAY_MS}) AS in_flight,
  (SELECT ${numberSql('i.year', 'i.seq')} FROM invoices i WHERE i.customer_id = c.id AND i.month = CAST(?2 AS INTEGER) AND i.kind = 'invoice') AS invoice,
  EXISTS (SELECT 1 FROM usage_daily d WHERE d.customer_id = c.id AND d.day BETWEEN CAST(?2 AS INTEGER) AND CAST(?3 AS INTEGER) AND d.cost_nano <> 0)
    OR EXISTS (SELECT 1 FROM adjustments a WHERE a.customer_id = c.id AND a.day BETWEEN CAST(?2 AS INTEGER) AND CAST(?3 AS INTEGER) AND a.id NOT LIKE '${CREDIT_PREFIX}%') AS owes
FROM customers c WHERE ?1 IS NULL OR c.id = CAST(?1 AS INTEGER) ORDER BY c.id`

export async function candidates(db: Database, customerId: number | null, { first, last }: Month): Promise<Candidate[]> {
  const rows = await db.all(CANDIDATES, [customerId, first, last])
  return rows.map(({ id, name, in_flight, invoice, owes }) => ({
    id: Number(id),
    name: String(name),
    inFlight: Number(in_flight),
    invoice: invoice === null || invoice === undefined ? null : String(invoice),
    owes: owes === 1,
  }))
}

/** Throws Failure where requests of the month are running: what they cost is not known yet. */
export function refuseInFlight(found: readonly Candidate[], { name }: Month): void {
  const running = found.filter(({ inFlight }) => inFlight > 0)
  if (running.length === 0) return
  const whose = running.map(({ id, name, inFlight }) => `${plural(inFlight, 'request')} of customer ${id} (${name})`).join(', ')
  throw new Failure(`${name} has requests in flight: ${whose}. Nothing was written: try again when they have ended, which takes minutes.`)
}

export async function draftMonth(db: Database, customerId: number, month: Month, settings: InvoiceSettings) {
  const facts = await readCustomerMonth(db, customerId, month)
  return { facts, draft: draftInvoice({ ...facts, from: dayName(month.first), to: dayName(month.last) }, settings) }
}

/** Closes a customer's month. Throws Failure. */
export function closeCustomerMonth(
  db: Database,
  who: string,
  customerId: number,
  month: Month,
  settings: InvoiceSettings,
): Promise<Written> {
  const note = { who, command: 'close-month', target: `customer ${customerId}, ${month.name}` }
  return writeInvoice(db, note, async () => {
    const found = await candidates(db, customerId, month)
    refuseInFlight(found, month)
    const closed = found[0]?.invoice ?? null
    if (closed !== null) throw new Failure(`customer ${customerId}: ${month.name} has been closed in the meantime: invoice ${closed}.`)
    const { facts, draft } = await draftMonth(db, customerId, month, settings)
    return {
      row: rowOf(customerId, month, facts, draft, settings),
      fits: unchanged(customerId, month, facts),
      also: [],
    }
  })
}

function rowOf(customerId: number, month: Month, facts: CustomerMonth, { document, due, taxBp }: Draft, { payment }: InvoiceSettings) {
  return {
    kind: 'invoice' as const,
    customerId,
    month: month.first,
    corrects: null,
    usageNano: facts.usageNano,
    adjustmentsNano: facts.adjustmentsNano,
    carriedNano: facts.before?.remainderNano ?? 0n,
    ...due,
    taxBp,
    document,
    paymentDays: isDue(due, facts.customer.prepaid) ? payment.days : null,
  }
}

/** True while nothing runs and the sums are those that the document was made of. */
function unchanged(customerId: number, { first, last }: Month, facts: CustomerMonth) {
  const mine = 'customer_id = CAST(? AS INTEGER)'
  const days = `${mine} AND day BETWEEN CAST(? AS INTEGER) AND CAST(? AS INTEGER)`
  return {
    sql: `NOT EXISTS (SELECT 1 FROM holds WHERE ${mine} AND created_ms >= CAST(? AS INTEGER) AND created_ms < CAST(? AS INTEGER))
      AND (SELECT coalesce(sum(cost_nano), 0) || ' ' || coalesce(sum(requests), 0) FROM usage_daily WHERE ${days}) = ?
      AND (SELECT coalesce(sum(amount_nano), 0) || ' ' || count(*) FROM adjustments WHERE ${days} AND id NOT LIKE '${CREDIT_PREFIX}%') = ?
      AND ${carriedIsSql}`,
    params: [
      ...[customerId, first * DAY_MS, (last + 1) * DAY_MS],
      ...[customerId, first, last, `${facts.usageNano} ${facts.requests}`],
      ...[customerId, first, last, `${facts.adjustmentsNano} ${facts.adjustments.length}`],
      ...[customerId, facts.before?.number ?? ''],
    ],
  }
}

/** True while the customer's latest document is the one of this number; '': there is none. Parameters: customer, number. */
export const carriedIsSql = `coalesce((SELECT ${numberSql('b.year', 'b.seq')} FROM invoices b WHERE b.customer_id = CAST(? AS INTEGER) ORDER BY b.id DESC LIMIT 1), '') = ?`

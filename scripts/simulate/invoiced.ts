// Reads row by row what may still be refunded of a request that is on an invoice: the ledger asks that in one statement.
import { DAY_MS, periodRenewsMs, periodStartDay } from '../../worker/ledger/periods.ts'
import type { Row, Store } from './store.ts'

const CENT_NANO = 10_000_000

/** How much of this request may be refunded for the sake of its invoice, which has no credit notes here; infinite: it is on none. */
export async function refundableOf(store: Store, requestId: string, customerId: number, createdMs: number): Promise<number> {
  const month = periodStartDay('month', createdMs)
  const next = Number(periodRenewsMs('month', createdMs)) / DAY_MS
  const [invoice] = await store.all('SELECT * FROM invoices WHERE customer_id = ? AND month = ?', [customerId, month])
  if (invoice === undefined) return Number.POSITIVE_INFINITY
  const adjustments = await store.all('SELECT * FROM adjustments WHERE customer_id = ? AND day >= ?', [customerId, next])
  /** What was charged late is on another invoice, and so is the refund of that. */
  const lateOf = (id: unknown) => Number(adjustments.find((row) => row.id === `late:${id}`)?.amount_nano ?? 0)
  let left = Math.max(0, Number(invoice.net_cents) * CENT_NANO, Number(invoice.usage_nano) + Number(invoice.adjustments_nano))
  for (const { id, usage_id, amount_nano } of adjustments.filter(isRefund)) {
    const [usage] = await store.all('SELECT created_ms FROM usage WHERE id = ?', [usage_id ?? null])
    const admitted = Number(usage?.created_ms) / DAY_MS
    if (id !== `refund:${requestId}` && admitted >= month && admitted < next) left -= Math.max(0, -Number(amount_nano) - lateOf(usage_id))
  }
  return Math.max(0, left) + lateOf(requestId)
}

const isRefund = ({ id }: Row) => String(id).startsWith('refund:')

// Which invoice is open: invoices with what was paid of each. A payment says by its reference which one it is for, and credit notes count as paid.
import type { Row } from '../database/database.ts'
import { numberSql } from '../invoices/document.ts'
import { formatAmount, nanoOfCents } from '../invoices/sums.ts'

/** A payment is for the invoice that its reference begins with: '2026-0001', or '2026-0001 bank transfer'. */
export function referenceFor(number: string, text: string | undefined): string {
  return text === undefined ? number : `${number} ${text}`
}

/** Invoices of before that was kept say it in these words only, which are what their settings had unless told otherwise. */
const IN_ADVANCE = `coalesce(i.document ->> 'prepaid', i.document ->> '$.payment[0]' LIKE 'Paid in advance%', 0)`

/** ?1 customer, ?2 year of issue, ?3 number: each NULL for all. Each table is read once, however many invoices there are. */
export const INVOICES = `
WITH credited AS (SELECT corrects, -sum(total_cents) AS cents FROM invoices WHERE corrects IS NOT NULL GROUP BY corrects
), paid AS (
  SELECT customer_id, substr(reference, 1, instr(reference || ' ', ' ') - 1) AS number, sum(amount_nano) AS nano FROM payments GROUP BY customer_id, 2
), listed AS (
  SELECT ${numberSql('i.year', 'i.seq')} AS number, i.id, i.year, i.seq, i.kind, i.month, i.document ->> 'issued' AS issued, i.customer_id,
    i.document ->> '$.customer.name' AS customer_name, CAST(i.net_cents AS TEXT) AS net, CAST(i.tax_cents AS TEXT) AS tax, CAST(i.total_cents AS TEXT) AS total,
    i.document ->> 'currency' AS currency, i.document ->> '$.corrects.number' AS corrects, i.kind = 'invoice' AND i.total_cents > 0 AND ${IN_ADVANCE} AS in_advance
  FROM invoices i WHERE (?1 IS NULL OR i.customer_id = CAST(?1 AS INTEGER)) AND (?2 IS NULL OR i.year = CAST(?2 AS INTEGER))
) SELECT l.*, CAST(coalesce(p.nano, 0) + coalesce(c.cents, 0) * 10000000 AS TEXT) AS paid FROM listed l
LEFT JOIN paid p ON p.customer_id = l.customer_id AND p.number = l.number LEFT JOIN credited c ON c.corrects = l.id
WHERE ?3 IS NULL OR l.number = ?3 ORDER BY l.year, l.seq`

export interface Paid {
  /** Decimal, its credit notes with it; of a credit note null. */
  paid: string | 'in advance' | null
  /** It is not paid in full. */
  open: boolean
}

/** Of a row of INVOICES. */
export function paidOf({ kind, total, paid, in_advance }: Row): Paid {
  if (kind !== 'invoice') return { paid: null, open: false }
  if (in_advance === 1) return { paid: 'in advance', open: false }
  const nano = BigInt(paid ?? 0)
  return { paid: formatAmount(nano), open: nano < nanoOfCents(BigInt(total ?? 0)) }
}

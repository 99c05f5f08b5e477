// Writes an invoice or credit note. What it was made of is summed up again by the statement that writes it: if anything has come in between,
// a column that may not be NULL gets a NULL, and the transaction, with its note in the audit log, has not been.
import { DAY_MS } from '../../worker/ledger/periods.ts'
import { type Database, DatabaseError, type Row, type Statement } from '../database/database.ts'
import { type InvoiceDocument, numberSql } from '../invoices/document.ts'
import { audited } from './audit.ts'
import { NOW_MS } from './clock.ts'
import { Failure } from './context.ts'

interface NewRow {
  kind: InvoiceDocument['kind']
  customerId: number
  /** Its first day, whole days since 1970. */
  month: number
  corrects: number | null
  usageNano: bigint
  adjustmentsNano: bigint
  carriedNano: bigint
  netCents: bigint
  remainderNano: bigint
  taxBp: number
  taxCents: bigint
  totalCents: bigint
  document: InvoiceDocument
  /** From its issue until it is due; null: it says nothing of that. */
  paymentDays: number | null
}

export interface Written {
  number: string
  document: InvoiceDocument
}

/** The number is the next one of the year; it, the day and the day it is due are put into the document. `fits` is SQL that is true if nothing has come in between. */
function insertStatement(row: NewRow, fits: { sql: string; params: unknown[] }): Statement {
  const text = (value: bigint) => value.toString()
  const sums = [
    ...[row.adjustmentsNano, row.carriedNano, row.netCents, row.remainderNano].map(text),
    row.taxBp,
    ...[row.taxCents, row.totalCents].map(text),
  ]
  const due = row.paymentDays === null ? 'NULL' : `date(t.now / 1000, 'unixepoch', '+${row.paymentDays} days')`
  return {
    sql: `INSERT INTO invoices (year, seq, kind, customer_id, month, corrects, document, created_ms, usage_nano, adjustments_nano, carried_nano, net_cents,
        remainder_nano, tax_bp, tax_cents, total_cents)
      SELECT t.year, t.seq, ?, CAST(? AS INTEGER), CAST(? AS INTEGER), CAST(? AS INTEGER),
        json_set(?, '$.number', ${numberSql('t.year', 't.seq')}, '$.issued', date(t.now / 1000, 'unixepoch'), '$.due', ${due}), t.now,
        iif(${fits.sql}, CAST(? AS INTEGER), NULL), ${sums.map(() => 'CAST(? AS INTEGER)').join(', ')}
      FROM (SELECT now, year, (SELECT coalesce(max(i.seq), 0) + 1 FROM invoices i WHERE i.year = n.year) AS seq
        FROM (SELECT ${NOW_MS} AS now, CAST(strftime('%Y', 'now') AS INTEGER) AS year) n) t
      RETURNING ${numberSql('year', 'seq')} AS number, document`,
    params: [
      ...[row.kind, row.customerId, row.month, row.corrects, JSON.stringify(row.document)],
      ...fits.params,
      text(row.usageNano),
      ...sums,
    ],
  }
}

/** The row that this transaction has written, as the audit log tells it. */
const WRITTEN = {
  sql: `SELECT json_object('number', ${numberSql('year', 'seq')}, 'kind', kind, 'customer_id', customer_id, 'month', date(month * ${DAY_MS / 1000}, 'unixepoch'),
    'net_cents', net_cents, 'tax_cents', tax_cents, 'total_cents', total_cents, 'corrects', corrects) FROM invoices WHERE id = (SELECT max(id) FROM invoices)`,
  params: [],
}

const TRIES = 5

interface Attempt {
  row: NewRow
  fits: { sql: string; params: unknown[] }
  /** What belongs into the same transaction. */
  also: Statement[]
}

/** Writes what `attempt` makes of the ledger as it is; if that has changed until then, it is asked anew. Throws what `attempt` throws, Failure. */
export async function writeInvoice(
  db: Database,
  note: { who: string; command: string; target: string },
  attempt: () => Promise<Attempt>,
): Promise<Written> {
  for (let tried = 0; tried < TRIES; tried++) {
    const { row, fits, also } = await attempt()
    try {
      const [written = []] = await audited(db, { ...note, before: null, after: WRITTEN }, [insertStatement(row, fits), ...also])
      return writtenOf(written[0])
    } catch (error) {
      if (!(error instanceof DatabaseError && isOvertaken(error))) throw error
    }
  }
  throw new Failure(`${note.target}: the ledger has changed each of the ${TRIES} times that it was tried. Nothing was written: try again.`)
}

/** Something came in between: the sums, or somebody has closed the month. */
function isOvertaken({ message }: DatabaseError): boolean {
  return (
    message.includes('NOT NULL constraint failed: invoices.usage_nano') ||
    message.includes('UNIQUE constraint failed: invoices.customer_id, invoices.month')
  )
}

function writtenOf(row: Row | undefined): Written {
  if (row === undefined) throw new Failure('the database did not say what it wrote: see list-invoices.')
  return { number: String(row.number), document: JSON.parse(String(row.document)) as InvoiceDocument }
}

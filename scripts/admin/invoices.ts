// Invoices and credit notes, as several commands look them up.
import { InvalidArgumentError } from 'commander'
import type { Database } from '../database/database.ts'
import { type InvoiceDocument, numberOf } from '../invoices/document.ts'
import { Failure } from './context.ts'

export interface InvoiceNumber {
  year: number
  seq: number
}

/** 2026-0007, as list-invoices shows it. Throws InvalidArgumentError. */
export function invoiceNumber(text: string): InvoiceNumber {
  const [, year, seq] = /^([2-9]\d{3})-(\d{4,9})$/.exec(text) ?? []
  if (numberOf(Number(year), Number(seq)) === text && Number(seq) > 0) return { year: Number(year), seq: Number(seq) }
  throw new InvalidArgumentError('It has to be a number such as 2026-0001; list-invoices shows them.')
}

export interface StoredInvoice {
  id: number
  kind: InvoiceDocument['kind']
  customerId: number
  month: number
  netCents: bigint
  taxBp: number
  document: InvoiceDocument
}

/** Throws Failure where there is none. */
export async function findInvoice(db: Database, { year, seq }: InvoiceNumber): Promise<StoredInvoice> {
  const [row] = await db.all(
    'SELECT id, kind, customer_id, month, CAST(net_cents AS TEXT) AS net_cents, tax_bp, document FROM invoices WHERE year = CAST(? AS INTEGER) AND seq = CAST(? AS INTEGER)',
    [year, seq],
  )
  if (row === undefined) throw new Failure(`number: there is no ${numberOf(year, seq)}; list-invoices shows them.`)
  return {
    id: Number(row.id),
    kind: row.kind as InvoiceDocument['kind'],
    customerId: Number(row.customer_id),
    month: Number(row.month),
    netCents: BigInt(row.net_cents ?? 0),
    taxBp: Number(row.tax_bp),
    document: JSON.parse(String(row.document)) as InvoiceDocument,
  }
}

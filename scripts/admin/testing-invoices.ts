// Test support: invoice.json for the commands, and months that are closed.
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { InvoiceDocument } from '../invoices/document.ts'
import { type TestDatabase, usd } from './testing.ts'

export const SETTINGS = {
  issuer: { name: 'Box & Sons', address: ['1 Rack Street', 'Exampletown'], tax_id: 'GB123', email: 'bill@example.com' },
  tax: { label: 'VAT', percent: 19 },
  currency: 'USD',
  payment: { days: 14, terms: ['By transfer.'] },
  legal: ['Registered in Exampletown.'],
}

/** Commands that know who writes the invoices. */
export async function invoicing(t: TestDatabase, settings: unknown = SETTINGS) {
  const file = join(t.stateDir, 'invoice.json')
  await writeFile(file, JSON.stringify(settings))
  const admin = (...args: string[]) => t.adminIn({ environment: { INVOICE_FILE: file, GATEWAY_ADMIN: 'ada' } }, ...args)
  return {
    file,
    admin,
    /** Closes a month; the numbers of what was written. */
    async close(month: string, ...options: string[]): Promise<string[]> {
      const ran = await admin('close-month', month, ...options, '--yes', '--json')
      if (ran.code !== 0) throw new Error(ran.err)
      // What is to be written is not shown where --yes and --json are given.
      return ran.json<{ invoices: { number: string }[] }>().invoices.map(({ number }) => number)
    },
    async document(number: string): Promise<InvoiceDocument> {
      return (await admin('invoice', number, '--format', 'json')).json<InvoiceDocument>()
    },
  }
}

export const noon = (date: string) => Date.parse(`${date}T12:00:00Z`)

/** Posts an adjustment as the ledger does: with the customer's spend. */
export async function adjust(t: TestDatabase, customerId: number, date: string, amount: string, reason = 'goodwill'): Promise<void> {
  const nano = amount.startsWith('-') ? -usd(amount.slice(1)) : usd(amount)
  const day = Date.parse(date) / 86_400_000
  await t.db.batch([
    {
      sql: `INSERT INTO adjustments (customer_id, id, amount_nano, reason, day, created_ms) VALUES (?, hex(randomblob(8)), ?, ?, CAST(? AS INTEGER), 0)`,
      params: [customerId, nano, reason, day],
    },
    {
      sql: `INSERT INTO spend (owner, period, spent_nano) VALUES ('c' || CAST(? AS INTEGER), unixepoch(?, 'start of month') / 86400, CAST(? AS INTEGER))
        ON CONFLICT DO UPDATE SET spent_nano = spent_nano + excluded.spent_nano`,
      params: [customerId, date, nano],
    },
  ])
}

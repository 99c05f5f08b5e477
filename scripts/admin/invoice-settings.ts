// invoice.json for the commands: at the project's root, or where INVOICE_FILE says.
import { join, resolve } from 'node:path'
import { type InvoiceSettings, readInvoiceSettings, SettingsError } from '../invoices/settings.ts'
import { PROJECT_ROOT } from '../start/project.ts'
import { Failure, type Io } from './context.ts'

/** Throws Failure. */
export async function invoiceSettings({ environment }: Pick<Io, 'environment'>): Promise<InvoiceSettings> {
  const path = environment.INVOICE_FILE ? resolve(PROJECT_ROOT, environment.INVOICE_FILE) : join(PROJECT_ROOT, 'invoice.json')
  return readInvoiceSettings(path).catch((error: unknown) => {
    throw error instanceof SettingsError ? new Failure(error.message) : error
  })
}

// The command line: all commands, and what becomes of an error.
import { Command, CommanderError } from 'commander'
import { DatabaseError, databaseErrorIn } from '../database/database.ts'
import type { OpenDatabase } from '../database/open.ts'
import { addAlertCommand } from './add-alert.ts'
import { archiveCommand } from './archive.ts'
import { auditCommand } from './audit-log.ts'
import { backupCommand } from './backup.ts'
import { checkBudgetCommand } from './check-budget.ts'
import { closeMonthCommand } from './close-month.ts'
import { Failure, type Io, Stopped, UsageError } from './context.ts'
import { createCustomerCommand } from './create-customer.ts'
import { creditCommand } from './credit.ts'
import { creditNoteCommand } from './credit-note.ts'
import { explainCommand } from './explain.ts'
import { exportUsageCommand } from './export-usage.ts'
import { generateKeyCommand } from './generate-key.ts'
import { importPricesCommand } from './import-prices.ts'
import { invoiceCommand } from './invoice.ts'
import { killCommand } from './kill.ts'
import { listAlertsCommand } from './list-alerts.ts'
import { listArchivesCommand } from './list-archives.ts'
import { listCustomersCommand } from './list-customers.ts'
import { listInvoicesCommand } from './list-invoices.ts'
import { listKeysCommand } from './list-keys.ts'
import { listModelsCommand } from './list-models.ts'
import { listPaymentsCommand } from './list-payments.ts'
import { listPricingCommand } from './list-pricing.ts'
import { payCommand } from './pay.ts'
import { reconcileCommand } from './reconcile.ts'
import { refundCommand } from './refund.ts'
import { removeAlertCommand } from './remove-alert.ts'
import { restoreCommand } from './restore.ts'
import { revokeKeyCommand } from './revoke-key.ts'
import { rotateAccessCommand } from './rotate-access.ts'
import { rotateKeyCommand } from './rotate-key.ts'
import { rotateProviderKeyCommand } from './rotate-provider-key.ts'
import { setPricingCommand } from './set-pricing.ts'
import { Shell } from './shell.ts'
import { testAlertCommand } from './test-alert.ts'
import { topCommand } from './top.ts'
import { updateCustomerCommand } from './update-customer.ts'
import { usageReportCommand } from './usage-report.ts'
import { verifyLedgerCommand } from './verify-ledger.ts'
import { withdrawPricingCommand } from './withdraw-pricing.ts'

const COMMANDS = [
  createCustomerCommand,
  updateCustomerCommand,
  listCustomersCommand,
  generateKeyCommand,
  rotateKeyCommand,
  rotateAccessCommand,
  rotateProviderKeyCommand,
  revokeKeyCommand,
  listKeysCommand,
  setPricingCommand,
  listPricingCommand,
  withdrawPricingCommand,
  importPricesCommand,
  listModelsCommand,
  usageReportCommand,
  checkBudgetCommand,
  payCommand,
  listPaymentsCommand,
  creditCommand,
  refundCommand,
  exportUsageCommand,
  explainCommand,
  topCommand,
  killCommand,
  verifyLedgerCommand,
  reconcileCommand,
  auditCommand,
  addAlertCommand,
  listAlertsCommand,
  removeAlertCommand,
  testAlertCommand,
  closeMonthCommand,
  listInvoicesCommand,
  invoiceCommand,
  creditNoteCommand,
  backupCommand,
  restoreCommand,
  archiveCommand,
  listArchivesCommand,
]

/**
 * Runs one command. Returns the exit code: 0; 1 where it could not be done, or what it found is bad; 2 for arguments that cannot be used;
 * 130 where it was stopped.
 * Errors are one line on standard error.
 * @param open how to come to a database, for tests
 */
export async function runAdmin(args: string[], io: Io, open?: (options: { remote: boolean }) => Promise<OpenDatabase>): Promise<number> {
  const shell = new Shell(io, open)
  const program = new Command('npm run admin --').description('Customers, keys, prices, budgets and usage of the gateway.')
  for (const make of COMMANDS) program.addCommand(make(shell))
  const pending: Promise<void>[] = []
  for (const command of [program, ...program.commands]) {
    command.exitOverride().configureOutput({ writeOut: (text) => void pending.push(io.out(text)), writeErr: io.err })
  }
  try {
    await program.parseAsync(args, { from: 'user' })
    return shell.exitCode
  } catch (error) {
    if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : 2
    const { message, exitCode } = explain(error)
    io.err(`error: ${message}\n`)
    return exitCode
  } finally {
    await Promise.all(pending)
  }
}

function explain(error: unknown): { message: string; exitCode: number } {
  if (error instanceof UsageError) return { message: error.message, exitCode: 2 }
  if (error instanceof Stopped) return { message: error.message, exitCode: 130 }
  const known = databaseErrorIn(error) ?? error
  if (known instanceof Failure || known instanceof DatabaseError) return { message: known.message, exitCode: 1 }
  return { message: `this should not happen: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}`, exitCode: 1 }
}

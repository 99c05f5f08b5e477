// credit-note: takes back an invoice or a part of it, as a row of its own, and gives the customer's spend the same amount back.
import { Argument, type Command, InvalidArgumentError, Option } from 'commander'
import { refundedSinceSql } from '../../worker/ledger/given-back.ts'
import { DAY_MS, rebuildSpendSql } from '../../worker/ledger/periods.ts'
import { parseDecimal } from '../../worker/money.ts'
import type { Database, Statement } from '../database/database.ts'
import { type InvoiceDocument, numberOf, numberSql } from '../invoices/document.ts'
import { draftCredit } from '../invoices/draft.ts'
import type { InvoiceSettings } from '../invoices/settings.ts'
import { formatCents, nanoOfCents } from '../invoices/sums.ts'
import { label } from './arguments.ts'
import { type Context, Failure, type Output } from './context.ts'
import { findCustomer } from './customers.ts'
import { carriedIsSql } from './invoice-month.ts'
import { CREDIT_PREFIX, carriedOf, carriedStatement } from './invoice-read.ts'
import { invoiceSettings } from './invoice-settings.ts'
import { writeInvoice } from './invoice-write.ts'
import { findInvoice, type InvoiceNumber, invoiceNumber, type StoredInvoice } from './invoices.ts'
import { balanceJson, balanceOf, balanceText } from './money.ts'
import { adminCommand } from './next-command.ts'
import type { AskingOptions, Shell } from './shell.ts'
import { roomAfter } from './standings.ts'
import { dollars, usd } from './table.ts'

interface Options extends AskingOptions {
  reason: string
  amount?: bigint
}

export function creditNoteCommand(shell: Shell): Command {
  return shell
    .command(
      'credit-note',
      'Takes back an invoice, or a part of it; the amount goes back into the budget of today.',
      "credit-note 2026-0001 --amount 5.00 --reason 'the host was down'",
    )
    .addArgument(new Argument('<number>', 'of the invoice, as in list-invoices').argParser(invoiceNumber))
    .addOption(new Option('--reason <text>', 'it is printed').argParser(label).makeOptionMandatory())
    .addOption(new Option('--amount <usd>', 'net, in whole cents (default: all that is left of it)').argParser(netCents))
    .option('--yes', 'do not ask')
    .action((number: InvoiceNumber, options: Options) => creditNote(shell, number, options))
}

/** Throws InvalidArgumentError. */
function netCents(text: string): bigint {
  const cents = text.trim() === text ? parseDecimal(text, 2, 900_000_000_000_000) : null
  if (cents !== null && cents > 0) return BigInt(cents)
  throw new InvalidArgumentError('It has to be an amount above 0 such as 5 or 4.99, with at most two decimals.')
}

interface Credit {
  invoice: StoredInvoice
  /** Of its net, what no credit note took back. */
  uncreditedCents: bigint
  /** Of its month's requests, since it was written. */
  refundedNano: bigint
  /** What is left of both; the part of a cent that was refunded is given back by no credit note. */
  leftCents: bigint
  creditCents: bigint
}

/** The database is opened twice: it is not held while a person thinks. */
async function creditNote(shell: Shell, number: InvoiceNumber, options: Options): Promise<void> {
  let question = ''
  await shell.run(options, async ({ db, io }) => {
    await invoiceSettings(io)
    const { invoice, creditCents, leftCents, refundedNano } = await creditFor(db, number, options.amount)
    const { customer, currency } = invoice.document
    question = `Credit ${formatCents(creditCents)} of the ${formatCents(leftCents)} ${currency} net that are left of invoice ${numberOf(number.year, number.seq)} to ${customer.name} (${customer.id})${refundedText(refundedNano)}?`
    return null
  })
  await shell.confirm(options, question)
  await shell.run(options, async (context) => write(context, number, options, await invoiceSettings(context.io)))
}

/** What there is to credit. Throws Failure. */
async function creditFor(db: Database, number: InvoiceNumber, amount: bigint | undefined): Promise<Credit> {
  const invoice = await findInvoice(db, number)
  const name = numberOf(number.year, number.seq)
  if (invoice.kind !== 'invoice') throw new Failure(`number: ${name} is a credit note; give the number of an invoice.`)
  const [row] = await db.all(`SELECT (${CREDITED}) AS cents, (${REFUNDED}) AS refunded`, [invoice.id, invoice.id])
  const uncreditedCents = invoice.netCents + BigInt(row?.cents ?? 0)
  const refundedNano = BigInt(row?.refunded ?? 0)
  const leftCents = uncreditedCents - centsUp(refundedNano)
  if (leftCents <= 0n) {
    throw new Failure(
      `number: nothing is left of ${name} to credit: ${formatCents(invoice.netCents)} net, ${formatCents(uncreditedCents)} after its credit notes${refundedText(refundedNano)}.`,
    )
  }
  if (amount !== undefined && amount > leftCents) {
    throw new Failure(
      `--amount: ${formatCents(amount)} is more than the ${formatCents(leftCents)} that are left of ${name}${refundedText(refundedNano)}.`,
    )
  }
  return { invoice, uncreditedCents, refundedNano, leftCents, creditCents: amount ?? leftCents }
}

/** Whole cents that are no less. */
function centsUp(nano: bigint): bigint {
  const cent = nanoOfCents(1n)
  return (nano + cent - 1n) / cent
}

/** Says what is not to be credited a second time. */
function refundedText(nano: bigint): string {
  return nano === 0n ? '' : `, after ${dollars(nano)} that was refunded of its requests since`
}

/** At most zero. */
const CREDITED = 'SELECT CAST(coalesce(sum(net_cents), 0) AS TEXT) AS cents FROM invoices WHERE corrects = CAST(? AS INTEGER)'
const REFUNDED = `SELECT CAST(${refundedSinceSql('i')} AS TEXT) FROM invoices i WHERE i.id = CAST(? AS INTEGER)`

async function write(
  { db, who, remote }: Context,
  number: InvoiceNumber,
  { reason, amount }: Options,
  settings: InvoiceSettings,
): Promise<Output> {
  const note = { who, command: 'credit-note', target: `invoice ${numberOf(number.year, number.seq)}` }
  let [refunded, adjusted] = [0n, 0n]
  const written = await writeInvoice(db, note, async () => {
    const { invoice, uncreditedCents, creditCents, refundedNano } = await creditFor(db, number, amount)
    refunded = refundedNano
    const { customerId, taxBp, id: corrects, month } = invoice
    const [before] = await db.batch([carriedStatement(customerId)])
    const carried = carriedOf(before?.[0])
    const found = await findCustomer(db, customerId)
    const customer = { ...found, prepaid: found.prepaid === 1 }
    const facts = { invoice: invoice.document, taxBp, creditCents, leftCents: uncreditedCents, reason, customer }
    const { document, due } = draftCredit(facts, settings)
    const remainder = carried?.remainderNano ?? 0n
    const sums = { usageNano: 0n, adjustmentsNano: nanoOfCents(due.netCents), carriedNano: remainder, remainderNano: remainder, ...due }
    adjusted = sums.adjustmentsNano
    return {
      row: { kind: 'credit_note', customerId, month, corrects, ...sums, taxBp, document, paymentDays: null },
      fits: {
        sql: `(${CREDITED}) = ? AND (${REFUNDED}) = ? AND ${carriedIsSql}`,
        params: [
          ...[corrects, (uncreditedCents - invoice.netCents).toString(), corrects, refundedNano.toString()],
          ...[customerId, carried?.number ?? ''],
        ],
      },
      also: [ADJUSTMENT, ...rebuildSpendSql('customer').map((sql) => ({ sql, params: [customerId] }))],
    }
  })
  const { customer } = written.document
  const [balance, room] = [await balanceOf(db, customer.id), await roomAfter(db, customer.id, adjusted, 'today')]
  return {
    json: { ...creditJson(written.document), refunded_usd: usd(refunded), budget: room.json, left_usd: balanceJson(balance).left_usd },
    text: creditText(written.document, refunded, remote, `${balance.prepaid ? `\n${balanceText(balance)}` : ''}${room.text}`),
  }
}

/** The credit is an adjustment of today, so that usage and adjustments stay what was invoiced less what was credited. */
const ADJUSTMENT: Statement = {
  sql: `INSERT INTO adjustments (customer_id, id, amount_nano, reason, day, created_ms)
    SELECT customer_id, '${CREDIT_PREFIX}' || ${numberSql('year', 'seq')}, adjustments_nano,
      'credit note ' || ${numberSql('year', 'seq')} || ': ' || (document ->> '$.corrects.reason'), created_ms / ${DAY_MS}, created_ms
    FROM invoices WHERE id = (SELECT max(id) FROM invoices)`,
  params: [],
}

function creditJson({ number, corrects, customer, sums, currency }: InvoiceDocument) {
  const { net, tax, total } = sums
  return { number, corrects: corrects?.number, customer_id: customer.id, net, tax, total, currency }
}

function creditText({ number, corrects, sums, currency }: InvoiceDocument, refunded: bigint, remote: boolean, after: string): string {
  const next = adminCommand({ remote }, `invoice ${number} --format html --output ${number}.html`)
  return `Credit note ${number} to invoice ${corrects?.number}: net ${sums.net}, tax ${sums.tax}, total ${sums.total} ${currency}${refundedText(refunded)}.${after}\nNext: ${next}`
}

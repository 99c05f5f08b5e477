// pay: money that came in by another way than Stripe, or with --back went out again.
import { Argument, type Command, Option } from 'commander'
import { v5 } from 'uuid'
import { type Database, databaseErrorIn, type Row } from '../database/database.ts'
import { numberOf } from '../invoices/document.ts'
import { formatCents } from '../invoices/sums.ts'
import { amount, id, label } from './arguments.ts'
import { audited } from './audit.ts'
import { type Context, Failure, type Output, UsageError } from './context.ts'
import { findCustomer } from './customers.ts'
import { INVOICES, paidOf, referenceFor } from './invoice-paid.ts'
import { type InvoiceNumber, invoiceNumber } from './invoices.ts'
import { balanceJson, balanceOf, balanceText, moneyState, rebuilt } from './money.ts'
import { BOOKED, BOOKED_BEFORE, PAY } from './money-sql.ts'
import type { AskingOptions, Shell } from './shell.ts'
import { dollars, minute, usd } from './table.ts'

interface Options extends AskingOptions {
  reference?: string
  invoice?: InvoiceNumber
  back?: true
}

export function payCommand(shell: Shell): Command {
  return shell
    .command(
      'pay',
      'Books money that a customer paid; --back what was paid back to them.',
      "pay 1 20 --invoice 2026-0001 --reference 'bank transfer 2026-11-24'",
    )
    .addArgument(new Argument('<customer_id>', 'as in list-customers').argParser(id))
    .addArgument(new Argument('<usd>', 'the amount').argParser(amount))
    .addOption(new Option('--reference <text>', 'what it is called in your books: it counts once for a customer').argParser(label))
    .addOption(new Option('--invoice <number>', 'which invoice it is for: that is what its reference begins with').argParser(invoiceNumber))
    .option('--back', 'it went back to the customer')
    .option('--yes', 'pay back without asking')
    .action((customerId: number, nano: number, options: Options) => {
      if (options.reference === undefined && options.invoice === undefined) throw new UsageError('--reference or --invoice is missing.')
      const book = (context: Context) => pay(context, customerId, options.back ? -nano : nano, options)
      if (!options.back) return shell.run(options, book)
      return shell.runAfterYes(options, `Book that ${dollars(nano)} went back to customer ${customerId}?`, book)
    })
}

/** The namespace of ids made of a customer, a direction and a reference: a payment typed twice has one id. */
const REFERENCES = 'c3a5f0de-6c0b-4b0e-8a5e-3d1c7e2f9b46'

async function pay({ db, who }: Context, customerId: number, nano: number, { reference: text, invoice }: Options): Promise<Output> {
  const customer = await findCustomer(db, customerId)
  const number = invoice === undefined ? null : await invoiceOf(db, invoice, customerId)
  const reference = number === null ? String(text) : referenceFor(number, text)
  const payment = `manual:${v5(`${customerId} ${nano > 0 ? 'in' : 'back'} ${reference}`, REFERENCES)}`
  await audited(
    db,
    { who, command: 'pay', target: `customer ${customerId}`, before: null, after: moneyState('payments', customerId, payment) },
    [{ sql: PAY, params: [customerId, payment, nano, reference] }, ...rebuilt('balance', customerId)],
  ).catch(async (error) => {
    const said = databaseErrorIn(error)?.message ?? ''
    if (!said.includes(BOOKED_BEFORE) && !said.includes('UNIQUE constraint failed: payments')) throw error
    const [booked] = await db.all(BOOKED, [customerId, reference, nano])
    throw new Failure(
      `--reference: '${reference}' of customer ${customerId} was booked before${bookedText(booked)}, as list-payments ${customerId} shows; give another one if this is other money.`,
    )
  })
  const balance = await balanceOf(db, customerId)
  const standing = number === null ? null : await standingOf(db, customerId, number)
  return {
    json: { customer_id: customerId, payment_id: payment, amount_usd: usd(nano), reference, ...balanceJson(balance), ...standing?.json },
    text: `${nano > 0 ? 'Booked' : 'Booked back'} ${dollars(Math.abs(nano))} ${nano > 0 ? 'from' : 'to'} customer ${customerId}, ${customer.name}: ${reference}\n${balanceText(balance)}${standing?.text ?? ''}`,
  }
}

/** The number of an invoice of this customer. Throws Failure. */
async function invoiceOf(db: Database, asked: InvoiceNumber, customerId: number): Promise<string> {
  const number = numberOf(asked.year, asked.seq)
  const [row] = await db.all(INVOICES, [null, asked.year, number])
  if (row === undefined) throw new Failure(`--invoice: there is no ${number}; list-invoices --customer ${customerId} shows theirs.`)
  if (row.customer_id !== customerId) {
    throw new Failure(
      `--invoice: ${number} is of customer ${row.customer_id}, not ${customerId}; list-invoices --customer ${customerId} shows theirs.`,
    )
  }
  if (row.kind !== 'invoice') {
    throw new Failure(`--invoice: ${number} is a credit note to ${row.corrects}; give the number of the invoice.`)
  }
  return number
}

/** What is paid of the invoice by now. */
async function standingOf(db: Database, customerId: number, number: string) {
  const [row = {}] = await db.all(INVOICES, [customerId, null, number])
  const { paid, open } = paidOf(row)
  const total = formatCents(BigInt(row.total ?? 0))
  const said =
    paid === 'in advance' ? 'paid in advance' : `${paid} of ${total} ${row.currency} paid, ${open ? 'and open' : 'so it is not open'}`
  return { json: { invoice: number, invoice_paid: paid, invoice_total: total, invoice_open: open }, text: `\nInvoice ${number}: ${said}.` }
}

/** : $20 from Stripe at 2026-11-24 12:00 (UTC). */
function bookedText(row: Row | undefined): string {
  if (row === undefined) return ''
  return `: ${dollars(row.amount ?? 0)} ${row.source === 'stripe' ? 'from Stripe' : 'by hand'} at ${minute(Number(row.created_ms))} (UTC)`
}

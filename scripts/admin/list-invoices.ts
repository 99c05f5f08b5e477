// list-invoices: what was written, in the order of the numbers.
import { type Command, Option } from 'commander'
import type { Row } from '../database/database.ts'
import { formatCents } from '../invoices/sums.ts'
import { count, id } from './arguments.ts'
import type { Context, Output } from './context.ts'
import { findCustomer } from './customers.ts'
import { INVOICES, paidOf } from './invoice-paid.ts'
import { adminCommand } from './next-command.ts'
import type { CommonOptions, Shell } from './shell.ts'
import { dayName, table } from './table.ts'

interface Options extends CommonOptions {
  customer?: number
  year?: number
  open?: true
}

export function listInvoicesCommand(shell: Shell): Command {
  return shell
    .command('list-invoices', 'Lists invoices and credit notes, with what was paid of each.', 'list-invoices --open --customer 1')
    .addOption(new Option('--customer <customer_id>', 'only this one').argParser(id))
    .addOption(new Option('--year <year>', 'of issue').argParser(count(2000, 9999)))
    .option('--open', 'only invoices that are not paid in full, as their payments say: pay --invoice')
    .action((options: Options) => shell.run(options, (context) => listInvoices(context, options)))
}

/** Throws Failure for a customer that there is not. */
async function listInvoices({ db, remote }: Context, { customer, year, open }: Options): Promise<Output> {
  if (customer !== undefined) await findCustomer(db, customer)
  const all = await db.all(INVOICES, [customer ?? null, year ?? null, null])
  const rows = open ? all.filter((row) => paidOf(row).open) : all
  const cents = (value: Row[string] | undefined) => formatCents(BigInt(value ?? 0))
  const month = (row: Row) => dayName(Number(row.month)).slice(0, 7)
  return {
    json: rows.map(({ id, seq, year, in_advance, ...row }) => {
      const sums = { net: cents(row.net), tax: cents(row.tax), total: cents(row.total) }
      return { ...row, month: month(row), ...sums, ...paidOf({ ...row, in_advance: in_advance ?? 0 }) }
    }),
    text:
      rows.length === 0
        ? all.length > 0
          ? 'No open invoices.'
          : `No invoices. Next: ${adminCommand({ remote }, 'close-month YYYY-MM')}`
        : table(rows, [
            { title: 'number', value: ({ number }) => String(number) },
            { title: 'issued', value: ({ issued }) => String(issued) },
            { title: 'what', value: ({ kind, corrects }) => (kind === 'invoice' ? 'invoice' : `credit to ${corrects}`) },
            { title: 'customer', value: (row) => `${row.customer_name} (${row.customer_id})` },
            { title: 'month', value: month },
            { title: 'net', value: ({ net }) => cents(net), right: true },
            { title: 'tax', value: ({ tax }) => cents(tax), right: true },
            { title: 'total', value: ({ total, currency }) => `${cents(total)} ${currency}`, right: true },
            { title: 'paid', value: (row) => paidOf(row).paid ?? '', right: true },
          ]),
  }
}

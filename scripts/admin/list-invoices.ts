// list-invoices: what was written, in the order of the numbers.
import { type Command, Option } from 'commander'
import type { Row } from '../database/database.ts'
import { numberSql } from '../invoices/document.ts'
import { formatCents } from '../invoices/sums.ts'
import { count, id } from './arguments.ts'
import type { Context, Output } from './context.ts'
import { findCustomer } from './customers.ts'
import { adminCommand } from './next-command.ts'
import type { CommonOptions, Shell } from './shell.ts'
import { dayName, table } from './table.ts'

interface Options extends CommonOptions {
  customer?: number
  year?: number
}

export function listInvoicesCommand(shell: Shell): Command {
  return shell
    .command('list-invoices', 'Lists invoices and credit notes.', 'list-invoices --customer 1 --year 2026')
    .addOption(new Option('--customer <customer_id>', 'only this one').argParser(id))
    .addOption(new Option('--year <year>', 'of issue').argParser(count(2000, 9999)))
    .action((options: Options) => shell.run(options, (context) => listInvoices(context, options)))
}

const LIST = `SELECT ${numberSql('i.year', 'i.seq')} AS number, i.kind, i.month, i.document ->> 'issued' AS issued, i.customer_id,
  i.document ->> '$.customer.name' AS customer_name, CAST(i.net_cents AS TEXT) AS net, CAST(i.tax_cents AS TEXT) AS tax, CAST(i.total_cents AS TEXT) AS total,
  i.document ->> 'currency' AS currency, i.document ->> '$.corrects.number' AS corrects
FROM invoices i WHERE (?1 IS NULL OR i.customer_id = CAST(?1 AS INTEGER)) AND (?2 IS NULL OR i.year = CAST(?2 AS INTEGER)) ORDER BY i.year, i.seq`

/** Throws Failure for a customer that there is not. */
async function listInvoices({ db, remote }: Context, { customer, year }: Options): Promise<Output> {
  if (customer !== undefined) await findCustomer(db, customer)
  const rows = await db.all(LIST, [customer ?? null, year ?? null])
  const cents = (value: Row[string] | undefined) => formatCents(BigInt(value ?? 0))
  const month = (row: Row) => dayName(Number(row.month)).slice(0, 7)
  return {
    json: rows.map((row) => ({ ...row, month: month(row), net: cents(row.net), tax: cents(row.tax), total: cents(row.total) })),
    text:
      rows.length === 0
        ? `No invoices. Next: ${adminCommand({ remote }, 'close-month YYYY-MM')}`
        : table(rows, [
            { title: 'number', value: ({ number }) => String(number) },
            { title: 'issued', value: ({ issued }) => String(issued) },
            { title: 'what', value: ({ kind, corrects }) => (kind === 'invoice' ? 'invoice' : `credit to ${corrects}`) },
            { title: 'customer', value: (row) => `${row.customer_name} (${row.customer_id})` },
            { title: 'month', value: month },
            { title: 'net', value: ({ net }) => cents(net), right: true },
            { title: 'tax', value: ({ tax }) => cents(tax), right: true },
            { title: 'total', value: ({ total, currency }) => `${cents(total)} ${currency}`, right: true },
          ]),
  }
}

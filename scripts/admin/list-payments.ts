// list-payments: money that came in and went back, of everyone or of one customer.
import { Argument, type Command } from 'commander'
import { id } from './arguments.ts'
import type { Context, Output } from './context.ts'
import { findCustomer } from './customers.ts'
import { adminCommand } from './next-command.ts'
import type { CommonOptions, Shell } from './shell.ts'
import { dollars, iso, minute, plural, table, usd } from './table.ts'

export function listPaymentsCommand(shell: Shell): Command {
  return shell
    .command('list-payments', 'Lists what customers paid in and what was paid back, oldest first.', 'list-payments 1')
    .addArgument(new Argument('[customer_id]', 'as in list-customers').argParser(id))
    .action((customerId: number | undefined, options: CommonOptions) => shell.run(options, (context) => listPayments(context, customerId)))
}

const listSql = (everyone: boolean) => `
SELECT p.customer_id, c.name, p.id, CAST(p.amount_nano AS TEXT) AS amount, p.source, p.reference, p.reason, p.created_ms
FROM payments p JOIN customers c ON c.id = p.customer_id ${everyone ? '' : 'WHERE p.customer_id = CAST(? AS INTEGER) '}ORDER BY p.created_ms, p.id`

async function listPayments({ db, remote }: Context, customerId: number | undefined): Promise<Output> {
  if (customerId !== undefined) await findCustomer(db, customerId)
  const everyone = customerId === undefined
  const rows = await db.all(listSql(everyone), everyone ? [] : [customerId])
  const sum = rows.reduce((total, row) => total + BigInt(row.amount ?? 0), 0n)
  const text = table(rows, [
    { title: 'when (UTC)', value: (row) => minute(Number(row.created_ms)) },
    { title: 'customer', value: (row) => `${row.name} (${row.customer_id})` },
    { title: 'amount', value: (row) => dollars(row.amount ?? 0), right: true },
    { title: 'source', value: (row) => String(row.source) },
    { title: 'reference', value: (row) => String(row.reference) },
    { title: 'reason', value: (row) => String(row.reason) },
  ])
  return {
    json: rows.map(({ customer_id, name, id, amount, source, reference, reason, created_ms }) => ({
      customer_id,
      customer_name: name,
      id,
      amount_usd: usd(amount ?? 0),
      source,
      reference,
      reason,
      created_at: iso(Number(created_ms)),
    })),
    text:
      rows.length === 0
        ? `No payments yet: ${adminCommand({ remote }, 'pay --help')}`
        : `${text}\n${plural(rows.length, 'payment')}, ${dollars(sum)}`,
  }
}

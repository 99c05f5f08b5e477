// explain: why one request cost what it did.
import { Argument, type Command } from 'commander'
import { and, eq, sql } from 'drizzle-orm'
import { type Explanation, explainEnded, explainRunning, explanationLines } from '../../worker/explain.ts'
import { adjustments, apiKeys, archives, customers, holds, prices, usage } from '../../worker/schema.ts'
import type { Database } from '../database/database.ts'
import { requestId } from './arguments.ts'
import { type Context, Failure, type Output } from './context.ts'
import { keyTitle } from './keys.ts'
import { placeText } from './prices.ts'
import type { CommonOptions, Shell } from './shell.ts'

export function explainCommand(shell: Shell): Command {
  return shell
    .command(
      'explain',
      'Explains what one request cost: its price, counts, formula, ending, hold and times.',
      'explain 019ab3c1-5a4e-7c11-8f00-1b2c3d4e5f60',
    )
    .addArgument(new Argument('<request_id>', 'as in x-request-id, export-usage or the log').argParser(requestId))
    .action((id: string, options: CommonOptions) => shell.run(options, (context) => explain(context, id)))
}

async function explain({ db }: Context, id: string): Promise<Output> {
  const found = await findRequest(db, id)
  if (found === null) throw new Failure(`request_id: there is no request ${id}${await archivedIn(db, id)}.`)
  const { row, explanation, whose } = found
  const { customer, key, price } = whose
  const state = 'outcome' in row ? row.outcome : 'running'
  const text = [
    `Request ${id}: ${row.model}, ${row.dialect}, ${state}.`,
    `${customer.name} (${customer.id}), ${keyTitle(key)}; served by ${placeText(price)}.`,
    ...explanationLines(explanation),
  ]
  return {
    json: {
      ...{ id, state, customer_id: customer.id, customer_name: customer.name, key_id: key.id, key_name: key.name },
      ...{ model: row.model, dialect: row.dialect, upstream: row.upstream, ...explanation },
    },
    text: text.join('\n'),
  }
}

interface Found {
  row: typeof usage.$inferSelect | typeof holds.$inferSelect
  explanation: Explanation
  whose: { customer: typeof customers.$inferSelect; key: typeof apiKeys.$inferSelect; price: typeof prices.$inferSelect }
}

/** Both tables are clustered by customer and id: from the customers it is a seek in each. What ends in between is in one of them. */
export async function findRequest(db: Database, id: string): Promise<Found | null> {
  const whose = { customer: customers, key: apiKeys, price: prices }
  const running = await db.orm
    .select({ row: holds, ...whose })
    .from(customers)
    .crossJoin(holds)
    .innerJoin(apiKeys, eq(apiKeys.id, holds.keyId))
    .innerJoin(prices, eq(prices.id, holds.priceId))
    .where(and(eq(holds.customerId, customers.id), eq(holds.id, id)))
    .get()
  const ended = await db.orm
    .select({ row: usage, ...whose })
    .from(customers)
    .crossJoin(usage)
    .innerJoin(apiKeys, eq(apiKeys.id, usage.keyId))
    .innerJoin(prices, eq(prices.id, usage.priceId))
    .where(and(eq(usage.customerId, customers.id), eq(usage.id, id)))
    .get()
  if (ended !== undefined) {
    const { row, ...owners } = ended
    const of = and(eq(adjustments.customerId, row.customerId), eq(adjustments.usageId, id))
    const posted = await db.orm.select().from(adjustments).where(of).orderBy(adjustments.createdMs, adjustments.id)
    return { row, explanation: explainEnded(row, owners.price, posted), whose: owners }
  }
  if (running === undefined) return null
  const { row, ...owners } = running
  return { row, explanation: explainRunning(row, owners.price), whose: owners }
}

/** Where the request's rows may be instead: its id says when it was. */
async function archivedIn(db: Database, id: string): Promise<string> {
  const day = Math.floor(Number.parseInt(id.replace('-', '').slice(0, 12), 16) / 86_400_000)
  const archive = await db.orm.select().from(archives).where(sql`${day} >= ${archives.month} AND ${day} < ${archives.nextMonth}`).get()
  return archive === undefined ? '' : `; what was used then was moved to ${archive.file}`
}

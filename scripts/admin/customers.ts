// Customers, as several commands look them up and show them.
import { eq, getTableColumns } from 'drizzle-orm'
import { customers } from '../../worker/schema.ts'
import { type Database, databaseErrorIn } from '../database/database.ts'
import { Failure } from './context.ts'
import { limitsJson } from './limits.ts'
import { iso } from './table.ts'

export type Customer = typeof customers.$inferSelect

/** What the audit log tells of a customer. */
export const CUSTOMER_COLUMNS = Object.values(getTableColumns(customers)).map(({ name }) => name)

/** Throws Failure where there is none. */
export async function findCustomer(db: Database, id: number): Promise<Customer> {
  const customer = await db.orm.select().from(customers).where(eq(customers.id, id)).get()
  if (customer === undefined) throw new Failure(`customer_id: there is no customer ${id}; list-customers shows them.`)
  return customer
}

export function customerJson(customer: Customer) {
  const { id, name, email, status, prepaid, address, taxId } = customer
  // Only invoices need these, so whoever writes none does not see them.
  const billed = { ...(address === '' ? {} : { address: address.split('\n') }), ...(taxId === '' ? {} : { tax_id: taxId }) }
  return { id, name, email, status, prepaid: prepaid === 1, ...limitsJson(customer), ...billed, created_at: iso(customer.createdMs) }
}

/** Runs a write; an email that another customer has becomes a Failure that says whose it is. */
export async function withUniqueEmail<T>(db: Database, email: string | undefined, write: () => Promise<T>): Promise<T> {
  try {
    return await write()
  } catch (error) {
    if (email === undefined || !databaseErrorIn(error)?.message.includes('UNIQUE constraint failed: customers.email')) throw error
    const owner = await db.orm.select().from(customers).where(eq(customers.email, email)).get()
    throw new Failure(
      `email: ${email} is taken by customer ${owner?.id} (${owner?.name}); use another, or change that one: update-customer ${owner?.id}`,
    )
  }
}

// What the account's routes have in common: whose rows a key sees, and queries whose faults are named.
import { zValidator } from '@hono/zod-validator'
import * as z from 'zod'
import type { Caller } from '../auth.ts'
import { GatewayError } from '../errors.ts'
import { DAY_MS } from '../ledger/periods.ts'

/** A key sees what was done with it; one that is marked for its account, all of the customer's. `?1` and `?2` of SEEN. */
export function seenBy({ customerId, keyId, account }: Caller): [customerId: number, keyId: number | null] {
  return [customerId, account ? null : keyId]
}

export const SEEN = 'customer_id = ?1 AND (?2 IS NULL OR key_id = ?2)'

/** Every column of a table, by the name that it has in row types. */
export function columnsOf(table: object): string {
  const columns = Object.entries(table as Record<string, { name?: unknown }>).filter(([, column]) => typeof column.name === 'string')
  return columns.map(([field, { name }]) => `${name} AS ${field}`).join(', ')
}

/** A query by its schema; what does not fit is a 400 that names the field. */
export function checkedQuery<T extends z.ZodType>(schema: T) {
  return zValidator('query', schema, (result) => {
    if (result.success) return
    const issue = result.error.issues[0]
    const param = String(issue?.path[0] ?? '')
    throw new GatewayError('invalid_request', `${param}: ${issue?.message}`, { param })
  })
}

/** Whole days since 1970, UTC. */
export const date = z.iso
  .date('must be a date such as 2026-11-24')
  .refine((text) => text >= '1970', 'must not be before 1970')
  .transform((text) => Date.parse(text) / DAY_MS)

export function dayName(day: number): string {
  return new Date(day * DAY_MS).toISOString().slice(0, 10)
}

export function iso(ms: number): string {
  return new Date(ms).toISOString()
}

// API keys, as several commands look them up and show them; the key itself is shown by the one that makes it, once.
import { eq, getTableColumns, sql } from 'drizzle-orm'
import { apiKeys, customers } from '../../worker/schema.ts'
import type { Database } from '../database/database.ts'
import { nowMs } from './clock.ts'
import { Failure } from './context.ts'
import { limitsJson } from './limits.ts'
import { isVendor, standingPrices } from './prices.ts'
import { iso, isoOrNull } from './table.ts'

type KeyStatus = 'active' | 'suspended' | 'expired' | 'revoked'

type StoredKey = Omit<typeof apiKeys.$inferSelect, 'hash'> & { customerName: string; status: KeyStatus }

/**
 * A key with its owner; `status` is what a request with it would meet. The hash stays in the database. `models` are canonical names;
 * `modelNames` is what they are called: a vendor's model has no tag.
 */
export type Key = StoredKey & { modelNames: string[] | null }

const { hash: _, ...shown } = getTableColumns(apiKeys)

/** What the audit log tells of a key. */
export const KEY_COLUMNS = Object.values(shown).map(({ name }) => name)

const status = sql<KeyStatus>`CASE WHEN ${apiKeys.revokedMs} IS NOT NULL THEN 'revoked' WHEN ${apiKeys.expiresMs} <= ${nowMs} THEN 'expired'
  WHEN ${customers.status} <> 'active' THEN 'suspended' ELSE 'active' END`

/** Keys with their owners, oldest first: all, or those of a customer. */
export async function selectKeys(db: Database, customerId?: number): Promise<Key[]> {
  const all = keysOf(db)
  return withNames(db, await (customerId === undefined ? all : all.where(eq(apiKeys.customerId, customerId))).orderBy(apiKeys.id))
}

/** Throws Failure where there is none. */
export async function findKey(db: Database, id: number): Promise<Key> {
  const [key] = await withNames(db, await keysOf(db).where(eq(apiKeys.id, id)))
  if (key === undefined) throw new Failure(`key_id: there is no key ${id}; list-keys shows them.`)
  return key
}

function keysOf(db: Database) {
  return db.orm
    .select({ ...shown, customerName: customers.name, status })
    .from(apiKeys)
    .innerJoin(customers, eq(customers.id, apiKeys.customerId))
}

async function withNames(db: Database, keys: StoredKey[]): Promise<Key[]> {
  const prices = keys.some(({ models }) => models !== null) ? await standingPrices(db) : null
  const called = (model: string) => {
    const bare = model.replace(/:latest$/, '')
    const price = prices?.get(bare)
    return price?.withdrawn === 0 && isVendor(price.upstream) ? bare : model
  }
  return keys.map((key) => ({ ...key, modelNames: key.models?.map(called) ?? null }))
}

export function keyJson(key: Key) {
  return {
    id: key.id,
    customer_id: key.customerId,
    customer_name: key.customerName,
    prefix: key.prefix,
    name: key.name,
    status: key.status,
    models: key.models,
    account: key.account === 1,
    ...limitsJson(key),
    expires_at: isoOrNull(key.expiresMs),
    revoked_at: isoOrNull(key.revokedMs),
    created_at: iso(key.createdMs),
  }
}

/** Key 3 (sk_1a2b3c, laptop). */
export function keyTitle({ id, prefix, name }: Pick<Key, 'id' | 'prefix' | 'name'>): string {
  return `key ${id} (${[`${prefix}…`, name].filter((part) => part !== '').join(', ')})`
}

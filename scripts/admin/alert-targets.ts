// Alert targets, as several commands look them up and show them; an address is shown without what may be secret in it.
import { InvalidArgumentError } from 'commander'
import { and, eq, isNull } from 'drizzle-orm'
import { CUSTOMER_KINDS, type Kind, OPERATOR_KINDS } from '../../worker/alerts/alert.ts'
import { targetSecret } from '../../worker/alerts/signing.ts'
import { shownUrl, targetUrl } from '../../worker/alerts/target-url.ts'
import { alertTargets } from '../../worker/schema.ts'
import type { Database, Statement } from '../database/database.ts'
import { rowJson } from './audit.ts'
import { type Context, Failure } from './context.ts'
import { iso, isoOrNull } from './table.ts'

export type Target = typeof alertTargets.$inferSelect

/** Those that stand, oldest first. */
export function selectTargets(db: Database): Promise<Target[]> {
  return db.orm.select().from(alertTargets).where(isNull(alertTargets.removedMs)).orderBy(alertTargets.id)
}

/** Throws Failure where there is none, or it was removed. */
export async function findTarget(db: Database, id: number): Promise<Target> {
  const stands = and(eq(alertTargets.id, id), isNull(alertTargets.removedMs))
  const target = await db.orm.select().from(alertTargets).where(stands).get()
  if (target === undefined) throw new Failure(`alert_id: there is no alert target ${id}; list-alerts shows them.`)
  return target
}

export function targetJson({ id, customerId, url, format, kinds, thresholds, removedMs, createdMs }: Target) {
  return {
    id,
    customer_id: customerId,
    url: shownUrl(url),
    format,
    kinds: kinds ?? kindsFor(customerId),
    thresholds,
    removed_at: isoOrNull(removedMs),
    created_at: iso(createdMs),
  }
}

/** customer 1, or the operator. */
export function forWhom(customerId: number | null): string {
  return customerId === null ? 'operator' : `customer ${customerId}`
}

/** The same within a sentence. */
export function whomInWords(customerId: number | null): string {
  return customerId === null ? 'the operator' : forWhom(customerId)
}

export function kindsFor(customerId: number | null): readonly Kind[] {
  return customerId === null ? OPERATOR_KINDS : CUSTOMER_KINDS
}

/** What the audit log tells of a target. */
export const TARGET_COLUMNS = ['id', 'customer_id', 'format', 'kinds', 'thresholds', 'removed_ms', 'created_ms']

/** The newest row as JSON for the audit log, with the address as it may be shown. */
export function targetMade(url: string): Statement {
  return {
    sql: `SELECT 'alert ' || id AS target, json_set(${rowJson(TARGET_COLUMNS)}, '$.url', ?) AS row FROM alert_targets WHERE id = (SELECT max(id) FROM alert_targets)`,
    params: [shownUrl(url)],
  }
}

/** The secret that a receiver checks signatures with; null: ALERT_SIGNING_SECRET is not known here, or there is nothing to sign. */
export function secretOf({ io }: Context, { id, format }: Pick<Target, 'id' | 'format'>): string | null {
  const secret = io.environment.ALERT_SIGNING_SECRET?.trim()
  return format === 'json' && secret ? targetSecret(secret, id) : null
}

/** https, or http on this machine. */
export function alertUrl(text: string): string {
  if (targetUrl(text) !== null && text.length <= 2000) return text
  throw new InvalidArgumentError('It has to be an https address (http only on this machine, such as http://127.0.0.1:9000/hook).')
}

/** a,b → kinds of alerts. */
export function kinds(text: string): Kind[] {
  const names = [...new Set(text.split(',').map((name) => name.trim()))]
  if (names.every((name) => (OPERATOR_KINDS as readonly string[]).includes(name))) return names as Kind[]
  throw new InvalidArgumentError(`It has to be of ${OPERATOR_KINDS.join(', ')}, with commas between them.`)
}

/** 50,80,100 → percent of a budget, in order. */
export function thresholds(text: string): number[] {
  const parts = text.split(',').map((part) => part.trim())
  const numbers = [...new Set(parts.map(Number))].sort((a, b) => a - b)
  if (parts.length <= 20 && parts.every((part) => /^[1-9]\d{0,2}$/.test(part)) && numbers.every((percent) => percent <= 100)) return numbers
  throw new InvalidArgumentError('It has to be whole percents from 1 to 100, such as 50,80,100.')
}

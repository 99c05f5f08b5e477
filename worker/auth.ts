// Who asks: the key out of the headers, and, for routes that read without spending, whom it belongs to.
import { GatewayError } from './errors.ts'
import { keyHash } from './keys.ts'

const HOW = 'Send it as "Authorization: Bearer sk_…" or as "x-api-key: sk_…".'

/**
 * The SHA-256 of the caller's key, from `Authorization: Bearer` or `x-api-key` (Anthropic's SDK sends either, by version).
 * Throws invalid_api_key for none, a malformed one, or two that differ: none of these costs a look-up.
 */
export async function readKeyHash(headers: Headers): Promise<string> {
  const authorization = headers.get('authorization')
  const bearer = authorization === null ? null : /^bearer +(\S+)$/i.exec(authorization.trim())?.[1]
  const apiKey = headers.get('x-api-key')?.trim() || null
  if (bearer === undefined && apiKey === null)
    throw new GatewayError('invalid_api_key', `The Authorization header does not hold a bearer key. ${HOW}`)
  const key = bearer ?? apiKey
  if (key === null) throw new GatewayError('invalid_api_key', `An API key is missing. ${HOW}`)
  if (bearer != null && apiKey !== null && bearer !== apiKey) {
    throw new GatewayError('invalid_api_key', 'Authorization and x-api-key hold different keys: send one of them.')
  }
  const hash = keyHash(key)
  if (hash === null) throw new GatewayError('invalid_api_key', `This is not a key of this gateway: it is mistyped or cut short. ${HOW}`)
  return hash
}

export interface Caller {
  keyId: number
  customerId: number
  /** Canonical names; null: all. */
  models: string[] | null
  /** The key sees all of its customer's account. */
  account: boolean
}

interface CallerRow {
  keyId: number
  customerId: number
  models: string | null
  account: number
  status: string
  expiresMs: number | null
  revokedMs: number | null
  now: number
}

/** Whom the request's key belongs to: one D1 read. Throws as `refuseCaller` words it. */
export async function authenticate(db: D1Database, headers: Headers): Promise<Caller> {
  const hash = await readKeyHash(headers)
  const row = await db
    .prepare(
      `SELECT k.id AS keyId, k.customer_id AS customerId, k.models, k.account, c.status, k.expires_ms AS expiresMs, k.revoked_ms AS revokedMs,
        CAST(unixepoch('subsec') * 1000 AS INTEGER) AS now FROM api_keys k JOIN customers c ON c.id = k.customer_id WHERE k.hash = ?`,
    )
    .bind(hash)
    .first<CallerRow>()
  if (row === null) throw refuseCaller('invalid_api_key', null)
  if (row.revokedMs !== null) throw refuseCaller('revoked_api_key', null)
  if (row.expiresMs !== null && row.expiresMs <= row.now) throw refuseCaller('expired_api_key', row.expiresMs)
  if (row.status !== 'active') throw refuseCaller('account_suspended', null)
  const models = row.models === null ? null : (JSON.parse(row.models) as string[])
  return { keyId: row.keyId, customerId: row.customerId, models, account: row.account === 1 }
}

/** The refusals that are about the key or its owner, in the same words everywhere. */
export function refuseCaller(
  refusal: 'invalid_api_key' | 'revoked_api_key' | 'expired_api_key' | 'account_suspended',
  expiresMs: number | null,
): GatewayError {
  switch (refusal) {
    case 'invalid_api_key':
      return new GatewayError('invalid_api_key', 'This API key is not known: check it, or ask the operator for a new one.')
    case 'revoked_api_key':
      return new GatewayError('invalid_api_key', 'This API key was revoked: ask the operator for a new one.')
    case 'expired_api_key':
      return new GatewayError(
        'invalid_api_key',
        `This API key expired${expiresMs === null ? '' : ` on ${new Date(expiresMs).toISOString()}`}: ask the operator for a new one.`,
      )
    case 'account_suspended':
      return new GatewayError('account_suspended', 'This account is suspended: ask the operator.')
  }
}

// The customer key that requests are tried with: one that is given, or one of the doctor's own, which ends with the check.
import { keyHash, newKey } from '../../worker/keys.ts'
import { audited, rowMade, rowState } from '../admin/audit.ts'
import { NOW_MS } from '../admin/clock.ts'
import { KEY_COLUMNS } from '../admin/keys.ts'
import { adminCommand } from '../admin/next-command.ts'
import type { Database } from '../database/database.ts'
import { bad, type Finding, ok, unasked } from './finding.ts'
import type { Session } from './session.ts'

const EMAIL = 'doctor@example.com'
const WHO = 'npm run doctor'
/** Should the doctor die, its key dies after it. */
const KEY_MS = 15 * 60_000
/** A dollar a day: more than a few tokens cost anywhere. */
const BUDGET_NANO = 1_000_000_000

export interface LentKey {
  key: string
  /** Ends it. */
  giveBack(): Promise<void>
}

/** @param given the text of a key file or of GATEWAY_KEY; null: none */
export async function lendKey(
  given: string | null,
  { db, remote }: Pick<Session, 'db' | 'remote'>,
): Promise<{ finding: Finding; lent: LentKey | null }> {
  if (given !== null) {
    const key = given.trim()
    if (keyHash(key) !== null) return { finding: ok('the one that was given'), lent: { key, giveBack: async () => {} } }
    return {
      finding: bad(
        'the one that was given is no key of a gateway: it is mistyped or cut short',
        `Copy it again; ${adminCommand({ remote }, 'generate-key CUSTOMER')} makes one.`,
      ),
      lent: null,
    }
  }
  if (db === null) {
    const remedy = 'Give one with --key-file FILE or in GATEWAY_KEY, so that one token of each dialect can be tried.'
    return { finding: unasked('there is none, and none can be made without the database', remedy), lent: null }
  }
  const { id, key } = await makeKey(db)
  return {
    finding: ok(`made key ${id} of the customer "Doctor", which ends with this check`),
    lent: { key, giveBack: () => revoke(db, id) },
  }
}

async function makeKey(db: Database): Promise<{ id: number; key: string }> {
  const { key, hash, prefix } = newKey()
  const customer = `INSERT INTO customers (name, email, budget_nano, budget_period, created_ms)
VALUES ('Doctor', ?, CAST(? AS INTEGER), 'day', ${NOW_MS}) ON CONFLICT DO NOTHING`
  const insert = `INSERT INTO api_keys (hash, customer_id, prefix, name, expires_ms, created_ms)
SELECT ?, id, ?, 'doctor', ${NOW_MS} + CAST(? AS INTEGER), ${NOW_MS} FROM customers WHERE email = ? RETURNING id`
  const note = { who: WHO, command: 'doctor', made: rowMade('key', 'api_keys', KEY_COLUMNS, ['hash', hash]) }
  const [, made] = await audited(db, note, [
    { sql: customer, params: [EMAIL, BUDGET_NANO] },
    { sql: insert, params: [hash, prefix, KEY_MS, EMAIL] },
  ])
  return { id: Number(made?.[0]?.id), key }
}

async function revoke(db: Database, id: number): Promise<void> {
  const state = rowState('api_keys', KEY_COLUMNS, id)
  await audited(db, { who: WHO, command: 'doctor', target: `key ${id}`, before: state, after: state }, [
    { sql: `UPDATE api_keys SET revoked_ms = ${NOW_MS} WHERE id = CAST(? AS INTEGER) AND revoked_ms IS NULL`, params: [id] },
  ])
}

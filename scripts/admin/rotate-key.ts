// rotate-key: a new key with the settings of an old one, which goes on working for a while.

import { Argument, type Command, Option } from 'commander'
import { newKey } from '../../worker/keys.ts'
import { DAY_MS } from '../../worker/ledger/periods.ts'
import { noteKeyEnd } from '../backup/revocations.ts'
import { duration, id } from './arguments.ts'
import { audited, rowMade, rowState } from './audit.ts'
import { NOW_MS } from './clock.ts'
import { type Context, Failure, type Output } from './context.ts'
import { keyText, settingsText } from './generate-key.ts'
import { findKey, KEY_COLUMNS, keyJson } from './keys.ts'
import type { CommonOptions, Shell } from './shell.ts'
import { dollars, isoOrNull, minute } from './table.ts'

interface Options extends CommonOptions {
  overlap: number
}

export function rotateKeyCommand(shell: Shell): Command {
  return shell
    .command('rotate-key', 'Makes a new key with the settings of an old one, which then expires.', 'rotate-key 3 --overlap 7d')
    .addArgument(new Argument('<key_id>', 'as in list-keys').argParser(id))
    .addOption(
      new Option('--overlap <time>', 'how long the old key goes on working; 0: no longer').argParser(duration).default(DAY_MS, '24h'),
    )
    .action((keyId: number, options: Options) => shell.run(options, (context) => rotateKey(context, keyId, options.overlap)))
}

const WORKS = `revoked_ms IS NULL AND (expires_ms IS NULL OR expires_ms > ${NOW_MS})`
const SETTINGS = 'name, models, budget_nano, budget_period, rpm, tpm, concurrency, expires_ms, account'
/** ?1 hash, ?2 prefix, ?3 the old key. No row where that works no more. */
const COPY = `INSERT INTO api_keys (hash, prefix, customer_id, created_ms, ${SETTINGS})
SELECT ?1, ?2, customer_id, ${NOW_MS}, ${SETTINGS} FROM api_keys WHERE id = CAST(?3 AS INTEGER) AND ${WORKS} RETURNING id`
/** ?1 the new key's hash, ?2 the old key, ?3 milliseconds. Never later than it would have expired. */
const EXPIRE = `UPDATE api_keys SET expires_ms = min(coalesce(expires_ms, 9000000000000000), ${NOW_MS} + CAST(?3 AS INTEGER))
WHERE id = CAST(?2 AS INTEGER) AND EXISTS (SELECT 1 FROM api_keys WHERE hash = ?1)`

async function rotateKey(context: Context, keyId: number, overlapMs: number): Promise<Output> {
  const { db, who } = context
  const { key, hash, prefix } = newKey()
  const command = 'rotate-key'
  const state = rowState('api_keys', KEY_COLUMNS, keyId)
  const only = { sql: `SELECT 1 FROM api_keys WHERE id = ? AND ${WORKS}`, params: [keyId] }
  const ending = { who, command, target: `key ${keyId}`, before: state, after: state, only }
  const copy = { who, command, made: rowMade('key', 'api_keys', KEY_COLUMNS, ['hash', hash]) }
  const [copied] = await audited(
    db,
    [ending, copy],
    [
      { sql: COPY, params: [hash, prefix, keyId] },
      { sql: EXPIRE, params: [hash, keyId, overlapMs] },
    ],
  )
  const newId = copied?.[0]?.id
  const old = await findKey(db, keyId)
  if (typeof newId !== 'number') {
    throw new Failure(`key_id: key ${keyId} is ${old.status} and cannot be rotated; make a new one: generate-key ${old.customerId}`)
  }
  await noteKeyEnd(context, keyId)
  const made = await findKey(db, newId)
  const note = made.budgetNano === null ? null : budgetNote(made.budgetNano, overlapMs)
  const ends = old.status === 'expired' ? 'does not work any more' : `works until ${minute(old.expiresMs)} UTC`
  return {
    json: { ...keyJson(made), key, replaces: { id: keyId, expires_at: isoOrNull(old.expiresMs) }, note },
    text: [keyText(key, made), settingsText(made), `The old key ${keyId} ${ends}.`, note].filter((line) => line !== null).join('\n'),
  }
}

function budgetNote(budgetNano: number, overlapMs: number): string {
  const both = overlapMs > 0 ? ' While both work, each can spend its own.' : ''
  return `The budget of ${dollars(budgetNano)} is carried over, what was spent of it is not: the new key starts at $0.${both}`
}

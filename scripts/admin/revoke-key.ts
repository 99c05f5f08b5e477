// revoke-key: no request with this key is admitted any more; what is running ends and is billed.
import { Argument, type Command } from 'commander'
import { noteKeyEnd } from '../backup/revocations.ts'
import { id } from './arguments.ts'
import { audited, rowState } from './audit.ts'
import { NOW_MS } from './clock.ts'
import type { Context, Output } from './context.ts'
import { findKey, KEY_COLUMNS, keyJson, keyTitle } from './keys.ts'
import type { AskingOptions, Shell } from './shell.ts'
import { minute } from './table.ts'

export function revokeKeyCommand(shell: Shell): Command {
  return shell
    .command('revoke-key', 'Refuses a key from now on, for good.', 'revoke-key 3 --yes')
    .addArgument(new Argument('<key_id>', 'as in list-keys').argParser(id))
    .option('--yes', 'do not ask')
    .action((keyId: number, options: AskingOptions) =>
      shell.runAfterYes(options, `Revoke key ${keyId} for good?`, (context) => revokeKey(context, keyId)),
    )
}

/** A key that was revoked before stays as it was. */
async function revokeKey(context: Context, keyId: number): Promise<Output> {
  const { db, who } = context
  const before = await findKey(db, keyId)
  const state = rowState('api_keys', KEY_COLUMNS, keyId)
  const only = { sql: 'SELECT 1 FROM api_keys WHERE id = ? AND revoked_ms IS NULL', params: [keyId] }
  await audited(db, { who, command: 'revoke-key', target: `key ${keyId}`, before: state, after: state, only }, [
    { sql: `UPDATE api_keys SET revoked_ms = ${NOW_MS} WHERE id = ? AND revoked_ms IS NULL`, params: [keyId] },
  ])
  await noteKeyEnd(context, keyId)
  const key = await findKey(db, keyId)
  const said = before.status === 'revoked' ? `was revoked before, at ${minute(key.revokedMs)} UTC` : 'is revoked'
  return { json: keyJson(key), text: `${capital(keyTitle(key))} of ${key.customerName} ${said}.` }
}

function capital(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1)
}

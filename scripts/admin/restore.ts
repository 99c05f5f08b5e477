// restore: a backup into a fresh database, proved at the end.
import { basename, resolve } from 'node:path'
import { Argument, type Command } from 'commander'
import { type Proven, proveLedger } from '../../worker/ledger/proofs.ts'
import { type Checked, checkFile } from '../backup/check-file.ts'
import { isHalfRestored, MARKER, markAndClear, tablesInUse } from '../backup/empty.ts'
import { type BackupHead, backupHead } from '../backup/format.ts'
import { loadRows, setSequences } from '../backup/load.ts'
import { progress } from '../backup/progress.ts'
import { BadFile } from '../backup/read-lines.ts'
import { type KeyEnd, readKeyEnds, revocationsPath } from '../backup/revocations.ts'
import { settleHolds } from '../backup/settle-holds.ts'
import { plain } from '../backup/tables.ts'
import { databaseErrorIn } from '../database/database.ts'
import { applyMigrations, migrationNames } from '../database/migrate.ts'
import { audited } from './audit.ts'
import { countsText } from './backup.ts'
import { type Context, Failure, type Output } from './context.ts'
import type { AskingOptions, Shell } from './shell.ts'
import { plural } from './table.ts'

interface Options extends AskingOptions {
  revocations?: string
}

export function restoreCommand(shell: Shell): Command {
  return shell
    .command('restore', 'Loads a backup into a fresh database, and proves it.', 'restore gateway.jsonl.gz')
    .addArgument(new Argument('<file>', 'as backup wrote it'))
    .option('--revocations <file>', 'keys that were ended since (default: revocations.jsonl in the state folder, if it is there)')
    .option('--yes', 'do not ask before what a broken-off restore left is dropped')
    .action((file: string, options: Options) => shell.run(options, (context) => restore(shell, context, file, options)))
}

async function restore(shell: Shell, context: Context, name: string, options: Options): Promise<Output> {
  const { db, io } = context
  const path = resolve(io.directory, name)
  const checked = await checkFile(path, backupHead, 'backup')
  const { migrations } = checked.head
  const known = await checkMigrations(path, migrations)
  const ends = await keyEnds(context, options)
  await checkTarget(shell, context, options)
  const did = await load(context, path, checked, { known, ends }).catch((error) => {
    const reason = databaseErrorIn(error)?.message ?? (error as Error).message
    throw new Failure(`${reason}\nThe database is half restored, and no gateway starts on it: run the same command again, with --yes.`)
  })
  return report(checked, { ...did, proven: await proveLedger((sql) => db.all(sql)) })
}

/** All that is written. Returns how many keys and requests were ended. */
async function load(
  { db, who, io }: Context,
  path: string,
  checked: Checked<BackupHead>,
  { known, ends }: { known: string[]; ends: KeyEnd[] },
) {
  await markAndClear(db)
  await applyMigrations(db, checked.head.migrations)
  const ended = await loadRows(db, path, checked, ends, progress(io.err, 'rows loaded'))
  await applyMigrations(db, known)
  if (checked.snapshot !== null) await setSequences(db, checked.snapshot)
  const settled = await settleHolds(db)
  const note = { who, command: 'restore', target: `backup of ${checked.snapshot?.asOf}`, before: null, after: null }
  await audited(db, note, [plain(`DROP TABLE ${MARKER}`)])
  return { ended, settled }
}

/** The names of all migrations. Throws BadFile where the backup has one that is not among them, or not in that order. */
async function checkMigrations(path: string, migrations: readonly string[]): Promise<string[]> {
  const known = await migrationNames()
  const strange = migrations.find((migration, index) => known[index] !== migration)
  if (strange === undefined) return known
  throw new BadFile(
    `${basename(path)} has the migration ${strange}, which this version does not have there (it ends with ${known.at(-1)}): restore it with the version that wrote it, or a newer one.`,
  )
}

async function keyEnds({ io }: Context, { revocations }: Options): Promise<KeyEnd[]> {
  const path = revocations === undefined ? revocationsPath(io.environment) : resolve(io.directory, revocations)
  const ends = await readKeyEnds(path)
  if (ends === null && revocations !== undefined) throw new BadFile(`--revocations: there is no file ${revocations}.`)
  if (ends === null)
    io.err(
      `note: there is no ${basename(path)} in the state folder: keys that were revoked after the backup come back; revoke them again.\n`,
    )
  return ends ?? []
}

/** Throws Failure for a database in use, or a no. */
async function checkTarget(shell: Shell, { db, gateway }: Context, options: Options): Promise<void> {
  const fresh =
    'A restore goes into a fresh one: on this machine another STATE_DIR, else `npx wrangler d1 create` and its id in D1_DATABASE_ID.'
  if (gateway !== null) throw new Failure(`A gateway (process ${gateway.pid}) runs on this database. ${fresh}`)
  if (await isHalfRestored(db)) {
    return shell.confirm(options, 'A restore into this database was broken off. Drop what it left, and begin anew?')
  }
  const used = await tablesInUse(db)
  if (used.length > 0) throw new Failure(`This database is in use (there are rows in ${used.join(', ')}). ${fresh}`)
}

function report(checked: Checked<BackupHead>, did: { ended: number; settled: number; proven: Proven[] }): Output {
  const { counts, snapshot } = checked
  const rows = Object.values(counts).reduce((all, one) => all + one, 0)
  const findings = did.proven.reduce((all, { disagreeing }) => all + disagreeing.length, 0)
  const lines = [
    `${plural(rows, 'row')} restored, as of ${snapshot?.asOf}: ${countsText(counts)}`,
    did.settled > 0 ? `${plural(did.settled, 'request')} in flight then: settled as expired, at what was written down.` : '',
    did.ended > 0 ? `${plural(did.ended, 'key')} ended since: ended again.` : '',
    findings === 0
      ? 'The ledger agrees.'
      : `The ledger disagrees in ${plural(findings, 'row')}, as it did when the backup was taken: verify-ledger names them.`,
  ]
  return {
    json: { as_of: snapshot?.asOf, rows, tables: counts, settled: did.settled, keys_ended: did.ended, ok: findings === 0, findings },
    text: lines.filter((line) => line !== '').join('\n'),
    exitCode: findings === 0 ? 0 : 1,
  }
}

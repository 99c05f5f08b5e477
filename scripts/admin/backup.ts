// backup: the whole ledger as of one moment, in a file that can be checked and restored.
import { stat } from 'node:fs/promises'
import { type Command, Option } from 'commander'
import { progress } from '../backup/progress.ts'
import { takeBackup } from '../backup/snapshot.ts'
import { wholeFile } from '../backup/write-file.ts'
import { type Context, type Output, UsageError } from './context.ts'
import { outputFile } from './output-file.ts'
import type { AskingOptions, Shell } from './shell.ts'
import { plural } from './table.ts'

interface Options extends AskingOptions {
  output: string
}

export function backupCommand(shell: Shell): Command {
  return shell
    .command(
      'backup',
      'Writes the whole database to a file, as of one moment, while the gateway serves.',
      'backup --output gateway.jsonl.gz',
    )
    .addOption(new Option('--output <file>', 'compressed if it ends in .gz; - for standard output').makeOptionMandatory())
    .option('--yes', 'do not ask before a file is replaced')
    .action((options: Options) => {
      if (options.output === '-' && options.json) throw new UsageError('--json does not go with --output -: the backup itself goes there.')
      return shell.run(options, (context) => backup(shell, context, options))
    })
}

async function backup(shell: Shell, { db, io }: Context, options: Options): Promise<Output | null> {
  const said = progress(io.err, 'rows read')
  if (options.output === '-') {
    const { counts } = await takeBackup(db, (text) => io.out(text), said)
    io.err(`${plural(sum(counts), 'row')} written.\n`)
    return null
  }
  const path = await outputFile(shell, io, options, options.output)
  const file = await wholeFile(path)
  try {
    const taken = await takeBackup(db, file.write, said)
    await file.finish()
    const rows = sum(taken.counts)
    const { size } = await stat(path)
    return {
      json: { file: path, as_of: taken.asOf, migration: taken.migration, rows, tables: taken.counts, bytes: size },
      text: [
        `${plural(rows, 'row')} as of ${taken.asOf}, migration ${taken.migration}, written to ${options.output} (${plural(size, 'byte')})`,
        countsText(taken.counts),
        'It holds the hashes of keys, mail addresses and bills: keep it as safe as the database.',
      ].join('\n'),
    }
  } catch (error) {
    await file.abandon()
    throw error
  }
}

function sum(counts: Record<string, number>): number {
  return Object.values(counts).reduce((all, one) => all + one, 0)
}

/** customers 2, api_keys 3, …: what has rows. */
export function countsText(counts: Record<string, number>): string {
  const some = Object.entries(counts).filter(([, count]) => count > 0)
  return some.length === 0 ? 'no rows' : some.map(([table, count]) => `${table} ${count.toLocaleString('en-US')}`).join(', ')
}

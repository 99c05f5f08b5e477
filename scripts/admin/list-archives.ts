// list-archives: the months that are in files, and what those have to be.
import type { Command } from 'commander'
import { archivedIn } from './archives.ts'
import type { Context, Output } from './context.ts'
import { adminCommand } from './next-command.ts'
import type { CommonOptions, Shell } from './shell.ts'
import { table, thousands } from './table.ts'

export function listArchivesCommand(shell: Shell): Command {
  return shell
    .command('list-archives', 'Lists the months whose requests were moved to files.', 'list-archives')
    .action((options: CommonOptions) => shell.run(options, listArchives))
}

async function listArchives({ db, remote }: Context): Promise<Output> {
  const archives = await archivedIn(db)
  const text = table(archives, [
    { title: 'month', value: ({ month }) => month },
    { title: 'requests', value: ({ requests }) => thousands(requests), right: true },
    { title: 'cost', value: ({ cost_usd }) => `$${cost_usd}`, right: true },
    { title: 'file', value: ({ file }) => file },
    { title: 'sha256', value: ({ sha256 }) => sha256 },
  ])
  return { json: archives, text: archives.length === 0 ? `No month is archived: ${adminCommand({ remote }, 'archive --help')}` : text }
}

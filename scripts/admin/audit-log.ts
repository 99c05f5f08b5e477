// audit: who changed what, and when, with what was there before and after.
import { type Command, Option } from 'commander'
import { DAY_MS } from '../../worker/ledger/periods.ts'
import type { Row } from '../database/database.ts'
import { count, date, label } from './arguments.ts'
import { changesOf } from './audit-words.ts'
import type { Context, Output } from './context.ts'
import type { CommonOptions, Shell } from './shell.ts'
import { iso, minute, plural, table } from './table.ts'

interface Options extends CommonOptions {
  limit: number
  target?: string
  since?: number
  who?: string
}

export function auditCommand(shell: Shell): Command {
  return shell
    .command('audit', 'Lists who changed what, newest first.', "audit --target 'customer 1' --since 2026-11-01")
    .addOption(new Option('--limit <n>', 'the newest so many').argParser(count(1, 100_000)).default(50))
    .addOption(new Option('--target <target>', "what was changed: 'customer 1', 'key 7', 'price gemma3:270m', 'alert 2'").argParser(label))
    .addOption(new Option('--since <date>', 'the first day, YYYY-MM-DD in UTC').argParser(date))
    .addOption(new Option('--who <name>', 'who did it').argParser(label))
    .action((options: Options) => shell.run(options, (context) => audit(context, options)))
}

const NOTES = `SELECT id, who, command, target, before, after, created_ms FROM audit_log
WHERE (?1 IS NULL OR target = ?1) AND (?2 IS NULL OR who = ?2) AND created_ms >= CAST(?3 AS INTEGER) ORDER BY id DESC LIMIT CAST(?4 AS INTEGER)`

type State = Record<string, unknown> | null

async function audit({ db }: Context, { limit, target, since, who }: Options): Promise<Output> {
  const rows = await db.all(NOTES, [target ?? null, who ?? null, (since ?? 0) * DAY_MS, limit])
  const notes = rows.map((row) => ({ row, before: stateOf(row.before), after: stateOf(row.after) }))
  const text = table(notes, [
    { title: 'when (UTC)', value: ({ row }) => minute(Number(row.created_ms)) },
    { title: 'who', value: ({ row }) => String(row.who) },
    { title: 'command', value: ({ row }) => String(row.command) },
    { title: 'target', value: ({ row }) => String(row.target) },
    { title: 'what', value: ({ before, after }) => changesOf(before, after).join(', ') || 'nothing else than before' },
  ])
  return {
    json: notes.map(({ row, before, after }) => ({
      id: row.id,
      at: iso(Number(row.created_ms)),
      who: row.who,
      command: row.command,
      target: row.target,
      before,
      after,
    })),
    text: rows.length === 0 ? 'No change is noted.' : `${text}\n${plural(rows.length, 'change')}`,
  }
}

function stateOf(text: Row[string] | undefined): State {
  return typeof text === 'string' ? (JSON.parse(text) as State) : null
}

// list-alerts: who is told of what and where, and what became of the last alerts.
import { type Command, Option } from 'commander'
import { shownUrl } from '../../worker/alerts/target-url.ts'
import type { Row } from '../database/database.ts'
import { forWhom, kindsFor, secretOf, selectTargets, targetJson } from './alert-targets.ts'
import { count } from './arguments.ts'
import type { Context, Output } from './context.ts'
import { adminCommand } from './next-command.ts'
import type { CommonOptions, Shell } from './shell.ts'
import { isoOrNull, minute, plural, table } from './table.ts'

interface Options extends CommonOptions {
  limit: number
  secrets?: true
}

export function listAlertsCommand(shell: Shell): Command {
  return shell
    .command('list-alerts', 'Lists where alerts go, and the last ones with what became of them.', 'list-alerts --limit 20')
    .addOption(new Option('--limit <n>', 'the last so many alerts of each target').argParser(count(0, 1000)).default(3))
    .option('--secrets', 'show what each receiver checks signatures with (ALERT_SIGNING_SECRET has to be set)')
    .action((options: Options) => shell.run(options, (context) => listAlerts(context, options)))
}

const LAST = `SELECT target_id, id, attempts, next_ms, delivered_ms, gave_up_ms, error, created_ms FROM (
  SELECT a.*, row_number() OVER (PARTITION BY a.target_id ORDER BY a.created_ms DESC, a.id DESC) AS n FROM alerts a JOIN alert_targets t ON t.id = a.target_id
  WHERE t.removed_ms IS NULL
) WHERE n <= CAST(? AS INTEGER) ORDER BY target_id, n`

async function listAlerts(context: Context, { limit, secrets }: Options): Promise<Output> {
  const { db } = context
  const targets = await selectTargets(db)
  const sent = await db.all(LAST, [limit])
  const secret = (target: (typeof targets)[number]) => (secrets ? secretOf(context, target) : null)
  const text = table(targets, [
    { title: 'id', value: ({ id }) => String(id), right: true },
    { title: 'for', value: ({ customerId }) => forWhom(customerId) },
    { title: 'url', value: ({ url }) => shownUrl(url) },
    { title: 'format', value: ({ format }) => format },
    {
      title: 'kinds',
      value: (target) => target.kinds?.join(',') ?? (target.customerId === null ? 'all' : kindsFor(target.customerId).join(',')),
    },
    { title: 'thresholds', value: (target) => target.thresholds.join(',') },
    ...(secrets ? [{ title: 'secret', value: (target: (typeof targets)[number]) => secret(target) ?? '-' }] : []),
  ])
  const last = table(sent, [
    { title: 'to', value: (row) => String(row.target_id), right: true },
    { title: 'when (UTC)', value: (row) => minute(Number(row.created_ms)) },
    { title: 'alert', value: (row) => String(row.id) },
    { title: 'attempts', value: (row) => String(row.attempts), right: true },
    { title: 'state', value: stateText },
  ])
  return {
    json: targets.map((target) => ({
      ...targetJson(target),
      ...(secrets ? { secret: secret(target) } : {}),
      alerts: sent.filter((row) => row.target_id === target.id).map(alertJson),
    })),
    text:
      targets.length === 0
        ? `Nobody is told of anything yet: ${adminCommand(context, 'add-alert --help')}`
        : [text, plural(targets.length, 'target'), ...(sent.length === 0 ? [] : ['', last])].join('\n'),
  }
}

function stateText(row: Row): string {
  if (row.delivered_ms !== null) return `delivered ${minute(Number(row.delivered_ms))}`
  const why = row.error === null ? '' : ` (${row.error})`
  return row.gave_up_ms === null ? `due ${minute(Number(row.next_ms))}${why}` : `given up ${minute(Number(row.gave_up_ms))}${why}`
}

function alertJson(row: Row) {
  const at = (name: string) => isoOrNull(row[name] === null ? null : Number(row[name]))
  return {
    id: row.id,
    attempts: row.attempts,
    delivered_at: at('delivered_ms'),
    gave_up_at: at('gave_up_ms'),
    next_at: row.delivered_ms === null && row.gave_up_ms === null ? at('next_ms') : null,
    error: row.error,
    created_at: at('created_ms'),
  }
}

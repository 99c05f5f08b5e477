// export-usage: every ended request of a customer or of all, page by page, as CSV or JSON lines.
import { Argument, type Command, Option } from 'commander'
import { csvLine } from '../../worker/csv.ts'
import { DAY_MS } from '../../worker/ledger/periods.ts'
import { ID_MARGIN_MS, idAt } from '../../worker/request-id.ts'
import type { Database, Row } from '../database/database.ts'
import { archivedIn, archivedText } from './archives.ts'
import { id } from './arguments.ts'
import { type Context, type Output, UsageError } from './context.ts'
import { findCustomer } from './customers.ts'
import { checkRange, type DateRangeOptions, dateRangeOptions } from './date-range.ts'
import { type ExportProgress, exportProgress } from './export-progress.ts'
import { fileSink, outputOption, type Sink, standardOutput } from './export-sink.ts'
import type { CommonOptions, Shell } from './shell.ts'
import { iso, plural, usd } from './table.ts'

interface Options extends CommonOptions, DateRangeOptions {
  format?: 'csv' | 'json'
  output?: string
}

export function exportUsageCommand(shell: Shell): Command {
  const command = shell
    .command(
      'export-usage',
      'Writes every ended request of a customer, or of all, as CSV or JSON lines.',
      'export-usage 1 --start-date 2026-11-01 --end-date 2026-11-30 --output november.csv',
    )
    .addArgument(new Argument('[customer_id]', 'as in list-customers (default: all, one after the other)').argParser(id))
    .addOption(new Option('--format <format>', 'csv, or json: one object a line (default: csv)').choices(['csv', 'json']))
    .addOption(outputOption())
  for (const option of dateRangeOptions({ start: 'the beginning', end: 'now' })) command.addOption(option)
  return command.action((customerId: number | undefined, options: Options) => {
    const { json, format, output, startDate, endDate } = options
    if (json && output === undefined && format === 'csv') {
      throw new UsageError('--format csv does not go with --json, which prints one JSON value: add --output.')
    }
    if (startDate !== undefined && endDate !== undefined) checkRange(startDate, endDate)
    return shell.run(options, (context) => exportUsage(context, customerId, options))
  })
}

const PAGE_ROWS = 1000

/**
 * ?1 customer, ?2 the last id that was read, ?3 the id to end before, ?4 and ?5 milliseconds. Clustered by (customer_id, id): a page is one seek.
 * `late` is what was posted after the request's lease had expired; together with its cost that is what the request came to.
 */
const PAGE = `
SELECT u.id, u.created_ms, u.settled_ms, u.customer_id, u.key_id, k.name AS key_name, u.model, u.dialect, u.upstream, u.outcome, u.estimated, u.input_tokens, u.cached_tokens,
  u.cache_write_tokens, u.cache_write_long_tokens, u.output_tokens, u.reasoning_tokens, u.gpu_ms, u.first_ms, u.cost_nano, coalesce(a.amount_nano, 0) AS late_nano, u.over_nano, u.hold_nano
FROM usage u LEFT JOIN api_keys k ON k.id = u.key_id LEFT JOIN adjustments a ON a.customer_id = u.customer_id AND a.id = 'late:' || u.id
WHERE u.customer_id = CAST(?1 AS INTEGER) AND u.id > ?2 AND u.id < ?3 AND u.created_ms >= CAST(?4 AS INTEGER) AND u.created_ms < CAST(?5 AS INTEGER)
ORDER BY u.id LIMIT ${PAGE_ROWS}`

/** Null where the requests themselves went to standard output. Throws Failure. */
async function exportUsage(context: Context, customerId: number | undefined, options: Options): Promise<Output | null> {
  const { db, io, json } = context
  const { startDate, endDate, output } = options
  const of = customerId === undefined ? await customerIds(db) : [(await findCustomer(db, customerId)).id]
  const archived = await archivedIn(db, startDate, endDate)
  if (archived.length > 0) io.err(`note: not among them: ${archivedText(archived)}\n`)
  const form = json && output === undefined ? jsonArray : options.format === 'json' ? jsonLines : csv
  const sink = output === undefined ? standardOutput(io) : await fileSink(io, output)
  const progress = exportProgress(io, await countRequests(db, of, startDate, endDate), output === undefined)
  const rows = await writeAll(pagesOfAll(db, of, startDate, endDate), form, sink, progress)
    .finally(progress.end)
    .catch(async (error) => {
      await sink.abandon()
      throw error
    })
  await sink.finish()
  if (output === undefined) return null
  return { json: { rows, file: output, archived }, text: `${plural(rows, 'request')} written to ${output}` }
}

async function customerIds(db: Database): Promise<number[]> {
  return (await db.all('SELECT id FROM customers ORDER BY id')).map((row) => Number(row.id))
}

/** How many there are to write, from the daily sums: before a row is read. */
async function countRequests(db: Database, customerIds: number[], startDay = 0, endDay = 100_000_000): Promise<number> {
  const [row] = await db.all(
    `SELECT coalesce(sum(requests), 0) AS n FROM usage_daily
     WHERE customer_id IN (SELECT value FROM json_each(?1)) AND day BETWEEN CAST(?2 AS INTEGER) AND CAST(?3 AS INTEGER)`,
    [JSON.stringify(customerIds), startDay, endDay],
  )
  return Number(row?.n ?? 0)
}

async function* pagesOfAll(
  db: Database,
  customerIds: number[],
  startDay: number | undefined,
  endDay: number | undefined,
): AsyncGenerator<Row[]> {
  for (const customerId of customerIds) yield* pages(db, customerId, startDay, endDay)
}

async function* pages(db: Database, customerId: number, startDay: number | undefined, endDay: number | undefined): AsyncGenerator<Row[]> {
  const fromMs = startDay === undefined ? null : startDay * DAY_MS
  const toMs = endDay === undefined ? null : (endDay + 1) * DAY_MS
  const until = toMs === null ? '~' : idAt(toMs + ID_MARGIN_MS)
  let after = fromMs === null ? '' : idAt(fromMs - ID_MARGIN_MS)
  for (;;) {
    const page = await db.all(PAGE, [customerId, after, until, fromMs ?? 0, toMs ?? Number.MAX_SAFE_INTEGER])
    if (page.length > 0) yield page
    if (page.length < PAGE_ROWS) return
    after = String(page.at(-1)?.id)
  }
}

interface Form {
  head: string
  row(row: ReturnType<typeof exported>, index: number): string
  tail(rows: number): string
}

const COLUMNS = Object.keys(exported({ created_ms: 0, settled_ms: 0, cost_nano: 0, late_nano: 0, over_nano: 0, hold_nano: 0 }))
const csv: Form = {
  head: csvLine(COLUMNS),
  row: (row) => csvLine(Object.values(row).map((value) => (typeof value === 'boolean' ? String(value) : value))),
  tail: () => '',
}
const jsonLines: Form = { head: '', row: (row) => `${JSON.stringify(row)}\n`, tail: () => '' }
const jsonArray: Form = {
  head: '[',
  row: (row, index) => `${index === 0 ? '\n' : ',\n'}${JSON.stringify(row)}`,
  tail: (rows) => (rows === 0 ? ']\n' : '\n]\n'),
}

/** One request as it is exported, in the order of the columns. */
function exported(row: Row) {
  const text = (name: string) => row[name] as string | null
  const number = (name: string) => row[name] as number | null
  return {
    id: text('id'),
    created_at: iso(Number(row.created_ms)),
    settled_at: iso(Number(row.settled_ms)),
    customer_id: number('customer_id'),
    key_id: number('key_id'),
    key_name: text('key_name'),
    model: text('model'),
    dialect: text('dialect'),
    upstream: text('upstream'),
    outcome: text('outcome'),
    estimated: row.estimated === 1,
    input_tokens: number('input_tokens'),
    cached_tokens: number('cached_tokens'),
    cache_write_tokens: number('cache_write_tokens'),
    cache_write_long_tokens: number('cache_write_long_tokens'),
    output_tokens: number('output_tokens'),
    reasoning_tokens: number('reasoning_tokens'),
    gpu_ms: number('gpu_ms'),
    first_token_ms: number('first_ms'),
    cost_usd: usd(Number(row.cost_nano)),
    late_usd: usd(Number(row.late_nano)),
    over_usd: usd(Number(row.over_nano)),
    held_usd: usd(Number(row.hold_nano)),
  }
}

async function writeAll(pages: AsyncGenerator<Row[]>, form: Form, sink: Sink, progress: ExportProgress): Promise<number> {
  let rows = 0
  await sink.write(form.head)
  for await (const page of pages) {
    await sink.write(page.map((row, index) => form.row(exported(row), rows + index)).join(''))
    rows += page.length
    progress.said(rows, Number(page.at(-1)?.created_ms))
  }
  await sink.write(form.tail(rows))
  return rows
}

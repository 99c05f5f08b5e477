// archive: the requests of a month that is over and invoiced move to a file; every sum of them stays.
import { basename, resolve } from 'node:path'
import { Argument, type Command } from 'commander'
import { DAY_MS } from '../../worker/ledger/periods.ts'
import { deleteArchived, MARGINS_MS, type MonthSums, writeMonth } from '../backup/archive-month.ts'
import { checkFile } from '../backup/check-file.ts'
import { archiveHead } from '../backup/format.ts'
import { progress } from '../backup/progress.ts'
import { fileSha256 } from '../backup/read-lines.ts'
import { wholeFile } from '../backup/write-file.ts'
import type { Database } from '../database/database.ts'
import { type Archive, archivedIn } from './archives.ts'
import { audited } from './audit.ts'
import { NOW_MS } from './clock.ts'
import { type Context, Failure, type Output, UsageError } from './context.ts'
import { type Month, month } from './month.ts'
import { outputFile } from './output-file.ts'
import type { AskingOptions, Shell } from './shell.ts'
import { plural } from './table.ts'

interface Options extends AskingOptions {
  output?: string
  verify?: string
}

export function archiveCommand(shell: Shell): Command {
  return shell
    .command('archive', 'Moves the requests of a month that is over and invoiced to a file.', 'archive 2026-08 --output 2026-08.jsonl.gz')
    .addArgument(new Argument('[month]', 'YYYY-MM, in UTC').argParser(month))
    .option('--output <file>', 'compressed if it ends in .gz')
    .option('--verify <file>', 'change nothing: check that a file is what was archived')
    .option('--yes', 'do not ask before a file is replaced')
    .action((asked: Month | undefined, options: Options) => {
      const { output, verify } = options
      if (verify !== undefined && asked === undefined && output === undefined) {
        return shell.run(options, (context) => verifyArchive(context, verify))
      }
      if (verify !== undefined) throw new UsageError('--verify goes alone: the file says which month it is of.')
      if (asked === undefined || output === undefined) throw new UsageError('archive needs a month and --output, or --verify and a file.')
      return shell.run(options, (context) => archive(shell, context, asked, { ...options, output }))
    })
}

async function archive(shell: Shell, context: Context, month: Month, options: AskingOptions & { output: string }): Promise<Output> {
  const { db, io } = context
  const before = await archivedIn(db, month.first, month.last)
  const path = before.length > 0 ? resolve(io.directory, options.output) : await outputFile(shell, io, options, options.output)
  if (before.length === 0) await writeArchive(context, month, path)
  const [row] = await archivedIn(db, month.first, month.last)
  if (row === undefined) throw new Failure(`${month.name} has changed meanwhile: run the same command again.`)
  await checkAgainst(row, path)
  const deleted = await deleteArchived(db, path, progress(io.err, 'rows deleted'))
  const said =
    deleted < row.requests
      ? `${plural(deleted, 'row')} were still in the database, and are deleted.`
      : 'Its rows are deleted, its sums stay.'
  return {
    json: { ...row, deleted },
    text: `${row.month}: ${plural(row.requests, 'request')}, $${row.cost_usd}, in ${options.output}, sha256 ${row.sha256}\n${said} Keep the file: a backup does not have them.`,
  }
}

/** The file, checked; then its row, which allows its rows to be deleted. Throws Failure where the month cannot be archived yet. */
async function writeArchive(context: Context, month: Month, path: string): Promise<void> {
  const { db, who } = context
  const daily = await checkMonth(db, month)
  let whole = false
  for (const marginMs of MARGINS_MS) whole ||= await writeIfWhole(context, month, { path, marginMs, daily })
  if (!whole)
    throw new Failure(`month: the rows and the daily sums of ${month.name} differ, so it is not archived: verify-ledger tells where.`)
  await checkFile(path, archiveHead, 'archive')
  const next = month.last + 1
  const insert = {
    sql: `INSERT INTO archives (month, next_month, requests, cost_nano, sha256, file, created_ms)
      SELECT CAST(?1 AS INTEGER), CAST(?2 AS INTEGER), CAST(?3 AS INTEGER), CAST(?4 AS INTEGER), ?5, ?6, ${NOW_MS}
      WHERE NOT EXISTS (SELECT 1 FROM holds WHERE created_ms < CAST(?2 AS INTEGER) * ${DAY_MS})
        AND (SELECT sum(requests) FROM usage_daily WHERE day >= CAST(?1 AS INTEGER) AND day < CAST(?2 AS INTEGER)) = CAST(?3 AS INTEGER)`,
    params: [month.first, next, daily.requests, String(daily.costNano), await fileSha256(path), basename(path)],
  }
  const made = {
    sql: `SELECT ? AS target, json_object('requests', requests, 'cost_nano', cost_nano, 'file', file, 'sha256', sha256) AS row
      FROM archives WHERE month = CAST(? AS INTEGER)`,
    params: [`month ${month.name}`, month.first],
  }
  await audited(db, { who, command: 'archive', made }, [insert])
}

/** Writes the file if its rows come to the daily sums; whether they did. */
async function writeIfWhole(
  { db, io }: Context,
  month: Month,
  { path, marginMs, daily }: { path: string; marginMs: number; daily: MonthSums },
): Promise<boolean> {
  const file = await wholeFile(path)
  try {
    const written = await writeMonth(db, month, marginMs, file.write, progress(io.err, 'rows written'))
    const isWhole = written.requests === daily.requests && written.costNano === daily.costNano
    await (isWhole ? file.finish() : file.abandon())
    return isWhole
  } catch (error) {
    await file.abandon()
    throw error
  }
}

/** What the month comes to. Throws Failure where it is not over, in flight or not invoiced, or has nothing. */
async function checkMonth(db: Database, { name, first, last }: Month): Promise<MonthSums> {
  const range = 'day BETWEEN CAST(?1 AS INTEGER) AND CAST(?2 AS INTEGER)'
  const [clock, daily, missing = []] = await db.batch([
    {
      sql: `SELECT ${NOW_MS} AS now, (SELECT count(*) FROM holds WHERE created_ms < CAST(? AS INTEGER)) AS running`,
      params: [(last + 1) * DAY_MS],
    },
    {
      sql: `SELECT coalesce(sum(requests), 0) AS requests, CAST(coalesce(sum(cost_nano), 0) AS TEXT) AS cost FROM usage_daily WHERE ${range}`,
      params: [first, last],
    },
    {
      sql: `SELECT DISTINCT customer_id AS id FROM usage_daily d WHERE ${range}
        AND NOT EXISTS (SELECT 1 FROM invoices i WHERE i.customer_id = d.customer_id AND i.month = CAST(?1 AS INTEGER) AND i.kind = 'invoice') ORDER BY 1`,
      params: [first, last],
    },
  ])
  const [running, requests] = [Number(clock?.[0]?.running), Number(daily?.[0]?.requests)]
  if (Number(clock?.[0]?.now) < (last + 1) * DAY_MS) throw new Failure(`month: ${name} is not over: archive it when it is, and invoiced.`)
  if (running > 0)
    throw new Failure(
      `month: ${plural(running, 'request')} of ${name} or before ${running === 1 ? 'is' : 'are'} still in flight: try again later.`,
    )
  if (requests === 0) throw new Failure(`month: ${name} has no requests: there is nothing to archive.`)
  if (missing.length > 0) {
    throw new Failure(
      `month: ${name} is not invoiced for customer ${missing.map(({ id }) => id).join(', ')}: its rows are what an invoice is made of.`,
    )
  }
  return { requests, costNano: BigInt(String(daily?.[0]?.cost)) }
}

/** Throws Failure where the file is not the one that was archived. */
async function checkAgainst(row: Archive, path: string): Promise<void> {
  const { head, counts } = await checkFile(path, archiveHead, 'archive')
  if (head.month !== row.month) throw new Failure(`${path} is of ${head.month}, not of ${row.month}.`)
  if (counts.usage !== row.requests || (await fileSha256(path)) !== row.sha256) {
    throw new Failure(`${path} is not the file that ${row.month} was archived in: that was ${row.file}, sha256 ${row.sha256}.`)
  }
}

async function verifyArchive({ db, io }: Context, name: string): Promise<Output> {
  const path = resolve(io.directory, name)
  const { head } = await checkFile(path, archiveHead, 'archive')
  const row = (await archivedIn(db)).find((one) => one.month === head.month)
  if (row === undefined) throw new Failure(`${name} is of ${head.month}, which is not archived: list-archives shows what is.`)
  await checkAgainst(row, path)
  return {
    json: { ok: true, ...row },
    text: `${name} is ${row.month} as it was archived: ${plural(row.requests, 'request')}, sha256 ${row.sha256}`,
  }
}

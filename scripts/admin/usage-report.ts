// usage-report: requests, tokens, cost and time to the first token by day, model, key or outcome, from the daily sums.
import { Argument, type Command, Option } from 'commander'
import { csvLine } from '../../worker/csv.ts'
import { DAY_MS, periodStartDay } from '../../worker/ledger/periods.ts'
import { REPORT_SUMS, reportFigures, reportTotal } from '../../worker/ledger/report.ts'
import type { Database, Row } from '../database/database.ts'
import { id } from './arguments.ts'
import { type Context, type Output, UsageError } from './context.ts'
import { findCustomer } from './customers.ts'
import { checkRange, type DateRangeOptions, dateRangeOptions } from './date-range.ts'
import type { CommonOptions, Shell } from './shell.ts'
import { dayName, usd } from './table.ts'
import { BY, type By, reportTable } from './usage-report-table.ts'

interface Options extends CommonOptions, DateRangeOptions {
  by: By
  csv?: true
}

export function usageReportCommand(shell: Shell): Command {
  const command = shell
    .command(
      'usage-report',
      'Reports requests, tokens, cost and time to the first token: of everyone, or of a customer.',
      'usage-report 1 --start-date 2026-11-01 --end-date 2026-11-30 --by day',
    )
    .addArgument(new Argument('[customer_id]', 'as in list-customers').argParser(id))
  for (const option of dateRangeOptions({ start: 'the first of the month', end: 'today' })) command.addOption(option)
  return command
    .addOption(new Option('--by <what>', 'what a line is').choices(BY).default('model'))
    .option('--csv', 'print CSV, a row for each line and none for the total')
    .action((customerId: number | undefined, options: Options) => {
      if (options.json && options.csv) throw new UsageError('--csv does not go with --json: give one of them.')
      const today = Math.floor(Date.now() / DAY_MS)
      const end = options.endDate ?? Math.max(today, options.startDate ?? 0)
      const start = options.startDate ?? periodStartDay('month', end * DAY_MS)
      checkRange(start, end)
      return shell.run(options, (context) => usageReport(context, customerId, { start, end, by: options.by, csv: options.csv === true }))
    })
}

/** ?1 and ?2 days, ?3 the customer: with one, it is a seek in the primary key. */
const inRange = (everyone: boolean) =>
  `${everyone ? '' : 'customer_id = CAST(?3 AS INTEGER) AND '}day BETWEEN CAST(?1 AS INTEGER) AND CAST(?2 AS INTEGER)`
const COLUMN: Record<By, string> = { day: 'u.day', model: 'u.model', key: 'u.key_id', outcome: 'u.outcome' }
const reportSql = (by: By, everyone: boolean) => `
SELECT u.customer_id, c.name AS customer_name, ${COLUMN[by]} AS line, ${by === 'key' ? 'k.prefix, k.name' : "'' AS prefix, '' AS name"}, ${REPORT_SUMS}
FROM (SELECT * FROM usage_daily WHERE ${inRange(everyone)}) u JOIN customers c ON c.id = u.customer_id ${by === 'key' ? 'LEFT JOIN api_keys k ON k.id = u.key_id' : ''}
GROUP BY u.customer_id, ${COLUMN[by]} ORDER BY u.customer_id, ${COLUMN[by]}`
const daysSql = (everyone: boolean) =>
  `SELECT day, CAST(sum(cost_nano) AS TEXT) AS cost FROM usage_daily WHERE ${inRange(everyone)} GROUP BY day ORDER BY day`
const adjustedSql = (everyone: boolean) =>
  `SELECT CAST(coalesce(sum(amount_nano), 0) AS TEXT) AS amount FROM adjustments WHERE ${inRange(everyone)}`

interface Report {
  rows: Row[]
  /** Nano-dollars of every day from the first that has any to the last. */
  days: bigint[]
  adjustments: bigint
}

/** @param start, end whole days since 1970, UTC, both included. */
async function readReport(db: Database, by: By, start: number, end: number, customerId?: number): Promise<Report> {
  const everyone = customerId === undefined
  const params = everyone ? [start, end] : [start, end, customerId]
  const statements = [reportSql(by, everyone), daysSql(everyone), adjustedSql(everyone)].map((sql) => ({ sql, params }))
  const [rows = [], costs = [], adjusted = []] = await db.batch(statements)
  const costOn = new Map(costs.map(({ day, cost }) => [Number(day), BigInt(cost ?? 0)]))
  const [first, last] = [Number(costs[0]?.day ?? 0), Number(costs.at(-1)?.day ?? -1)]
  const days = Array.from({ length: last - first + 1 }, (_, index) => costOn.get(first + index) ?? 0n)
  return { rows, days, adjustments: BigInt(adjusted[0]?.amount ?? 0) }
}

interface Asked {
  start: number
  end: number
  by: By
  csv: boolean
}

/** Null where CSV went to standard output. */
async function usageReport({ db, io }: Context, customerId: number | undefined, { start, end, by, csv }: Asked): Promise<Output | null> {
  if (customerId !== undefined) await findCustomer(db, customerId)
  const report = await readReport(db, by, start, end, customerId)
  const lines = report.rows.map((row) => rowJson(row, by))
  if (csv) {
    const head = Object.keys(rowJson({}, by))
    await io.out([head, ...lines.map((line) => Object.values(line))].map(csvLine).join(''))
    return null
  }
  const total = reportTotal(report.rows)
  const billed = BigInt(String(total.cost)) + report.adjustments
  return {
    json: {
      start_date: dayName(start),
      end_date: dayName(end),
      customer_id: customerId ?? null,
      by,
      rows: lines,
      totals: { ...reportFigures(total), adjustments_usd: usd(report.adjustments), billed_usd: usd(billed) },
    },
    text: reportTable({ ...report, total, start, end, by, everyone: customerId === undefined }),
  }
}

function rowJson(row: Row, by: By): Record<string, string | number | null> {
  const line =
    by === 'key'
      ? { key_id: row.line ?? null, key_prefix: row.prefix ?? null, key_name: row.name ?? null }
      : { [by]: by === 'day' ? dayName(Number(row.line ?? 0)) : (row.line ?? null) }
  return { customer_id: row.customer_id ?? null, customer_name: row.customer_name ?? null, ...line, ...reportFigures(row) }
}

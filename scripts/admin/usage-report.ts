// usage-report: requests, tokens and cost by day, model, key or outcome, from the daily sums.
import { Argument, type Command, Option } from 'commander'
import { DAY_MS, periodStartDay } from '../../worker/ledger/periods.ts'
import type { Row } from '../database/database.ts'
import { id } from './arguments.ts'
import type { Context, Output } from './context.ts'
import { findCustomer } from './customers.ts'
import { checkRange, type DateRangeOptions, dateRangeOptions } from './date-range.ts'
import type { CommonOptions, Shell } from './shell.ts'
import { type Column, dayName, dollars, table, thousands, usd } from './table.ts'

const BY = ['day', 'model', 'key', 'outcome'] as const
type By = (typeof BY)[number]

interface Options extends CommonOptions, DateRangeOptions {
  by: By
}

export function usageReportCommand(shell: Shell): Command {
  const command = shell
    .command(
      'usage-report',
      'Reports requests, tokens and cost: of everyone, or of a customer.',
      'usage-report 1 --start-date 2026-11-01 --end-date 2026-11-30 --by day',
    )
    .addArgument(new Argument('[customer_id]', 'as in list-customers').argParser(id))
  for (const option of dateRangeOptions({ start: 'the first of the month', end: 'today' })) command.addOption(option)
  return command
    .addOption(new Option('--by <what>', 'what a line is').choices(BY).default('model'))
    .action((customerId: number | undefined, options: Options) => {
      const today = Math.floor(Date.now() / DAY_MS)
      const end = options.endDate ?? Math.max(today, options.startDate ?? 0)
      const start = options.startDate ?? periodStartDay('month', end * DAY_MS)
      checkRange(start, end)
      return shell.run(options, (context) => usageReport(context, customerId, { start, end, by: options.by }))
    })
}

/** ?1 and ?2 days, ?3 the customer: with one, it is a seek in the primary key. */
const inRange = (everyone: boolean) =>
  `${everyone ? '' : 'customer_id = CAST(?3 AS INTEGER) AND '}day BETWEEN CAST(?1 AS INTEGER) AND CAST(?2 AS INTEGER)`
const TOKENS = [
  'input_tokens',
  'cached_tokens',
  'cache_write_tokens',
  'cache_write_long_tokens',
  'output_tokens',
  'reasoning_tokens',
] as const
const COUNTS = ['requests', ...TOKENS] as const
const COLUMN: Record<By, string> = { day: 'u.day', model: 'u.model', key: 'u.key_id', outcome: 'u.outcome' }
const reportSql = (by: By, everyone: boolean) => `
SELECT u.customer_id, c.name AS customer_name, ${COLUMN[by]} AS line, ${by === 'key' ? 'k.prefix, k.name' : "'' AS prefix, '' AS name"}, sum(u.requests) AS requests,
  ${TOKENS.map((name) => `sum(u.${name}) AS ${name}`).join(', ')}, CAST(sum(u.cost_nano) AS TEXT) AS cost
FROM (SELECT * FROM usage_daily WHERE ${inRange(everyone)}) u JOIN customers c ON c.id = u.customer_id ${by === 'key' ? 'LEFT JOIN api_keys k ON k.id = u.key_id' : ''}
GROUP BY u.customer_id, ${COLUMN[by]} ORDER BY u.customer_id, ${COLUMN[by]}`
const adjustedSql = (everyone: boolean) =>
  `SELECT CAST(coalesce(sum(amount_nano), 0) AS TEXT) AS amount FROM adjustments WHERE ${inRange(everyone)}`

/** @param range whole days since 1970, UTC, both included. */
async function usageReport(
  { db }: Context,
  customerId: number | undefined,
  { start, end, by }: { start: number; end: number; by: By },
): Promise<Output> {
  if (customerId !== undefined) await findCustomer(db, customerId)
  const everyone = customerId === undefined
  const params = everyone ? [start, end] : [start, end, customerId]
  const rows = await db.all(reportSql(by, everyone), params)
  const [adjusted] = await db.all(adjustedSql(everyone), params)
  const adjustments = BigInt(adjusted?.amount ?? 0)
  const total = (name: string) => rows.reduce((sum, row) => sum + Number(row[name]), 0)
  const cost = rows.reduce((sum, row) => sum + BigInt(row.cost ?? 0), 0n)
  const totals = Object.fromEntries(COUNTS.map((name) => [name, total(name)])) as Record<(typeof COUNTS)[number], number>
  return {
    json: {
      start_date: dayName(start),
      end_date: dayName(end),
      customer_id: customerId ?? null,
      by,
      rows: rows.map((row) => rowJson(row, by)),
      totals: { ...totals, cost_usd: usd(cost), adjustments_usd: usd(adjustments), billed_usd: usd(cost + adjustments) },
    },
    text: [
      `${dayName(start)} to ${dayName(end)} (UTC)`,
      reportTable([...rows, { ...totals, line: null, customer_id: null, cost: String(cost) }], by, everyone),
      ...(adjustments === 0n ? [] : [`Adjustments: ${dollars(adjustments)}. Billed: ${dollars(cost + adjustments)}.`]),
    ].join('\n'),
  }
}

function rowJson(row: Row, by: By) {
  const line =
    by === 'key'
      ? { key_id: row.line, key_prefix: row.prefix, key_name: row.name }
      : { [by]: by === 'day' ? dayName(Number(row.line)) : row.line }
  const counts = Object.fromEntries(COUNTS.map((name) => [name, row[name]]))
  return { customer_id: row.customer_id, customer_name: row.customer_name, ...line, ...counts, cost_usd: usd(row.cost ?? 0) }
}

function reportTable(rows: Row[], by: By, everyone: boolean): string {
  const line = (row: Row) => {
    if (row.line === null || row.line === undefined) return 'total'
    if (by === 'day') return dayName(Number(row.line))
    return by === 'key' ? `${row.line} ${row.prefix ?? '?'}… ${row.name ?? ''}`.trim() : String(row.line)
  }
  const sum = (title: string, ...names: (typeof COUNTS)[number][]): Column<Row> => ({
    title,
    value: (row) => thousands(names.reduce((total, name) => total + Number(row[name]), 0)),
    right: true,
  })
  // What only vendors tell has no column where there is none of it.
  const any = (...columns: Column<Row>[]) => columns.filter(({ value }) => rows.some((row) => value(row) !== '0'))
  const columns: Column<Row>[] = [
    { title: by, value: line },
    sum('requests', 'requests'),
    sum('input', 'input_tokens'),
    sum('cached', 'cached_tokens'),
    ...any(sum('cache writes', 'cache_write_tokens', 'cache_write_long_tokens')),
    sum('output', 'output_tokens'),
    ...any(sum('reasoning', 'reasoning_tokens')),
    { title: 'cost', value: (row) => dollars(row.cost ?? 0), right: true },
  ]
  const customer: Column<Row> = {
    title: 'customer',
    value: (row) => (row.customer_id === null ? '' : `${row.customer_name} (${row.customer_id})`),
  }
  return table(rows, everyone ? [customer, ...columns] : columns)
}

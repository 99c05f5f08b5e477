// The usage report for people: an aligned table with its totals, the course of the cost by day, and what was posted beside it.
import { type FirstToken, firstTokenOf } from '../../worker/ledger/first-token.ts'
import type { REPORT_COUNTS, ReportSums } from '../../worker/ledger/report.ts'
import type { Row } from '../database/database.ts'
import { bar, greatest, sparkline } from './spark.ts'
import { type Column, dayName, dollars, table, thousands } from './table.ts'

export const BY = ['day', 'model', 'key', 'outcome'] as const
export type By = (typeof BY)[number]

/** Characters that the course by day, and a day's bar, may take: a month is a character a day. */
const SPARK_WIDTH = 31
const BAR_WIDTH = 20

interface Reported {
  rows: readonly Row[]
  total: ReportSums
  days: readonly bigint[]
  adjustments: bigint
  start: number
  end: number
  by: By
  everyone: boolean
}

type Line = ReportSums & { picture: string }

export function reportTable({ rows, total, days, adjustments, start, end, by, everyone }: Reported): string {
  const most = greatest(days)
  const lines: Line[] = [
    ...rows.map((row) => ({ ...row, picture: by === 'day' ? bar(BigInt(row.cost ?? 0), most, BAR_WIDTH) : '' })),
    { ...total, picture: by !== 'day' && days.length > 1 ? sparkline(days, SPARK_WIDTH) : '' },
  ]
  const billed = BigInt(String(total.cost)) + adjustments
  return [
    `${dayName(start)} to ${dayName(end)} (UTC)`,
    table(lines, columnsOf(lines, by, everyone)),
    ...(adjustments === 0n ? [] : [`Adjustments: ${dollars(adjustments)}. Billed: ${dollars(billed)}.`]),
  ].join('\n')
}

function columnsOf(lines: readonly Line[], by: By, everyone: boolean): Column<Line>[] {
  const sum = (title: string, ...names: (typeof REPORT_COUNTS)[number][]): Column<Line> => ({
    title,
    value: (line) => thousands(names.reduce((total, name) => total + Number(line[name]), 0)),
    right: true,
  })
  // What only vendors tell has no column where there is none of it, nor has the time to the first token where all is of before it was kept.
  const any = (...columns: Column<Line>[]) => columns.filter(({ value }) => lines.some((line) => !['0', '-', ''].includes(value(line))))
  const customer: Column<Line> = {
    title: 'customer',
    value: (line) => (line.customer_id === undefined ? '' : `${line.customer_name} (${line.customer_id})`),
  }
  return [
    ...(everyone ? [customer] : []),
    { title: by, value: (line) => lineName(line, by) },
    sum('requests', 'requests'),
    sum('input', 'input_tokens'),
    sum('cached', 'cached_tokens'),
    ...any(sum('cache writes', 'cache_write_tokens', 'cache_write_long_tokens')),
    sum('output', 'output_tokens'),
    ...any(sum('reasoning', 'reasoning_tokens')),
    ...any(
      { title: 'first token', value: (line) => averageText(firstTokenOf(line)), right: true },
      { title: 'p95', value: (line) => p95Text(firstTokenOf(line)), right: true },
    ),
    { title: 'cost', value: (line) => dollars(String(line.cost)), right: true },
    ...any({ title: by === 'day' ? '' : 'by day', value: ({ picture }) => picture }),
  ]
}

function lineName(line: Line, by: By): string {
  if (line.line === undefined) return 'total'
  if (by === 'day') return dayName(Number(line.line))
  return by === 'key' ? `${line.line} ${line.prefix ?? '?'}… ${line.name ?? ''}`.trim() : String(line.line)
}

/** Two digits: 0.085 s, 1.2 s, 14 s. */
function averageText({ averageMs }: FirstToken): string {
  if (averageMs === null) return '-'
  return `${averageMs < 1000 ? Number((averageMs / 1000).toPrecision(2)) : (averageMs / 1000).toFixed(averageMs < 9950 ? 1 : 0)} s`
}

function p95Text({ averageMs, p95AtMostMs }: FirstToken): string {
  if (averageMs === null) return '-'
  return p95AtMostMs === null ? '> 51.2 s' : `≤ ${p95AtMostMs / 1000} s`
}

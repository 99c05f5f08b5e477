// Reports are read from the daily sums, however many requests there were: what they add up, and how that is told.
import { formatDecimal } from '../money.ts'
import { FIRST_COLUMNS, firstTokenOf } from './first-token.ts'

const TOKEN_COUNTS = [
  'input_tokens',
  'cached_tokens',
  'cache_write_tokens',
  'cache_write_long_tokens',
  'output_tokens',
  'reasoning_tokens',
] as const
export const REPORT_COUNTS = ['requests', ...TOKEN_COUNTS] as const
type ReportCounts = Record<(typeof REPORT_COUNTS)[number], number>

const SUMMED: readonly string[] = [...REPORT_COUNTS, ...FIRST_COLUMNS]

/** What a line of a report adds up, of usage_daily as `u`: `cost` is text, since a sum may be past what a number holds. */
export const REPORT_SUMS = `${SUMMED.map((name) => `sum(u.${name}) AS ${name}`).join(', ')}, CAST(coalesce(sum(u.cost_nano), 0) AS TEXT) AS cost`

/** By the names of REPORT_SUMS. */
export type ReportSums = Readonly<Record<string, unknown>>

/** The lines' sums added up. */
export function reportTotal(lines: readonly ReportSums[]): ReportSums {
  const total = (name: string) => lines.reduce((sum, line) => sum + Number(line[name] ?? 0), 0)
  const cost = lines.reduce((sum, line) => sum + BigInt(String(line.cost ?? 0)), 0n)
  return { ...Object.fromEntries(SUMMED.map((name) => [name, total(name)])), cost: String(cost) }
}

export interface ReportFigures extends ReportCounts {
  cost_usd: string
  first_token_ms_average: number | null
  first_token_p95_ms_at_most: number | null
}

/** A line's figures as JSON and CSV have them. The average is rounded to whole milliseconds. */
export function reportFigures(sums: ReportSums): ReportFigures {
  const counts = Object.fromEntries(REPORT_COUNTS.map((name) => [name, Number(sums[name] ?? 0)])) as ReportCounts
  const { averageMs, p95AtMostMs } = firstTokenOf(sums)
  return {
    ...counts,
    cost_usd: formatDecimal(BigInt(String(sums.cost ?? 0)), 9),
    first_token_ms_average: averageMs === null ? null : Math.round(averageMs),
    first_token_p95_ms_at_most: p95AtMostMs,
  }
}

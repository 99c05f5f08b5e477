// --start-date and --end-date: whole days in UTC, the last one included.
import { Option } from 'commander'
import { date } from './arguments.ts'
import { UsageError } from './context.ts'

export interface DateRangeOptions {
  startDate?: number
  endDate?: number
}

export function dateRangeOptions(defaults: { start: string; end: string }): Option[] {
  return [
    new Option('--start-date <date>', `the first day, YYYY-MM-DD in UTC (default: ${defaults.start})`).argParser(date),
    new Option('--end-date <date>', `the last day, included (default: ${defaults.end})`).argParser(date),
  ]
}

/** Throws UsageError for a range that ends before it begins. */
export function checkRange(startDay: number, endDay: number): void {
  if (startDay > endDay) throw new UsageError('--end-date is before --start-date: give the earlier day as --start-date.')
}

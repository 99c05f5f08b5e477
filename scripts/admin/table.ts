// Output for people: aligned columns, and the spellings of values in them.
import { DAY_MS } from '../../worker/ledger/periods.ts'
import { formatDecimal } from '../../worker/money.ts'

export interface Column<T> {
  title: string
  value(row: T): string
  /** Numbers stand under one another by their last digit. */
  right?: true
}

/** Rows under their titles, two spaces between columns, no space at a line's end. */
export function table<T>(rows: readonly T[], columns: readonly Column<T>[]): string {
  const lines = [columns.map(({ title }) => title), ...rows.map((row) => columns.map(({ value }) => value(row)))]
  const widths = columns.map((_, index) => Math.max(...lines.map((line) => length(line[index] ?? ''))))
  return lines
    .map((line) =>
      line
        .map((cell, index) => pad(cell, widths[index] ?? 0, columns[index]?.right))
        .join('  ')
        .trimEnd(),
    )
    .join('\n')
}

function pad(cell: string, width: number, right: true | undefined): string {
  const space = ' '.repeat(width - length(cell))
  return right ? space + cell : cell + space
}

function length(text: string): number {
  return [...text].length
}

/** Nano-dollars, exactly: $0.003. Text where a sum may be past what a number holds. */
export function dollars(nano: number | string | bigint | null): string {
  return nano === null ? 'unlimited' : `$${usd(nano)}`.replace('$-', '-$')
}

/** Nano-dollars as the decimal string of JSON output. */
export function usd(nano: number | string | bigint): string {
  return formatDecimal(BigInt(nano), 9)
}

export function usdOrNull(nano: number | string | null): string | null {
  return nano === null ? null : usd(nano)
}

/** Pico-dollars per token as USD per million tokens. */
export function perMillion(pico: number): string {
  return formatDecimal(pico, 6)
}

/** 2026-11-24 12:00, UTC. */
export function minute(ms: number | null): string {
  return ms === null ? '-' : new Date(ms).toISOString().slice(0, 16).replace('T', ' ')
}

export function iso(ms: number): string {
  return new Date(ms).toISOString()
}

export function isoOrNull(ms: number | null): string | null {
  return ms === null ? null : iso(ms)
}

/** Whole days since 1970 → 2026-11-24. */
export function dayName(day: number): string {
  return iso(day * DAY_MS).slice(0, 10)
}

/** 1,234,567. */
export function thousands(count: number): string {
  return count.toLocaleString('en-US')
}

export function plural(count: number, what: string): string {
  return `${thousands(count)} ${what}${count === 1 ? '' : 's'}`
}

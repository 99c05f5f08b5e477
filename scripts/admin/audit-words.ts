// What a change was, in words: each column that is another one now, in the units that people read.
import { dayName, dollars, minute, perMillion } from './table.ts'

/** Which row it is, when it was made: the note itself says that. */
const OF_THE_ROW = new Set(['id', 'created_ms', 'valid_from_ms', 'prefix', 'customer_id', 'model'])

/** `budget $5 → $20` for each column that differs; of a new row what it has, of one that is gone nothing. */
export function changesOf(before: Record<string, unknown> | null, after: Record<string, unknown> | null): string[] {
  if (after === null) return before === null ? [] : ['gone']
  const columns = Object.keys({ ...before, ...after })
  if (before === null) {
    const has = columns.filter((name) => !OF_THE_ROW.has(name) && !isEmpty(after[name]))
    return ['new', ...has.map((name) => `${title(name)} ${worded(name, after[name])}`)]
  }
  return columns
    .filter((name) => !OF_THE_ROW.has(name) && JSON.stringify(before[name] ?? null) !== JSON.stringify(after[name] ?? null))
    .map((name) => `${title(name)} ${worded(name, before[name])} → ${worded(name, after[name])}`)
}

function isEmpty(value: unknown): boolean {
  return value === null || value === undefined || value === '' || value === 0
}

/** budget_nano → budget. */
function title(column: string): string {
  return column.replace(/_(nano|pico|ms)$/, '').replaceAll('_', ' ')
}

function worded(column: string, value: unknown): string {
  if (value === null || value === undefined || value === '') return column === 'budget_nano' ? 'unlimited' : '-'
  if (typeof value === 'number') {
    if (column.endsWith('_nano')) return dollars(value)
    if (column.endsWith('_pico')) return `$${perMillion(value)}/Mtok`
    if (column.endsWith('_ms')) return minute(value)
    if (column === 'month' || column === 'day') return dayName(value)
  }
  return Array.isArray(value) ? value.join(',') : String(value)
}

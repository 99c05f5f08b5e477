// The list as it is printed: a line for each finding, its remedy below it, and a sum at the end.
import type { Level } from './finding.ts'
import type { Result } from './run-checks.ts'

const MARKS: Record<Level, { sign: string; colour: string }> = {
  ok: { sign: '✓', colour: '\u001b[32m' },
  warning: { sign: '!', colour: '\u001b[33m' },
  error: { sign: '✗', colour: '\u001b[31m' },
  skipped: { sign: '-', colour: '\u001b[2m' },
}
const PLAIN = '\u001b[0m'
const TITLE_WIDTH = 18

export function resultLine({ level, title, text, remedy }: Result, colour: boolean): string {
  const { sign, colour: code } = MARKS[level]
  const line = `${sign} ${title.padEnd(TITLE_WIDTH)} ${text}`
  const first = colour ? `${code}${level === 'ok' ? `${sign}${PLAIN}${line.slice(sign.length)}` : `${line}${PLAIN}`}` : line
  return remedy === null ? first : `${first}\n  ${' '.repeat(TITLE_WIDTH)} → ${remedy}`
}

/** 21 well, 2 to look at, 1 wrong, 3 not looked at. */
export function sumLine(results: readonly Result[]): string {
  const words: [Level, string][] = [
    ['ok', 'well'],
    ['warning', 'to look at'],
    ['error', 'wrong'],
    ['skipped', 'not looked at'],
  ]
  const counts = words.map(([level, word]) => [results.filter((result) => result.level === level).length, word] as const)
  return `${counts
    .filter(([count]) => count > 0)
    .map(([count, word]) => `${count} ${word}`)
    .join(', ')}.`
}

/** What was not looked at because something could not be asked; null: there is nothing of that kind. */
export function unseenLine(results: readonly Result[]): string | null {
  const unseen = results.filter(({ level }) => level === 'skipped').length
  const missing = results.filter(({ level, blocks }) => level === 'warning' && blocks).map(({ title }) => title)
  if (unseen === 0 || missing.length === 0) return null
  return `Not all could be seen: ${unseen} of ${results.length} lines were not looked at, for want of: ${missing.join(', ')}.`
}

export function resultsJson(where: 'local' | 'remote', results: readonly Result[]): object {
  return {
    where,
    well: results.every(({ level }) => level !== 'error'),
    complete: results.every(({ level }) => level !== 'skipped'),
    checks: results.map(({ check, title, level, text, remedy }) => ({ check, title, level, text, remedy })),
  }
}

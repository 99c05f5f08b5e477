// Tables for a terminal, and for the page.
import { table } from '../admin/table.ts'
import type { Table } from './cells.ts'
import type { Results } from './results.ts'
import { tablesOf } from './tables.ts'

export function asText(results: Results): string {
  const { machine, failures } = results
  const blocks = tablesOf(results).map(({ title, columns, words = 1, rows }) => {
    const aligned = columns.map((column, index) => ({
      title: column,
      value: (row: string[]) => row[index] ?? '',
      ...(index >= words ? { right: true as const } : {}),
    }))
    return `${title}\n\n${table(rows, aligned)}`
  })
  const failed = failures.map(({ what, count, first }) => `${count} requests failed: ${what}: ${first}`)
  const on = `${machine.cores} cores of ${machine.cpu}, ${machine.memoryGib} GiB, Node ${machine.node}, workerd ${machine.workerd}`
  return `${[...blocks, ...failed, on].join('\n\n')}\n`
}

/** The generated part of docs/performance.md. */
export function asMarkdown(results: Results): string {
  const { machine, date, command, effort, failures } = results
  const about = [
    `Measured on ${date} with \`${command}\`: medians of ${effort.rounds} rounds on ${machine.cores} cores (${machine.cpu}), ${machine.memoryGib} GiB of memory, Node ${machine.node}, workerd ${machine.workerd}.`,
  ]
  const failed = failures.map(({ what, count }) => `${count} requests failed and are left out: ${what}.`)
  return [...about, ...failed, ...tablesOf(results).map(markdownTable)].join('\n\n')
}

function markdownTable({ title, columns, words = 1, rows }: Table): string {
  const line = (cells: string[]) => `| ${cells.map((cell) => cell.replaceAll('|', '\\|')).join(' | ')} |`
  const rule = `|${columns.map((_, index) => (index < words ? '---' : '--:')).join('|')}|`
  return [`**${title}**`, '', line(columns), rule, ...rows.map(line)].join('\n')
}

// docs/performance.md and its plot: the part between the markers is written by the bench, the rest by people.
import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { PROJECT_ROOT } from '../start/project.ts'
import { plot } from './plot.ts'
import { asMarkdown } from './print.ts'
import type { Results } from './results.ts'

const BEGIN = '<!-- bench:begin -->'
const END = '<!-- bench:end -->'

/** Throws where the markers are not there, once each and in order. */
export function replaceGenerated(page: string, generated: string): string {
  const parts = page.split(new RegExp(`${BEGIN}|${END}`))
  const [before, , after] = parts
  if (parts.length !== 3 || before === undefined || after === undefined || page.indexOf(BEGIN) > page.indexOf(END)) {
    throw new Error(`docs/performance.md has to have ${BEGIN} and ${END}, once each and in this order.`)
  }
  return `${before}${BEGIN}\n${generated}\n${END}${after}`
}

/** Writes both; the plot only where what it shows was measured. Returns the names of what was written. */
export async function writePage(results: Results): Promise<string[]> {
  const path = (name: string) => join(PROJECT_ROOT, 'docs', name)
  const page = await readFile(path('performance.md'), 'utf8')
  await writeFile(path('performance.md'), replaceGenerated(page, asMarkdown(results)))
  const { load, paced } = results
  if (load === null || paced === null) return ['docs/performance.md']
  await writeFile(path('performance.svg'), plot(load, paced))
  return ['docs/performance.md', 'docs/performance.svg']
}

// Files of a vendor's export, read whole: no page may be missing, and no day of the month.
import { readFile } from 'node:fs/promises'
import { resolve } from 'node:path'
import type { Vendor } from '../catalogue/format.ts'
import { Failure } from './context.ts'
import type { Month } from './month.ts'
import { dayName } from './table.ts'
import { VendorExport, type What } from './vendor-export.ts'
import { readAnthropicPage } from './vendor-export-anthropic.ts'
import { readOpenaiPage } from './vendor-export-openai.ts'
import { type Place, pagesOf } from './vendor-json.ts'

const WHAT = { usage: 'usage', charges: 'costs' } as const

/**
 * Reads files in the vendor's format; days outside of the month are left out.
 * Throws Failure for anything that is not as documented, an export that is not whole, or one without the month.
 * @param today whole days since 1970, UTC: later days cannot be asked for
 */
export async function readExports(vendor: Vendor, files: string[], directory: string, month: Month, today: number): Promise<VendorExport> {
  const into = new VendorExport()
  for (const file of files) {
    const pages = pagesOf(await read(resolve(directory, file), file), file)
    for (const page of pages) {
      refuseErrors(page)
      if (vendor === 'openai') readOpenaiPage(page, into)
      else readAnthropicPage(page, into, Math.min(month.last, today))
    }
    checkLast(pages.at(-1) as Place)
  }
  checkDays('usage', into.days.usage, files, month, today)
  if (into.days.charges.size > 0 && into.charges.length > 0) checkDays('charges', into.days.charges, files, month, today)
  return into
}

async function read(path: string, file: string): Promise<string> {
  try {
    return await readFile(path, 'utf8')
  } catch (error) {
    throw new Failure(`--from: ${file} cannot be read (${(error as NodeJS.ErrnoException).code}); give another file.`)
  }
}

function refuseErrors(page: Place): void {
  if (!page.has('error')) return
  const error = page.at('error')
  const said = error.has('message') ? error.at('message').text() : 'no reason given'
  page.fail(`is the vendor's refusal, not an export (${said.slice(0, 200)}): an admin key is needed; fetch it again.`)
}

function checkLast(page: Place): void {
  if (!page.at('has_more').flag()) return
  const next = page.has('next_page') ? `page=${page.at('next_page').text()}` : 'the next page'
  page.at('has_more').fail(`the export is not whole: fetch the rest with ${next}, and append it to the file.`)
}

function checkDays(what: What, days: Set<number>, files: string[], { name, first, last }: Month, today: number): void {
  const asked = Array.from({ length: last - first + 1 }, (_, index) => first + index)
  const given = asked.filter((day) => days.has(day))
  if (given.length === 0) {
    const all = [...days].sort((a, b) => a - b)
    const [from, to] = [all[0], all.at(-1)]
    const instead = from === undefined || to === undefined ? 'nothing' : `${dayName(from)} to ${dayName(to)}`
    throw new Failure(`--from: ${files.join(', ')}: no ${WHAT[what]} of ${name}, but ${instead}: give the export of that month.`)
  }
  const missing = asked.filter((day) => day < today && !days.has(day))
  if (missing.length === 0) return
  const shown = missing.length > 3 ? `${missing.slice(0, 3).map(dayName).join(', ')} …` : missing.map(dayName).join(', ')
  throw new Failure(`--from: ${files.join(', ')}: no ${WHAT[what]} of ${shown}: fetch the whole month (limit=31), and all pages.`)
}

// One setting in .dev.vars, written anew; all else, comments too, stays as it is.
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { writePrivate } from '../setup/secrets-file.ts'

/** The value has neither quotes nor line ends in it. */
export async function setDevVar(directory: string, name: string, value: string): Promise<void> {
  const path = join(directory, '.dev.vars')
  const before = await readFile(path, 'utf8').catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return ''
    throw error
  })
  await writePrivate(path, withSetting(before, name, value))
}

/** Of several lines of this name the last one counts, so all are written. */
export function withSetting(text: string, name: string, value: string): string {
  const line = `${name}=${value}`
  const lines = new RegExp(`^[ \\t]*(?:export[ \\t]+)?${name}[ \\t]*=.*$`, 'gm')
  if (lines.test(text)) return text.replace(lines, () => line)
  return `${text}${text === '' || text.endsWith('\n') ? '' : '\n'}${line}\n`
}

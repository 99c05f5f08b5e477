// The file that a command is to write: where it is, and whether one that stands there may be replaced.
import { realpath, stat } from 'node:fs/promises'
import { resolve } from 'node:path'
import { type Io, UsageError } from './context.ts'
import type { AskingOptions, Shell } from './shell.ts'

/** Absolute; asks where it exists. Throws UsageError, Failure. */
export async function outputFile(shell: Shell, io: Io, options: AskingOptions, name: string): Promise<string> {
  const asked = resolve(io.directory, name)
  const path = await realpath(asked).catch(() => asked)
  const found = await stat(path).catch(() => null)
  if (found === null) return path
  if (!found.isFile()) throw new UsageError(`--output: ${name} is no ordinary file; choose another name.`)
  await shell.confirm(options, `${name} exists. Replace it?`)
  return path
}

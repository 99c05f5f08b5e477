// Where an export goes: standard output, or a file that is there whole or not at all.
import { type FileHandle, open, realpath, rename, rm, stat } from 'node:fs/promises'
import { resolve } from 'node:path'
import { Option } from 'commander'
import { Failure, type Io } from './context.ts'

/** `-` is standard output, as with `backup`. */
export function outputOption(): Option {
  const described = new Option('--output <file>', 'write there instead of to standard output')
  return described.argParser((name) => (name === '-' ? undefined : name))
}

export interface Sink {
  write(text: string): Promise<void>
  /** It is whole. */
  finish(): Promise<void>
  /** It is not: leaves what was there before. */
  abandon(): Promise<void>
}

export function standardOutput(io: Io): Sink {
  return { write: (text) => io.out(text), finish: async () => {}, abandon: async () => {} }
}

/** Writes beside the file and renames at the end. What is no ordinary file (a device, a pipe) is written to directly. Throws Failure. */
export async function fileSink(io: Io, name: string): Promise<Sink> {
  const asked = resolve(io.directory, name)
  const path = await realpath(asked).catch(() => asked)
  const isPlain = await stat(path).then(
    (found) => found.isFile(),
    () => true,
  )
  const draft = isPlain ? `${path}.${process.pid}.partial` : path
  const failed = (error: unknown) =>
    new Failure(`--output: cannot write ${name} (${(error as NodeJS.ErrnoException).code ?? error}); choose another file.`)
  const file: FileHandle = await open(draft, 'w').catch((error) => {
    throw failed(error)
  })
  return {
    async write(text) {
      await file.writeFile(text).catch((error) => {
        throw failed(error)
      })
    },
    async finish() {
      await file.close()
      if (isPlain) await rename(draft, path)
    },
    async abandon() {
      await file.close()
      if (isPlain) await rm(draft, { force: true })
    },
  }
}

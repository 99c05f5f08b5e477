// Writes a file that is there whole or not at all, for its owner's eyes: FILE.part, then renamed. Compressed where its name ends in .gz.
import { once } from 'node:events'
import { createWriteStream } from 'node:fs'
import { open, rename, rm } from 'node:fs/promises'
import { finished } from 'node:stream/promises'
import { createGzip } from 'node:zlib'
import { Failure } from '../admin/context.ts'

export interface WholeFile {
  write(text: string): Promise<void>
  /** It is whole: on the disk, and under its name. */
  finish(): Promise<void>
  abandon(): Promise<void>
}

/** @param path absolute; what stands there stays until the end. Throws Failure. */
export async function wholeFile(path: string): Promise<WholeFile> {
  const part = `${path}.part`
  const failed = (error: unknown): never => {
    throw new Failure(`--output: cannot write ${path} (${(error as NodeJS.ErrnoException).code ?? error}); choose another file.`)
  }
  await rm(part, { force: true }).catch(failed)
  const file = createWriteStream(part, { flags: 'wx', mode: 0o600 })
  await once(file, 'open').catch(failed)
  const top = path.endsWith('.gz') ? createGzip() : file
  if (top !== file) top.pipe(file)
  // Whoever writes next hears of it.
  const broken = finished(file)
  broken.catch(() => {})
  return {
    async write(text) {
      if (!top.write(text)) await Promise.race([once(top, 'drain'), broken]).catch(failed)
    },
    async finish() {
      top.end()
      await broken.catch(failed)
      const handle = await open(part, 'r+').catch(failed)
      await handle.sync().finally(() => handle.close())
      await rename(part, path).catch(failed)
    },
    async abandon() {
      top.destroy()
      file.destroy()
      await rm(part, { force: true })
    },
  }
}

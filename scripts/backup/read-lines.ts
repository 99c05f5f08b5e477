// Lines of a file, as the bytes they are: compressed or not, whatever its name says.
import { createHash } from 'node:crypto'
import { createReadStream } from 'node:fs'
import { open } from 'node:fs/promises'
import { basename } from 'node:path'
import { pipeline } from 'node:stream'
import { createGunzip } from 'node:zlib'
import { Failure } from '../admin/context.ts'

const GZIP_MAGIC = 0x1f8b

/** The file cannot be used; the message says what is wrong with it. */
export class BadFile extends Failure {
  override name = 'BadFile'
}

/** Each line without its newline. Only "\n" ends one: JSON holds other line separators as they are. Throws BadFile. */
export async function* readLines(path: string): AsyncGenerator<Buffer> {
  const gunzip = (await isGzip(path)) ? createGunzip() : null
  const read = createReadStream(path)
  if (gunzip !== null) pipeline(read, gunzip, () => {})
  let rest: Buffer[] = []
  try {
    for await (const chunk of (gunzip ?? read) as AsyncIterable<Buffer>) {
      let from = 0
      for (let at = chunk.indexOf(10); at >= 0; at = chunk.indexOf(10, from)) {
        yield Buffer.concat([...rest, chunk.subarray(from, at)])
        rest = []
        from = at + 1
      }
      rest.push(chunk.subarray(from))
    }
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException
    if (code === 'Z_BUF_ERROR') throw new BadFile(`${basename(path)} was cut short: the compressed data ends in the middle.`)
    if (code?.startsWith('Z_')) throw new BadFile(`${basename(path)} is damaged: it cannot be decompressed (${message}).`)
    throw unreadable(path, error)
  } finally {
    read.destroy()
  }
  const last = Buffer.concat(rest)
  if (last.length > 0) yield last
}

/** What sha256sum says of it. Throws BadFile. */
export async function fileSha256(path: string): Promise<string> {
  const hash = createHash('sha256')
  try {
    for await (const chunk of createReadStream(path)) hash.update(chunk as Buffer)
  } catch (error) {
    throw unreadable(path, error)
  }
  return hash.digest('hex')
}

async function isGzip(path: string): Promise<boolean> {
  try {
    const file = await open(path)
    const { buffer } = await file.read(Buffer.alloc(2), 0, 2, 0).finally(() => file.close())
    return buffer.readUInt16BE() === GZIP_MAGIC
  } catch (error) {
    throw unreadable(path, error)
  }
}

function unreadable(path: string, error: unknown): BadFile {
  const code = (error as NodeJS.ErrnoException).code ?? String(error)
  return new BadFile(code === 'ENOENT' ? `there is no file ${path}.` : `cannot read ${path} (${code}).`)
}

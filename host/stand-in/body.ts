// Reads a request's body: JSON where it is JSON, zstd where Ollama decodes it.
import type { IncomingMessage } from 'node:http'
import { zstdDecompressSync } from 'node:zlib'
import { isNative } from './call.ts'

/** Parsed JSON, or the text when it is none, or null for no body. Ollama decodes zstd on `/v1` only, and gzip nowhere. */
export async function readBody(req: IncomingMessage, path: string): Promise<unknown> {
  const parts: Buffer[] = []
  for await (const part of req) parts.push(part as Buffer)
  const bytes = Buffer.concat(parts)
  if (bytes.length === 0) return null
  const text = decoded(bytes, req.headers['content-encoding'] === 'zstd' && !isNative(path))
  try {
    return JSON.parse(text)
  } catch {
    return text
  }
}

function decoded(bytes: Buffer, zstd: boolean): string {
  try {
    return zstd ? zstdDecompressSync(bytes).toString() : bytes.toString()
  } catch {
    return bytes.toString()
  }
}

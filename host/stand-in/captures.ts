// Reads the recorded exchanges of `captures/`, one file each, and turns them into answers that can be sent again.
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'

/** One recorded exchange with a real Ollama; times are in milliseconds from before the connect. */
interface Exchange {
  about: string
  request: { method: string; path: string; headers: [string, string][]; body: unknown }
  /** null when no header ever came. */
  response: {
    status: number
    headers: [string, string][]
    framing: 'chunked' | 'content-length' | 'close' | 'none'
    headers_at_ms: number
    chunks: ({ at_ms: number; text: string } | { at_ms: number; base64: string })[]
  } | null
  ended: 'eof' | 'client-closed' | 'error'
}

/** One HTTP chunk of a body, without its framing. */
export interface Chunk {
  atMs: number
  data: string | Uint8Array
}

/** What is to be sent: a recorded answer, perhaps changed on the way. */
export interface Answer {
  /** The capture it comes from; null for what was never recorded (Access, a made-up status). */
  source: string | null
  status: number
  headers: [string, string][]
  framing: 'chunked' | 'content-length' | 'none'
  /** The length that the header promises, where the chunks do not keep it: a body that breaks off. */
  lengthSaid?: number
  /** null: no header is ever sent. */
  headerAtMs: number | null
  chunks: Chunk[]
  /** `break`: the socket is destroyed after the chunks; `hold`: it stays open and silent. */
  ending: 'end' | 'break' | 'hold'
}

const FOLDER = join(import.meta.dirname, 'captures')
const read = new Map<string, Exchange>()
// Node sends its own; lengths are counted again, since answers are changed.
const OWN_HEADERS = new Set(['date', 'content-length', 'transfer-encoding', 'connection'])

/** The names of all captures, without `.json`. */
export function captureNames(): string[] {
  return readdirSync(FOLDER)
    .filter((file) => file.endsWith('.json'))
    .map((file) => file.slice(0, -'.json'.length))
}

/** The exchange of that name. Throws for a name that was never recorded. */
export function exchange(name: string): Exchange {
  const known = read.get(name)
  if (known !== undefined) return known
  if (!/^[\w.-]+$/.test(name)) throw new Error(`no such capture: ${name}`)
  let text: string
  try {
    text = readFileSync(join(FOLDER, `${name}.json`), 'utf8')
  } catch {
    throw new Error(`no such capture: ${name}`)
  }
  const found = JSON.parse(text) as Exchange
  read.set(name, found)
  return found
}

/** The recorded answer as it was. A call that its caller gave up on is left open where the recording stops. */
export function recorded(name: string): Answer {
  const { response, ended } = exchange(name)
  if (response === null) {
    return { source: name, status: 0, headers: [], framing: 'none', headerAtMs: null, chunks: [], ending: 'hold' }
  }
  return {
    source: name,
    status: response.status,
    headers: response.headers.filter(([header]) => !OWN_HEADERS.has(header.toLowerCase())),
    framing: response.framing === 'close' ? 'chunked' : response.framing,
    headerAtMs: response.headers_at_ms,
    chunks: response.chunks.map((chunk) => ({
      atMs: chunk.at_ms,
      data: 'text' in chunk ? chunk.text : Buffer.from(chunk.base64, 'base64'),
    })),
    ending: ended === 'eof' ? 'end' : ended === 'error' ? 'break' : 'hold',
  }
}

/** The recorded body as text. */
export function recordedText(name: string): string {
  return recorded(name)
    .chunks.map((chunk) => chunk.data.toString())
    .join('')
}

/** The answer with every text chunk passed through `edit`. */
export function mapText(answer: Answer, edit: (text: string) => string): Answer {
  const chunks = answer.chunks.map((chunk) => (typeof chunk.data === 'string' ? { atMs: chunk.atMs, data: edit(chunk.data) } : chunk))
  return { ...answer, chunks }
}

// JSON as Go reads it and as JavaScript reads it differ: what could mean two things to the two is refused here.
import { GatewayError } from './errors.ts'

export type JsonObject = Record<string, unknown>

/** Deeper than any tool schema; well under what JSON.stringify can walk. */
const DEPTH_MAX = 200
/** More than any conversation has; each costs the schemas some time and memory, and a body is read before it is known whose it is. */
const VALUES_MAX = 50_000
/** A list of plain numbers that may be as long as a context. */
const LONG_LIST = 'context'

export function isObject(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

/**
 * Reads a request body as one JSON object. `known` are the keys that the host's decoder looks for at the top level: Go matches them with
 * case folding and takes the last, so a key that folds to one of them without being spelled so, or that comes twice, is refused.
 * Throws invalid_request.
 */
export function parseBody(bytes: Uint8Array, known: readonly string[]): JsonObject {
  if (bytes.byteLength === 0) throw new GatewayError('invalid_request', 'The request body is empty: send a JSON object.')
  let text: string
  try {
    text = new TextDecoder('utf-8', { fatal: true, ignoreBOM: false }).decode(bytes)
  } catch {
    throw new GatewayError('invalid_request', 'The request body is not valid UTF-8: send JSON encoded as UTF-8.')
  }
  const keys = topLevelKeys(text)
  let body: unknown
  try {
    body = JSON.parse(text)
  } catch (error) {
    // The parser's own words quote the body, which is nobody's to write down.
    const position = /position \d+/.exec((error as Error).message)?.[0]
    throw new GatewayError('invalid_request', `The request body is not valid JSON${position === undefined ? '' : ` at ${position}`}.`)
  }
  if (!isObject(body)) throw new GatewayError('invalid_request', 'The request body must be a JSON object.')
  refuseAmbiguous(keys, known)
  return body
}

/** Refuses keys of which Go could take another than JavaScript does. Throws invalid_request. */
export function refuseAmbiguous(keys: readonly string[], known: readonly string[], where = ''): void {
  const byFold = new Map(known.map((key) => [foldKey(key), key]))
  const seen = new Set<string>()
  for (const key of keys) {
    const param = `${where}${key.slice(0, 64)}`
    if (seen.has(key)) throw new GatewayError('invalid_request', `"${param}" comes twice: send it once.`, { param })
    seen.add(key)
    const meant = byFold.get(foldKey(key))
    if (meant !== undefined && meant !== key) {
      throw new GatewayError('invalid_request', `"${param}" could be read as "${meant}": spell it exactly so.`, { param })
    }
  }
}

/** A key as Go's decoder compares it: ASCII case aside, and with the long s and the Kelvin sign folded. Source: encoding/json, fold.go. */
function foldKey(key: string): string {
  return key.toLowerCase().toUpperCase()
}

/** The keys of the outermost object, doubles included, from one pass over the text. Throws invalid_request where it is nested too deep. */
function topLevelKeys(text: string): string[] {
  const keys: string[] = []
  let depth = 0
  let values = 0
  let expectKey = false
  for (let at = 0; at < text.length; at++) {
    switch (text.charCodeAt(at)) {
      case 0x22: {
        const end = stringEnd(text, at)
        if (expectKey && depth === 1) keys.push(readKey(text.slice(at, end + 1)))
        expectKey = false
        at = end
        break
      }
      case 0x7b: // {
        depth++
        expectKey = depth === 1
        break
      case 0x5b: // [
        depth++
        break
      case 0x7d: // }
      case 0x5d: // ]
        depth--
        break
      case 0x2c: // ,
        expectKey = depth === 1
        if (depth !== 2 || keys.at(-1) !== LONG_LIST) values++
        break
    }
    if (values > VALUES_MAX) {
      throw new GatewayError('invalid_request', `The request body holds more than ${VALUES_MAX} values: shorten its lists.`)
    }
    if (depth > DEPTH_MAX) {
      throw new GatewayError('invalid_request', `The request body is nested deeper than ${DEPTH_MAX} levels: flatten it.`)
    }
  }
  return keys
}

/** Where the string that opens at `start` closes; the end of the text if it does not. */
function stringEnd(text: string, start: number): number {
  for (let at = text.indexOf('"', start + 1); at !== -1; at = text.indexOf('"', at + 1)) {
    let slashes = 0
    while (text.charCodeAt(at - 1 - slashes) === 0x5c) slashes++
    if (slashes % 2 === 0) return at
  }
  return text.length
}

function readKey(quoted: string): string {
  try {
    return JSON.parse(quoted) as string
  } catch {
    return quoted // JSON.parse of the whole will say what is wrong
  }
}

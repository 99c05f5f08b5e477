// Test support: the recorded exchanges with a real Ollama, by name.
import { DIALECTS } from '../dialects/all.ts'
import type { Dialect, FrameValue } from '../dialects/dialect.ts'
import { FrameSplitter } from '../frames.ts'
import { isObject, type JsonObject } from '../json.ts'

export interface Capture {
  about: string
  request: { method: string; path: string; headers: [string, string][]; body: unknown }
  response: { status: number; headers: [string, string][]; chunks: { at_ms: number; text?: string; base64?: string }[] } | null
  ended: 'eof' | 'client-closed' | 'error'
  chunks_left_out?: number
}

const files = import.meta.glob<Capture>('../../host/stand-in/captures/*.json', { eager: true, import: 'default' })

export const CAPTURES: ReadonlyMap<string, Capture> = new Map(
  Object.entries(files).map(([path, capture]) => [path.slice(path.lastIndexOf('/') + 1, -'.json'.length), capture]),
)

export function captureOf(name: string): Capture {
  const found = CAPTURES.get(name)
  if (found === undefined) throw new Error(`no capture ${name}`)
  return found
}

/** The exact bytes of the answer's body. */
export function bodyBytes(capture: Capture): Uint8Array {
  const text = (capture.response?.chunks ?? []).map((chunk) => chunk.text ?? atob(chunk.base64 ?? '')).join('')
  return new TextEncoder().encode(text)
}

export function requestBody(capture: Capture): JsonObject {
  const { body } = capture.request
  const value: unknown = typeof body === 'string' ? JSON.parse(body) : body
  if (!isObject(value)) throw new Error('the request has no JSON body')
  return value
}

export function dialectOf(capture: Capture): Dialect | undefined {
  const path = capture.request.path.split('?')[0]
  return DIALECTS.find((dialect) => dialect.path === path)
}

/** Whether the answer came as a stream in the framing of its dialect. */
export function isStreamed(capture: Capture): boolean {
  const type = capture.response?.headers.find(([name]) => name.toLowerCase() === 'content-type')?.[1] ?? ''
  return capture.response?.status === 200 && /ndjson|event-stream/.test(type)
}

/** The frames of a streamed answer. */
export function framesOf(capture: Capture, dialect: Dialect): FrameValue[] {
  if (dialect.framing === null) throw new Error('not streamed')
  const splitter = new FrameSplitter(dialect.framing)
  const frames = [...splitter.push(bodyBytes(capture)), splitter.rest()]
  return frames.flatMap((frame) =>
    frame?.data == null ? [] : [frame.data === '[DONE]' ? frame.data : (JSON.parse(frame.data) as JsonObject)],
  )
}

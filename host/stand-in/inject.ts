// Applies a fault to an answer: what the wire shows when something breaks, in the recorded shapes where there are any.
import { type Answer, type Chunk, recorded } from './captures.ts'
import type { Fault } from './faults.ts'
import { partsOf } from './limit.ts'
import { madeUp, orderedStatus } from './made-up.ts'
import { type InferencePath, isInference, wireOf } from './wires.ts'

const FILLER = 'x'.repeat(64 * 1024)

const KILLED: Record<InferencePath, string> = {
  '/api/chat': 'fault.runner-killed.api-chat',
  '/api/generate': 'fault.runner-killed.api-generate',
  '/v1/chat/completions': 'fault.runner-killed.v1-chat',
  '/v1/completions': 'fault.runner-killed.v1-completions',
  '/v1/messages': 'fault.runner-killed.v1-messages',
  '/v1/responses': 'fault.runner-killed.v1-responses',
}

/** The answer to a call of `path` with this fault in it. `slow-header` is the sender's business. */
export function inject(answer: Answer, fault: Fault, path: string): Answer {
  switch (fault.kind) {
    case 'slow-header':
      return answer
    case 'no-header':
      return { ...answer, headerAtMs: null }
    case 'broken':
      return { ...cut(answer, fault.afterChunks), ending: 'break' }
    case 'stall':
      return { ...cut(answer, fault.afterChunks), ending: 'hold' }
    case 'no-terminator':
      return onStream(answer, path, (inference) => ({ ...answer, chunks: beforeTail(inference, answer) }))
    case 'error-line':
      return onStream(answer, path, (inference) => errorLine(answer, inference, fault.afterChunks))
    case 'huge-frame':
      return isInference(path) ? { ...answer, chunks: withHugeFrame(path, answer.chunks, fault.bytes) } : answer
    case 'zero-counts':
      return zeroCounts(answer, path)
    case 'split':
      return { ...answer, chunks: recut(answer.chunks, fault.bytes) }
    case 'redirect':
      return madeUp(307, [['Location', fault.location ?? path]], '')
    case 'status':
      return orderedStatus(fault, path)
  }
}

function isStream(answer: Answer): boolean {
  return answer.headers.some(([name, value]) => name.toLowerCase() === 'content-type' && /ndjson|event-stream/.test(value))
}

/** A runner that dies during a call that is not streamed is a 500; other routes have no runner to lose. */
function onStream(answer: Answer, path: string, change: (path: InferencePath) => Answer): Answer {
  if (!isInference(path)) return answer
  return isStream(answer) ? change(path) : recorded(`${KILLED[path]}.nostream`)
}

/** The first chunks of a stream. Any other body breaks off, or stalls, half-way, unless that is to happen before it begins. */
function cut(answer: Answer, afterChunks: number): Answer {
  const body = bytesOf(answer.chunks)
  const half = { atMs: answer.chunks.at(-1)?.atMs ?? 0, data: body.subarray(0, body.length >> 1) }
  const chunks = isStream(answer) ? answer.chunks.slice(0, afterChunks) : afterChunks === 0 ? [] : [half]
  return { ...answer, chunks, lengthSaid: body.length }
}

function beforeTail(path: InferencePath, answer: Answer): Chunk[] {
  const { lead, body } = partsOf(wireOf(path), answer.chunks)
  return [...lead, ...body]
}

/** A line or an empty frame where one was recorded, nothing where nothing was; then a clean end. */
function errorLine(answer: Answer, path: InferencePath, afterChunks: number): Answer {
  const wire = wireOf(path)
  const kept = beforeTail(path, answer).slice(0, afterChunks)
  const last = recorded(`${KILLED[path]}.stream`).chunks.at(-1)?.data.toString() ?? ''
  const atMs = kept.at(-1)?.atMs ?? answer.headerAtMs ?? 0
  const silent = path === '/v1/messages' || path === '/v1/responses'
  const own = /"id":"[^"]*"/.exec(answer.chunks[0]?.data.toString() ?? '')?.[0]
  const usage = answer.chunks.some(({ data }) => wire.isToken(data.toString()) && data.toString().includes('"usage":'))
  const frame = (own === undefined ? last : last.replace(/"id":"[^"]*"/, own)).replace(usage ? '' : /,"usage":\{[^}]*\}/, '')
  return { ...answer, chunks: silent ? kept : [...kept, { atMs, data: frame }] }
}

/** Half-way comes a valid frame that is `bytes` long to its line end; its text has no line end in it. A whole body becomes that long. */
function withHugeFrame(path: InferencePath, chunks: Chunk[], bytes: number): Chunk[] {
  const wire = wireOf(path)
  const texts = chunks.map(({ data }) => data.toString())
  const keys = [wire.beforeText, '"text":"']
  const speaking = texts.flatMap((text, index) =>
    keys.some((key) => text.includes(key)) && (wire.isToken(text) || texts.length === 1) ? [index] : [],
  )
  const at = speaking[speaking.length >> 1]
  if (at === undefined) return chunks
  const frame = texts[at] ?? ''
  const key = keys.find((one) => frame.includes(one)) ?? ''
  const cutAt = frame.indexOf(key) + key.length
  const missing = Math.max(0, bytes - Buffer.byteLength(frame.trimEnd()))
  // One string many times over: the frame is never in memory as a whole.
  const filling = [...Array<string>(Math.floor(missing / FILLER.length)).fill(FILLER), FILLER.slice(0, missing % FILLER.length)]
  const pieces = [frame.slice(0, cutAt), ...filling, frame.slice(cutAt)].filter((piece) => piece !== '')
  const atMs = chunks[at]?.atMs ?? 0
  return [...chunks.slice(0, at), ...pieces.map((data) => ({ atMs, data })), ...chunks.slice(at + 1)]
}

const COUNTS = /"(prompt_eval_count|eval_count|prompt_tokens|completion_tokens|input_tokens|output_tokens|total_tokens)":\d+/g

/** The text as it was, every count zero. */
function zeroCounts(answer: Answer, path: string): Answer {
  const text = isInference(path) && isStream(answer) ? partsOf(wireOf(path), answer.chunks) : { lead: [], body: [], tail: answer.chunks }
  const zeroed = text.tail.map(({ atMs, data }) => ({ atMs, data: data.toString().replace(COUNTS, '"$1":0') }))
  return { ...answer, chunks: [...text.lead, ...text.body, ...zeroed] }
}

/** The same bytes in pieces of one size; a piece is sent when its last byte was. */
function recut(chunks: Chunk[], bytes: number): Chunk[] {
  const body = bytesOf(chunks)
  const ends = chunks.map(({ data }) => Buffer.byteLength(data))
  const pieces: Chunk[] = []
  let chunk = 0
  let end = ends[0] ?? 0
  for (let from = 0; from < body.length; from += bytes) {
    const to = Math.min(from + bytes, body.length)
    while (end < to) end += ends[++chunk] ?? Number.POSITIVE_INFINITY
    pieces.push({ atMs: chunks[chunk]?.atMs ?? 0, data: body.subarray(from, to) })
  }
  return pieces
}

function bytesOf(chunks: Chunk[]): Buffer {
  return Buffer.concat(chunks.map(({ data }) => Buffer.from(data)))
}

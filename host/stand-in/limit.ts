// Makes an answer shorter or longer: fewer or repeated token chunks, and closing chunks whose counts agree.
import type { Answer, Chunk } from './captures.ts'
import { renumbered } from './wire-responses.ts'
import { countsIn, type Ending, saidBy, type Wire } from './wires.ts'

/** An answer's chunks by their part in it. `body` runs from the first token to the last, blocks that open and close included. */
interface Parts {
  lead: Chunk[]
  body: Chunk[]
  tail: Chunk[]
}

export function partsOf(wire: Wire, chunks: Chunk[]): Parts {
  const first = chunks.findIndex((chunk) => wire.isToken(textOf(chunk)))
  const last = chunks.findLastIndex((chunk) => wire.isToken(textOf(chunk)))
  if (first === -1) return { lead: chunks, body: [], tail: [] }
  return { lead: chunks.slice(0, first), body: chunks.slice(first, last + 1), tail: chunks.slice(last + 1) }
}

/** The output tokens that a stream counts; its token chunks where it gives no count. */
export function outputTokensOf(wire: Wire, answer: Answer): number {
  const counted = countsIn(answer.chunks.map(textOf).join('')).outputTokens
  return counted || answer.chunks.filter((chunk) => wire.isToken(textOf(chunk))).length
}

/** A stream of `tokens` output tokens. Those that are missing are repeats of the recorded ones, at the recorded rhythm. */
export function resized(wire: Wire, answer: Answer, tokens: number, reason: Ending['reason']): Answer {
  const { lead, body, tail } = partsOf(wire, answer.chunks)
  const kept = tokens < outputTokensOf(wire, answer) ? firstTokens(wire, body, tokens) : repeated(body, tokens)
  const texts = kept.map(textOf)
  const ending: Ending = { outputTokens: tokens, reason, said: saidBy(wire, texts), last: texts.at(-1) }
  const shift = (kept.at(-1)?.atMs ?? 0) - (body.at(-1)?.atMs ?? 0)
  const closed = tail.map((chunk) => ({ atMs: chunk.atMs + shift, data: wire.close(textOf(chunk), ending) }))
  const chunks = [...lead, ...kept, ...closed]
  const numbered = renumbered(chunks.map(textOf))
  return { ...answer, chunks: chunks.map((chunk, index) => ({ atMs: chunk.atMs, data: numbered[index] ?? '' })) }
}

/** The body that is not streamed, saying what the stream says. */
export function wholeFrom(
  wire: Wire,
  template: Answer,
  stream: Answer,
  end: Pick<Ending, 'outputTokens' | 'reason' | 'promptTokens'>,
): Answer {
  const texts = partsOf(wire, stream.chunks).body.map(textOf)
  const ending: Ending = { ...end, said: saidBy(wire, texts), last: texts.at(-1) }
  const body = wire.whole(template.chunks.map(textOf).join(''), ending)
  return { ...template, chunks: [{ atMs: template.chunks.at(-1)?.atMs ?? 0, data: body }] }
}

function firstTokens(wire: Wire, body: Chunk[], tokens: number): Chunk[] {
  let seen = 0
  const end = body.findIndex((chunk) => wire.isToken(textOf(chunk)) && ++seen === tokens)
  return end === -1 ? body : body.slice(0, end + 1)
}

/** The first chunk is never repeated: it may open the message. */
function repeated(body: Chunk[], tokens: number): Chunk[] {
  const [first, ...rest] = body
  const last = body.at(-1)
  if (first === undefined || last === undefined || rest.length === 0) return body
  const stepMs = (last.atMs - first.atMs) / rest.length
  const more = Array.from({ length: Math.max(0, tokens - body.length) }, (_, index) => ({
    atMs: last.atMs + stepMs * (index + 1),
    data: rest[index % rest.length]?.data ?? '',
  }))
  return [...body, ...more]
}

function textOf(chunk: Chunk): string {
  return chunk.data.toString()
}

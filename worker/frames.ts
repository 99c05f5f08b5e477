// Cuts a byte stream into frames: lines of NDJSON, events of SSE. A pure push parser, its memory bounded.

export type Framing = 'ndjson' | 'sse'

export interface Frame {
  /** The frame with its delimiter, as it came. */
  bytes: Uint8Array
  /** The JSON text in it (a line, or the joined `data:` lines of an event); null where there is none or the frame was too large to keep. */
  data: string | null
}

const FRAME_MAX_BYTES = 4 * 1024 * 1024
const LF = 10
const CR = 13
const decoder = new TextDecoder()

export class FrameSplitter {
  readonly #framing: Framing
  readonly #maxBytes: number
  #held: Uint8Array = new Uint8Array(0)
  /** Within a frame that outgrew the bound: its bytes are handed on without being read. */
  #oversize = false

  constructor(framing: Framing, maxBytes = FRAME_MAX_BYTES) {
    this.#framing = framing
    this.#maxBytes = maxBytes
  }

  /** The frames that end in this piece, in order. */
  push(piece: Uint8Array): Frame[] {
    const searched = this.#held.byteLength
    const bytes = searched === 0 ? piece : concat(this.#held, piece)
    const frames: Frame[] = []
    let start = 0
    // A delimiter may have begun in what was held.
    for (let at = Math.max(0, searched - 3); ; ) {
      const end = this.#end(bytes, at, start)
      if (end === -1) break
      frames.push(this.#frame(bytes.subarray(start, end)))
      start = at = end
    }
    this.#held = bytes.subarray(start)
    if (this.#held.byteLength > this.#maxBytes) {
      frames.push({ bytes: this.#held, data: null })
      this.#held = new Uint8Array(0)
      this.#oversize = true
    }
    return frames
  }

  /** The begin of a frame that has not ended yet. */
  get held(): Uint8Array {
    return this.#held
  }

  /** What is left at the end of the stream: a frame without its delimiter, or nothing. */
  rest(): Frame | null {
    const bytes = this.#held
    this.#held = new Uint8Array(0)
    return bytes.byteLength === 0 ? null : this.#frame(bytes)
  }

  #frame(bytes: Uint8Array): Frame {
    const oversize = this.#oversize
    this.#oversize = false
    return { bytes, data: oversize ? null : this.#framing === 'ndjson' ? line(bytes) : eventData(bytes) }
  }

  /** Where the frame that begins at `start` ends (past its delimiter), looking from `from` on; -1 if it does not yet. */
  #end(bytes: Uint8Array, from: number, start: number): number {
    for (let at = bytes.indexOf(LF, from); at !== -1; at = bytes.indexOf(LF, at + 1)) {
      if (this.#framing === 'ndjson') return at + 1
      // An event ends at an empty line: \n\n or \r\n\r\n.
      if (at > start && (bytes[at - 1] === LF || (bytes[at - 1] === CR && bytes[at - 2] === LF && at - 1 > start))) return at + 1
    }
    return -1
  }
}

function line(bytes: Uint8Array): string | null {
  return decoder.decode(bytes).trim() || null
}

function eventData(bytes: Uint8Array): string | null {
  const data = decoder
    .decode(bytes)
    .split(/\r?\n/)
    .filter((field) => field.startsWith('data:'))
    .map((field) => field.slice(field.charCodeAt(5) === 0x20 ? 6 : 5))
  return data.length === 0 ? null : data.join('\n')
}

export function concat(...parts: Uint8Array[]): Uint8Array {
  const whole = new Uint8Array(parts.reduce((sum, part) => sum + part.byteLength, 0))
  let at = 0
  for (const part of parts) {
    whole.set(part, at)
    at += part.byteLength
  }
  return whole
}

// What is done to the frames of an answer: usage that the caller had not asked for is taken out, and a vendor's words about its operator.
import type { Destination } from './destination.ts'
import type { FrameValue } from './dialects/dialect.ts'
import { concat, type Frame } from './frames.ts'
import type { MeteredFrame } from './meter.ts'
import { Seen } from './seen.ts'

const encoder = new TextEncoder()

export class Rewriter {
  /** Frames are looked at one by one for their usage. */
  readonly dropsUsage: boolean
  /** An error within the answer is not passed on as it is. */
  readonly hidesFailures: boolean
  /** Such an error came, and nothing passes any more. */
  withheld = false
  #isOff = false
  readonly #wire: Destination['wire']
  readonly #seen: Seen

  /** `seen`: what the meter has seen, which runs ahead by a piece. */
  constructor({ reading, wire, failure }: Pick<Destination, 'reading' | 'wire' | 'failure'>, seen: Seen) {
    this.dropsUsage = !reading.usageAsked && wire.withoutUsage !== undefined
    this.hidesFailures = failure !== undefined
    this.#wire = wire
    this.#seen = seen
  }

  /** The piece itself where nothing is done; else what is left of the frames that ended in it. */
  pass(piece: Uint8Array, frames: readonly MeteredFrame[]): Uint8Array {
    if (this.#isOff || (!this.dropsUsage && !this.hidesFailures)) return piece
    return concat(...frames.map(([frame, value]) => this.#frame(frame, value)))
  }

  /** From now on the answer passes without it. */
  stop(): void {
    this.#isOff = true
  }

  #frame(frame: Frame, value: FrameValue | null): Uint8Array {
    if (this.hidesFailures && this.#seen.failed !== null) this.withheld ||= value !== null && this.#fails(value)
    if (this.withheld) return new Uint8Array(0)
    if (value === null || !this.dropsUsage) return frame.bytes
    const kept = this.#wire.withoutUsage?.(value) ?? null
    if (kept === value) return frame.bytes
    return kept === null ? new Uint8Array(0) : encoder.encode(`data: ${JSON.stringify(kept)}\n\n`)
  }

  /** Whether it is this frame that says that the answer failed. */
  #fails(value: FrameValue): boolean {
    const seen = new Seen()
    this.#wire.observe(value, seen)
    return seen.failed !== null
  }
}

// Reads along while an answer passes: frames in, and at any moment what has been used and what it costs.
import type { FrameValue, Wire } from './dialects/dialect.ts'
import { type Frame, FrameSplitter } from './frames.ts'
import { isObject } from './json.ts'
import type { Hold } from './ledger/admission.ts'
import type { NanoUsd } from './money.ts'
import { costOf, UNUSED, type Used } from './pricing.ts'
import type { Outcome } from './schema.ts'
import { Seen } from './seen.ts'
import { vendorCharge } from './vendors/vendor-charge.ts'
import type { CacheWrite } from './vendors/vendor-request.ts'

export interface Metered {
  used: Used
  costNano: NanoUsd
  /** Some count was not the upstream's own. */
  estimated: boolean
}

export interface Bounds {
  /** The most input tokens that the request can be. */
  inputBound: number
  /** What stands for an input count that never came from the host. */
  inputEstimate: number
  runs: number
  cacheWrite: CacheWrite
}

/** Nothing used, nothing charged. */
export const NOTHING: Metered = { used: UNUSED, costNano: 0 as NanoUsd, estimated: false }

/** A frame, with its JSON where it has any. */
export type MeteredFrame = [Frame, FrameValue | null]

export class Meter {
  readonly seen = new Seen()
  /** When the first token was delivered, and the first byte; null before. */
  firstTokenMs: number | null = null
  firstByteMs: number | null = null
  readonly #wire: Wire
  readonly #hold: Hold
  readonly #bounds: Bounds
  readonly #startMs: number
  readonly #splitter: FrameSplitter | null

  /** `startMs`: when the upstream was asked. */
  constructor(wire: Wire, hold: Hold, bounds: Bounds, startMs: number) {
    this.#wire = wire
    this.#hold = hold
    this.#bounds = bounds
    this.#startMs = startMs
    this.#splitter = wire.framing === null ? null : new FrameSplitter(wire.framing)
  }

  /** Takes a piece of the answer; returns the frames that it completed, each with its JSON where it has any. */
  push(piece: Uint8Array, nowMs: number): MeteredFrame[] {
    this.firstByteMs ??= nowMs
    const frames = this.#splitter?.push(piece) ?? []
    return frames.map((frame) => [frame, this.#see(frame, nowMs)])
  }

  /** The end of the stream: what was left without a delimiter. */
  end(nowMs: number): MeteredFrame[] {
    const frame = this.#splitter?.rest() ?? null
    return frame === null ? [] : [[frame, this.#see(frame, nowMs)]]
  }

  /** What was taken of a frame that has not ended yet. */
  held(): Uint8Array {
    return this.#splitter?.held ?? new Uint8Array(0)
  }

  /** Takes a whole answer that does not come as a stream. */
  whole(value: FrameValue, nowMs: number): void {
    this.firstByteMs ??= nowMs
    this.#wire.observe(value, this.seen)
    if (this.seen.terminated) this.firstTokenMs ??= nowMs
  }

  #see(frame: Frame, nowMs: number): FrameValue | null {
    const value = frameValue(frame.data)
    if (value === null) return null
    this.#wire.observe(value, this.seen)
    if (this.seen.estimate > 0) this.firstTokenMs ??= nowMs
    return value
  }

  /** What a request that ends so is charged for. */
  metered(outcome: Exclude<Outcome, 'expired'>, nowMs: number): Metered {
    const charge = this.#hold.upstream === 'ollama' ? this.#hostCharge(outcome, nowMs) : this.#vendorCharge(outcome, nowMs)
    return charge === null ? NOTHING : { ...charge, costNano: costOf(this.#hold.price, charge.used) }
  }

  #vendorCharge(outcome: Exclude<Outcome, 'expired'>, nowMs: number) {
    const { inputBound, cacheWrite, runs } = this.#bounds
    const bounds = { inputBound, cacheWrite, outputMost: this.#hold.outputLimit * runs }
    return vendorCharge(outcome, this.seen, bounds, { begun: this.firstTokenMs !== null, elapsedMs: nowMs - this.#startMs })
  }

  /**
   * Of the host's work: reported counts where they came; else the estimate of what was delivered, and of the input its bound, so that no way of
   * ending early is cheaper than reading to the end. Null, nothing at all, where nothing was delivered.
   */
  #hostCharge(outcome: Exclude<Outcome, 'expired'>, nowMs: number): Pick<Metered, 'used' | 'estimated'> | null {
    const { seen } = this
    const earned = outcome === 'completed' ? this.#answered() : this.firstTokenMs !== null
    if (!earned) return null
    // Zero for an answer that has text is no count: the host's repetition guard leaves it so.
    const counted = seen.output !== null && !(seen.output === 0 && seen.estimate > 0)
    const inputCounted = counted && seen.input !== null
    const input = inputCounted ? (seen.input ?? 0) : this.#bounds.inputEstimate
    const twice = this.#bounds.runs > 1 ? seen.thinking : 0
    const most = this.#hold.outputLimit * this.#bounds.runs
    const output = counted ? (seen.output ?? 0) + twice : Math.min(seen.estimate, most)
    const cached = inputCounted ? Math.min(seen.cached, input) : 0
    const gpuMs = seen.gpuMs ?? this.#wallMs(outcome, nowMs)
    return { used: { ...UNUSED, input, cached, output, gpuMs }, estimated: !inputCounted || twice > 0 }
  }

  /** Whether a complete answer is one that was worked for, not one that says that a model was loaded. */
  #answered(): boolean {
    return this.#wire.framing === null || this.seen.estimate > 0 || (this.seen.output ?? 0) > 0
  }

  /**
   * GPU time where the host reports none. Of a complete stream from its first byte on, since the wait before may have been for others;
   * of one that ended early from when the host was asked, or the reading of the prompt would be free; of an answer in one piece likewise.
   */
  #wallMs(outcome: Outcome, nowMs: number): number {
    const complete = outcome === 'completed' && this.#wire.framing !== null
    return Math.max(0, nowMs - (complete ? (this.firstByteMs ?? nowMs) : this.#startMs))
  }
}

function frameValue(data: string | null): FrameValue | null {
  if (data === null) return null
  if (data === '[DONE]') return data
  try {
    const value: unknown = JSON.parse(data)
    return isObject(value) ? value : null
  } catch {
    return null
  }
}

// Reads along while an answer passes: frames in, and at any moment what has been used and what it costs.
import type { Dialect, FrameValue } from './dialects/dialect.ts'
import { type Frame, FrameSplitter } from './frames.ts'
import { isObject } from './json.ts'
import type { Hold } from './ledger/admission.ts'
import type { NanoUsd } from './money.ts'
import { costOf, type Used } from './pricing.ts'
import type { Outcome } from './schema.ts'
import { Seen } from './seen.ts'

export interface Metered {
  used: Used
  costNano: NanoUsd
  /** Some count was not the host's own. */
  estimated: boolean
}

export interface Bounds {
  /** What stands for an input count that never came. */
  inputEstimate: number
  runs: number
}

/** Nothing used, nothing charged. */
export const NOTHING: Metered = { used: { input: 0, cached: 0, output: 0, gpuMs: 0 }, costNano: 0 as NanoUsd, estimated: false }

export class Meter {
  readonly seen = new Seen()
  /** When the first token was delivered, and the first byte; null before. */
  firstTokenMs: number | null = null
  firstByteMs: number | null = null
  readonly #dialect: Dialect
  readonly #hold: Hold
  readonly #bounds: Bounds
  readonly #startMs: number
  readonly #splitter: FrameSplitter | null

  /** `startMs`: when the host was asked. */
  constructor(dialect: Dialect, hold: Hold, bounds: Bounds, startMs: number) {
    this.#dialect = dialect
    this.#hold = hold
    this.#bounds = bounds
    this.#startMs = startMs
    this.#splitter = dialect.framing === null ? null : new FrameSplitter(dialect.framing)
  }

  /** Takes a piece of the answer; returns the frames that it completed, each with its JSON where it has any. */
  push(piece: Uint8Array, nowMs: number): [Frame, FrameValue | null][] {
    this.firstByteMs ??= nowMs
    const frames = this.#splitter?.push(piece) ?? []
    return frames.map((frame) => [frame, this.#see(frame, nowMs)])
  }

  /** The end of the stream: what was left without a delimiter. */
  end(nowMs: number): [Frame, FrameValue | null][] {
    const frame = this.#splitter?.rest() ?? null
    return frame === null ? [] : [[frame, this.#see(frame, nowMs)]]
  }

  /** Takes a whole answer that does not come as a stream. */
  whole(value: FrameValue, nowMs: number): void {
    this.firstByteMs ??= nowMs
    this.#dialect.observe(value, this.seen)
    if (this.seen.terminated) this.firstTokenMs ??= nowMs
  }

  #see(frame: Frame, nowMs: number): FrameValue | null {
    const value = frameValue(frame.data)
    if (value === null) return null
    this.#dialect.observe(value, this.seen)
    if (this.seen.estimate > 0) this.firstTokenMs ??= nowMs
    return value
  }

  /**
   * What a request that ends so is charged for. Reported counts where they came; else the estimate of what was delivered, and of the input its
   * bound, so that no way of ending early is cheaper than reading to the end. Nothing at all where nothing was delivered.
   */
  metered(outcome: Exclude<Outcome, 'expired'>, nowMs: number): Metered {
    const { seen } = this
    const earned = outcome === 'completed' ? this.#answered() : this.firstTokenMs !== null
    if (!earned) return NOTHING
    // Zero for an answer that has text is no count: the host's repetition guard leaves it so.
    const counted = seen.output !== null && !(seen.output === 0 && seen.estimate > 0)
    const inputCounted = counted && seen.input !== null
    const input = inputCounted ? (seen.input ?? 0) : this.#bounds.inputEstimate
    const twice = this.#bounds.runs > 1 ? seen.thinking : 0
    const most = this.#hold.outputLimit * this.#bounds.runs
    const output = counted ? (seen.output ?? 0) + twice : Math.min(seen.estimate, most)
    const used = {
      input,
      cached: inputCounted ? Math.min(seen.cached, input) : 0,
      output,
      gpuMs: seen.gpuMs ?? this.#wallMs(outcome, nowMs),
    }
    return { used, costNano: costOf(this.#hold.price, used), estimated: !inputCounted || twice > 0 }
  }

  /** Whether a complete answer is one that was worked for, not one that says that a model was loaded. */
  #answered(): boolean {
    return this.#dialect.framing === null || this.seen.estimate > 0 || (this.seen.output ?? 0) > 0
  }

  /**
   * GPU time where the host reports none. Of a complete stream from its first byte on, since the wait before may have been for others;
   * of one that ended early from when the host was asked, or the reading of the prompt would be free; of an answer in one piece likewise.
   */
  #wallMs(outcome: Outcome, nowMs: number): number {
    const complete = outcome === 'completed' && this.#dialect.framing !== null
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

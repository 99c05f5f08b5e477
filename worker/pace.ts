// When to pause between two reads of an answer that passes natively, and when its caller may have stalled. No clock of its own.

/** How long after a pause a read counts as one that did not have to wait, milliseconds. */
const AT_ONCE_MS = 20

export class Pace {
  #wokenMs = Number.NEGATIVE_INFINITY
  /** Bytes since the last pause, and in the time between the two before. */
  #came = 0
  #cameBefore = 0

  /**
   * Takes what a read has drained; returns whether to read on at once. A pause brings much from a stream that flows. Little, but at once, is
   * what comes where the caller has stalled: then nothing but these reads takes from the host, and it would wait for them.
   */
  readsOn(bytes: number, frames: number, nowMs: number): boolean {
    this.#came += bytes
    const little = frames < 2 || bytes * 2 < this.#cameBefore
    return little && nowMs - this.#wokenMs < AT_ONCE_MS
  }

  /** A pause is over. */
  woken(nowMs: number): void {
    this.#wokenMs = nowMs
    this.#cameBefore = this.#came
    this.#came = 0
  }
}

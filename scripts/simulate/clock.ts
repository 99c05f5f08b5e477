// Virtual time: one clock that moves Date.now, setTimeout and the database; nothing waits for real.

interface Timer {
  dueMs: number
  run: () => void
}

export class Clock {
  /** What gateways see. It never steps back, as a process does not see it do within a request. */
  nowMs: number
  /** How far the database's clock is from that. */
  databaseLagMs = 0
  readonly #timers = new Map<number, Timer>()
  #count = 0

  constructor(nowMs: number) {
    this.nowMs = nowMs
  }

  get databaseMs(): number {
    return this.nowMs - this.databaseLagMs
  }

  get waiting(): number {
    return this.#timers.size
  }

  set(run: () => void, ms: number): number {
    this.#timers.set(++this.#count, { dueMs: this.nowMs + Math.max(0, ms), run })
    return this.#count
  }

  clear(id: number): void {
    this.#timers.delete(id)
  }

  /** Lets time pass; whatever falls due in between runs at its time, and `settled` waits for what that sets off. */
  async pass(ms: number, settled: () => Promise<void>): Promise<void> {
    const untilMs = this.nowMs + ms
    for (;;) {
      let first: [number, Timer] | null = null
      for (const entry of this.#timers) if (first === null || entry[1].dueMs < first[1].dueMs) first = entry
      if (first === null || first[1].dueMs > untilMs) break
      this.#timers.delete(first[0])
      this.nowMs = Math.max(this.nowMs, first[1].dueMs)
      first[1].run()
      await settled()
    }
    this.nowMs = untilMs
  }

  /** Puts this clock in the place of the machine's, until the function that is returned is called. */
  install(): () => void {
    const { setTimeout, clearTimeout } = globalThis
    const { now } = Date
    Object.assign(globalThis, {
      setTimeout: (run: (...args: unknown[]) => void, ms = 0, ...args: unknown[]) => this.set(() => run(...args), ms),
      clearTimeout: (id: number) => this.clear(id),
    })
    Date.now = () => this.nowMs
    return () => {
      Object.assign(globalThis, { setTimeout, clearTimeout })
      Date.now = now
    }
  }
}

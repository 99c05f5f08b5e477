// What many ask at once is found out once: remembered for a moment, and while it is being found out everybody waits for the same answer.

export class Remembered<T> {
  readonly #ttlMs: number
  #known: { key: string; atMs: number; value: T } | null = null
  #pending: { key: string; promise: Promise<T> } | null = null

  constructor(ttlMs: number) {
    this.#ttlMs = ttlMs
  }

  /**
   * The value for `key`, by `find` if it is not known or too old; a failure is not remembered.
   * `defer` keeps the finding alive if the request that began it goes away: others may wait for it.
   */
  async get(key: string, find: () => Promise<T>, defer: (work: Promise<unknown>) => void): Promise<T> {
    const known = this.#known
    if (known !== null && known.key === key && Date.now() - known.atMs < this.#ttlMs) return known.value
    if (this.#pending?.key === key) return this.#pending.promise
    const promise = find()
    const pending = { key, promise }
    this.#pending = pending
    const settled = promise.then(
      (value) => {
        this.#known = { key, atMs: Date.now(), value }
      },
      () => {},
    )
    defer(
      settled.finally(() => {
        if (this.#pending === pending) this.#pending = null
      }),
    )
    return promise
  }
}

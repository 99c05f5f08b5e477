// Test support: how often an SDK asks.

/** A fetch that counts the attempts made with it. */
export function countedFetch(): { attempts: () => number; fetch: typeof fetch } {
  let attempts = 0
  return {
    attempts: () => attempts,
    fetch: (input, init) => {
      attempts++
      return fetch(input, init)
    },
  }
}

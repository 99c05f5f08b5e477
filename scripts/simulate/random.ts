// Chance that can be had again: the same seed gives the same numbers, on every machine.

export interface Random {
  /** A whole number from 0 to `below` - 1. */
  below(below: number): number
  between(least: number, most: number): number
  chance(percent: number): boolean
  pick<T>(from: readonly T[]): T
  /** One of them, as often as its weight says. */
  weighted<T>(from: readonly (readonly [weight: number, value: T])[]): T
}

/** sfc32 of Chris Doty-Humphrey's PractRand, seeded by 12 rounds as he does: small, fast, and no pattern that a schedule could see. */
export function randomOf(seed: number): Random {
  let [a, b, c, count] = [0, seed | 0, 0x9e3779b9 | 0, 1]
  const next = (): number => {
    const result = (((a + b) | 0) + count) | 0
    count = (count + 1) | 0
    a = b ^ (b >>> 9)
    b = (c + (c << 3)) | 0
    c = (((c << 21) | (c >>> 11)) + result) | 0
    return result >>> 0
  }
  for (let round = 0; round < 12; round++) next()
  const below = (limit: number) => Math.floor((next() / 2 ** 32) * limit)
  const pick = <T>(from: readonly T[]): T => from[below(from.length)] as T
  return {
    below,
    pick,
    between: (least, most) => least + below(most - least + 1),
    chance: (percent) => below(100) < percent,
    weighted<T>(from: readonly (readonly [number, T])[]): T {
      let left = below(from.reduce((sum, [weight]) => sum + weight, 0))
      for (const [weight, value] of from) {
        if (left < weight) return value
        left -= weight
      }
      throw new Error('nothing to choose from')
    },
  }
}

// Money: integers of one nano-dollar inside, decimal strings of dollars at the edges, never a float.

declare const nanoUsd: unique symbol
/** Whole nano-dollars (10⁻⁹ USD), a safe integer. */
export type NanoUsd = number & { readonly [nanoUsd]: true }

/** $9,000,000: under 2^53 nano-dollars with room for a sum, so that neither JavaScript nor D1's JSON rounds it. */
export const MONEY_MAX_NANO = 9_000_000_000_000_000 as NanoUsd

/** Asserts that a number is a whole, safe amount. Throws RangeError. */
export function nanoUsdOf(amount: number): NanoUsd {
  if (!Number.isSafeInteger(amount)) throw new RangeError(`not a whole number of nano-dollars: ${amount}`)
  return amount as NanoUsd
}

/**
 * Reads a decimal string as a whole number of 10^-scale units: ('0.003', 9) → 3000000.
 * Returns null for anything that is not a plain, non-negative decimal, that has more digits than the scale holds, or is over `max`.
 */
export function parseDecimal(text: string, scale: number, max: number): number | null {
  const match = /^(\d{1,16})(?:\.(\d+))?$/.exec(text.trim())
  if (!match) return null
  const fraction = (match[2] ?? '').replace(/0+$/, '')
  if (fraction.length > scale) return null
  const units = BigInt((match[1] as string) + fraction.padEnd(scale, '0'))
  return units <= BigInt(max) ? Number(units) : null
}

/** Dollars as a decimal string → nano-dollars; null where `parseDecimal` says so. */
export function parseUsd(text: string): NanoUsd | null {
  return parseDecimal(text, 9, MONEY_MAX_NANO) as NanoUsd | null
}

/** A whole number of 10^-scale units as the shortest exact decimal: (3000000, 9) → '0.003'. */
export function formatDecimal(units: number | bigint, scale: number): string {
  const value = BigInt(units)
  const digits = (value < 0n ? -value : value).toString().padStart(scale + 1, '0')
  const fraction = digits.slice(digits.length - scale).replace(/0+$/, '')
  return `${value < 0n ? '-' : ''}${digits.slice(0, digits.length - scale)}${fraction ? `.${fraction}` : ''}`
}

/** Nano-dollars → dollars as the shortest exact decimal: 3000000 → '0.003'. */
export function formatUsd(amount: number): string {
  return formatDecimal(nanoUsdOf(amount), 9)
}

// Dollars a token, as price lists have them in JSON → whole pico-dollars, exactly or not at all.

/**
 * A JSON number of dollars as whole pico-dollars (10⁻¹² USD): 1.25e-7 → 125000. It is taken by its digits, since 3e-7 × 10¹² in floats need not be
 * 300000. Returns null where it is negative, not finite, or has digits below a pico-dollar.
 */
export function picoOf(dollars: number): number | null {
  const match = /^(\d+)(?:\.(\d+))?(?:e([+-]\d+))?$/.exec(String(dollars))
  if (!match) return null
  const [, whole = '', fraction = '', exponent = '0'] = match
  const shift = 12 + Number(exponent) - fraction.length
  const digits = BigInt(whole + fraction)
  if (shift >= 0) return safe(digits * 10n ** BigInt(shift))
  const divisor = 10n ** BigInt(-shift)
  return digits % divisor === 0n ? safe(digits / divisor) : null
}

function safe(pico: bigint): number | null {
  return pico <= BigInt(Number.MAX_SAFE_INTEGER) ? Number(pico) : null
}

// What the operator adds to a vendor's price: a percentage, exactly, rounded up to the next pico-dollar.
import { InvalidArgumentError } from 'commander'
import { parseDecimal } from '../../worker/money.ts'

const DECIMALS = 4
const PERCENT_MAX = 1000
/** Of a markup of 100 %. */
const WHOLE = 100n * 10n ** BigInt(DECIMALS)

/** A markup in ten-thousandths of a percent. */
export type Markup = number

/** 20% or 12.5% → ten-thousandths of a percent. */
export function markup(text: string): Markup {
  const units = /^[\d.]+%$/.test(text) ? parseDecimal(text.slice(0, -1), DECIMALS, PERCENT_MAX * 10 ** DECIMALS) : null
  if (units !== null) return units
  throw new InvalidArgumentError(
    `It has to be a percentage such as 20% or 12.5%, at most ${PERCENT_MAX}%, with at most ${DECIMALS} decimals.`,
  )
}

/** A price with the markup on top. */
export function marked(pico: number, by: Markup): number {
  return Number((BigInt(pico) * (WHOLE + BigInt(by)) + WHOLE - 1n) / WHOLE)
}

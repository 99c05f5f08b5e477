// From exact nano-dollars to cents: rounded once for an invoice, and what is left over goes to the next one.
import { formatDecimal } from '../../worker/money.ts'

const CENT_NANO = 10_000_000n
/** Hundredths of a percent that are the whole. */
const WHOLE_BP = 10_000n

export interface Due {
  netCents: bigint
  /** 0 to 9,999,999. */
  remainderNano: bigint
  taxCents: bigint
  totalCents: bigint
}

/** What is owed for so many nano-dollars, the remainder of the document before among them. */
export function dueOf(nano: bigint, taxBp: number): Due {
  const remainderNano = ((nano % CENT_NANO) + CENT_NANO) % CENT_NANO
  const netCents = (nano - remainderNano) / CENT_NANO
  const taxCents = taxOf(netCents, taxBp)
  return { netCents, remainderNano, taxCents, totalCents: netCents + taxCents }
}

/** Rounded half up, of the amount without its sign, so that a credit takes back the cents that were charged. */
export function taxOf(netCents: bigint, taxBp: number): bigint {
  const size = netCents < 0n ? -netCents : netCents
  const tax = (size * BigInt(taxBp) + WHOLE_BP / 2n) / WHOLE_BP
  return netCents < 0n ? -tax : tax
}

/**
 * What is taken back of an invoice by a credit of so many cents (above zero), where `leftCents` of its net were not credited yet.
 * Its tax is the difference of the taxes before and after, so that credits of all of it take back exactly its tax.
 */
export function creditOf(creditCents: bigint, leftCents: bigint, taxBp: number): Pick<Due, 'netCents' | 'taxCents' | 'totalCents'> {
  const taxCents = taxOf(leftCents - creditCents, taxBp) - taxOf(leftCents, taxBp)
  return { netCents: -creditCents, taxCents, totalCents: taxCents - creditCents }
}

export function nanoOfCents(cents: bigint): bigint {
  return cents * CENT_NANO
}

/** 1234.50: always two decimals. */
export function formatCents(cents: bigint): string {
  const digits = (cents < 0n ? -cents : cents).toString().padStart(3, '0')
  return `${cents < 0n ? '-' : ''}${digits.slice(0, -2)}.${digits.slice(-2)}`
}

/** Nano-dollars, exactly and as short as that goes, with two decimals at the least: 0.50, 0.000000001. */
export function formatAmount(nano: bigint): string {
  const text = formatDecimal(nano, 9)
  const decimals = text.split('.')[1]?.length ?? 0
  if (decimals >= 2) return text
  return `${text}${decimals === 0 ? '.' : ''}${'0'.repeat(2 - decimals)}`
}

// A reconciliation for people and for programs.

import { formatDecimal } from '../../worker/money.ts'
import { markupText } from './import-table.ts'
import type { Markup } from './markup.ts'
import type { Charged } from './reconcile-charges.ts'
import { type Compared, type Comparison, drift, sumOf } from './reconcile-compare.ts'
import { nearestNano } from './reconcile-price.ts'
import { type Column, dayName, dollars, plural, table, thousands, usd } from './table.ts'
import { KINDS, type Kind } from './vendor-export.ts'

const TITLES: Record<Kind, string> = { input: 'input', cached: 'cached', write: 'cache write', writeLong: 'long write', output: 'output' }

export function comparisonText(comparison: Comparison, tolerance: Markup): string {
  const { rows, total, charges } = comparison
  const last = { day: null, model: '', ledger: total.ledger, vendor: total.vendor, driftNano: total.driftNano }
  const shown: Line[] = [...rows.map(lineOf), last]
  const legend = 'Each cell: ledger / vendor and the difference, or one number where they agree; drift: the vendor beyond the ledger.'
  return [
    table(shown, columnsFor(shown)),
    ...(rows.some(differs) ? [legend] : []),
    ...(charges === null ? [] : ['', chargesText(charges), '']),
    verdict(comparison, tolerance),
  ].join('\n')
}

interface Line extends Pick<Compared, 'model' | 'ledger' | 'vendor'> {
  /** Null: the total. */
  day: number | null
  driftNano: bigint | null
}

function lineOf({ driftPico, ...row }: Compared): Line {
  return { ...row, driftNano: driftPico === null ? null : nearestNano(driftPico) }
}

function differs(row: Pick<Compared, 'ledger' | 'vendor'>): boolean {
  return KINDS.some((kind) => drift(row)[kind] !== 0)
}

function columnsFor(lines: Line[]): Column<Line>[] {
  const kinds = KINDS.filter((kind) => lines.some(({ ledger, vendor }) => (ledger?.tokens[kind] ?? 0) + (vendor?.tokens[kind] ?? 0) > 0))
  return [
    { title: 'day', value: ({ day }) => (day === null ? 'total' : dayName(day)) },
    { title: 'model', value: ({ model }) => model },
    { title: 'requests', value: ({ ledger, vendor }) => both(ledger?.requests ?? 0, vendor === null ? 0 : vendor.requests), right: true },
    ...kinds.map(
      (kind): Column<Line> => ({
        title: TITLES[kind],
        value: ({ ledger, vendor }) => both(ledger?.tokens[kind] ?? 0, vendor?.tokens[kind] ?? 0),
        right: true,
      }),
    ),
    { title: 'drift', value: (line) => signed(sumOf(drift(line))), right: true },
    { title: 'drift in $', value: ({ driftNano }) => (driftNano === null ? '?' : dollars(driftNano)), right: true },
    { title: '', value: ({ ledger, vendor }) => (ledger === null ? 'only at the vendor' : vendor === null ? 'only in the ledger' : '') },
  ]
}

/** 12, or 12 / 14 +2; the vendor's is null where it does not count. */
function both(ledger: number, vendor: number | null): string {
  if (vendor === null || vendor === ledger) return thousands(ledger)
  return `${thousands(ledger)} / ${thousands(vendor)} ${signed(vendor - ledger)}`
}

function signed(count: number): string {
  return count > 0 ? `+${thousands(count)}` : thousands(count)
}

function verdict({ driftTokens, vendorTokens, agrees }: Comparison, tolerance: Markup): string {
  if (driftTokens === 0) return `The ledger and the vendor agree on every token of the month: ${thousands(vendorTokens)}.`
  const of =
    vendorTokens === 0 ? 'and the vendor counts none' : `${percent(driftTokens, vendorTokens)} of the vendor's ${thousands(vendorTokens)}`
  const said = `${plural(driftTokens, 'token')} by model and kind over the month, ${of}`
  return agrees
    ? `The ledger and the vendor agree within ${markupText(tolerance)}: they differ in ${said}.`
    : `The ledger and the vendor DISAGREE by more than ${markupText(tolerance)}: they differ in ${said}.`
}

/** In ten-thousandths of a percent, rounded up, so that a difference never shows as none. */
function percent(part: number, whole: number): string {
  return `${formatDecimal((BigInt(part) * 1_000_000n + BigInt(whole) - 1n) / BigInt(whole), 4)}%`
}

function chargesText(charges: Charged[]): string {
  const total = sumOfCharges(charges)
  return table<Charged>(
    [...charges, { what: 'total', ...total }],
    [
      { title: 'charges', value: ({ what }) => what },
      { title: 'vendor charged', value: ({ chargedNano }) => (chargedNano === null ? '-' : dollars(chargedNano)), right: true },
      { title: 'customers billed', value: ({ billedNano }) => dollars(billedNano), right: true },
      {
        title: 'margin',
        value: ({ chargedNano, billedNano }) => (chargedNano === null ? '-' : dollars(billedNano - chargedNano)),
        right: true,
      },
    ],
  )
}

function sumOfCharges(charges: Charged[]): { chargedNano: bigint; billedNano: bigint } {
  const sum = (amount: (charge: Charged) => bigint | null) => charges.reduce((before, charge) => before + (amount(charge) ?? 0n), 0n)
  return { chargedNano: sum(({ chargedNano }) => chargedNano), billedNano: sum(({ billedNano }) => billedNano) }
}

export function comparisonJson({ rows, total, charges, ...found }: Comparison, tolerance: Markup) {
  return {
    agrees: found.agrees,
    tolerance: markupText(tolerance),
    drift_tokens: found.driftTokens,
    vendor_tokens: found.vendorTokens,
    rows: rows.map(({ day, driftPico, ...row }) => ({
      day: dayName(day),
      model: row.model,
      only: row.ledger === null ? 'vendor' : row.vendor === null ? 'ledger' : null,
      ...countsJson(row),
      drift_usd: driftPico === null ? null : usd(nearestNano(driftPico)),
    })),
    totals: { ...countsJson(total), drift_usd: usd(total.driftNano) },
    charges: charges === null ? null : { rows: charges.map(chargeJson), totals: chargeJson({ what: 'total', ...sumOfCharges(charges) }) },
  }
}

function countsJson(row: Pick<Compared, 'ledger' | 'vendor'>) {
  const { ledger, vendor } = row
  const names: Record<Kind, string> = {
    input: 'input',
    cached: 'cached',
    write: 'cache_write',
    writeLong: 'cache_write_long',
    output: 'output',
  }
  const tokens = KINDS.map((kind) => {
    const [mine, theirs] = [ledger?.tokens[kind] ?? 0, vendor?.tokens[kind] ?? 0]
    return [`${names[kind]}_tokens`, { ledger: mine, vendor: theirs, drift: theirs - mine }]
  })
  const requests = { ledger: ledger?.requests ?? 0, vendor: vendor === null ? 0 : vendor.requests }
  return { requests, ...Object.fromEntries(tokens) }
}

function chargeJson({ what, chargedNano, billedNano }: Charged) {
  return {
    what,
    charged_usd: chargedNano === null ? null : usd(chargedNano),
    billed_usd: usd(billedNano),
    margin_usd: chargedNano === null ? null : usd(billedNano - chargedNano),
  }
}

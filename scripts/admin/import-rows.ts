// The price rows that an import would append, and how many they are, in words.
import type { NewRow } from './append-prices.ts'
import type { PlannedModel } from './import-plan.ts'
import { isVendor } from './prices.ts'
import { plural } from './table.ts'

/** The row to append; none where nothing changes. A withdrawal repeats the price that it ends. */
export function rowOf({ model, id, vendor, change, before, after }: PlannedModel, withdrawRetired: boolean): NewRow[] {
  const seen = before?.id ?? null
  if (change === 'retired') return withdrawRetired && before?.withdrawn === 0 ? [{ seen, row: { ...before, withdrawn: 1 } }] : []
  if (after === null || change === 'same') return []
  // A fee for each request is the operator's own, and stays on the vendor's model.
  const { requestNano = 0, modelNano = 0 } = before !== null && isVendor(before.upstream) ? before : {}
  const fixed = { requestNano, modelNano, gpuSecondNano: 0, variant: '', withdrawn: 0 }
  return [{ seen, row: { model, upstream: vendor, upstreamModel: id === model ? null : id, ...fixed, ...after } }]
}

/** Wrote 12 prices and withdrew 1. */
export function said(rows: NewRow[], write: string, withdraw: string): string {
  const withdrawals = rows.filter(({ row }) => row.withdrawn === 1).length
  const written = rows.length - withdrawals
  return [
    ...(written === 0 ? [] : [`${write} ${plural(written, 'price')}`]),
    ...(withdrawals === 0 ? [] : [`${written === 0 ? capital(withdraw) : withdraw} ${withdrawals}`]),
  ].join(' and ')
}

const capital = (word: string) => word[0]?.toUpperCase() + word.slice(1)

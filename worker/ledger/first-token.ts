// The time to the first delivered token, as the daily sums keep it: how many had one, the sum, and how many took up to so long.
// Each request is in the smallest column that holds it; what is in none took longer.

export const FIRST_LE_MS = [50, 100, 200, 400, 800, 1600, 3200, 6400, 12_800, 25_600, 51_200] as const

/** Of usage_daily, in the order of `firstSqls`. */
export const FIRST_COLUMNS = ['first_requests', 'first_ms_sum', ...FIRST_LE_MS.map((ms) => `first_le_${ms}`)]

/** What the columns are of rows that have `first_ms`: SQL aggregates, in their order. */
export const firstSqls: readonly string[] = [
  'count(first_ms)',
  'coalesce(sum(first_ms), 0)',
  ...FIRST_LE_MS.map((ms, index) => {
    const above = FIRST_LE_MS[index - 1]
    return `count(iif(first_ms <= ${ms}${above === undefined ? '' : ` AND first_ms > ${above}`}, 1, NULL))`
  }),
]

export interface FirstToken {
  /** Exact; null: no request had one, or all are of before it was kept. */
  averageMs: number | null
  /** 95 of 100 took no longer than this, the bound of a column; null: no request had one, or more than five of 100 took longer than any column holds. */
  p95AtMostMs: number | null
}

/** From sums by the columns' names. */
export function firstTokenOf(sums: Readonly<Record<string, unknown>>): FirstToken {
  const of = (name: string) => Number(sums[name] ?? 0)
  const requests = of('first_requests')
  if (requests === 0) return { averageMs: null, p95AtMostMs: null }
  const rank = Math.ceil((requests * 95) / 100)
  let below = 0
  const p95AtMostMs = FIRST_LE_MS.find((ms) => {
    below += of(`first_le_${ms}`)
    return below >= rank
  })
  return { averageMs: of('first_ms_sum') / requests, p95AtMostMs: p95AtMostMs ?? null }
}

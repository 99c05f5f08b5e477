// Medians and quantiles, and how a figure is written.

/** Nearest rank; `share` from 0 to 1. NaN where there is nothing: what could not be measured is NaN throughout, and is shown as a dash. */
export function quantile(values: readonly number[], share: number): number {
  const sorted = [...values].sort((a, b) => a - b)
  return sorted[Math.max(0, Math.ceil(sorted.length * share) - 1)] ?? Number.NaN
}

/** The middle one, or the mean of the middle two. */
export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b)
  const upper = sorted[Math.floor(sorted.length / 2)] ?? Number.NaN
  const lower = sorted[Math.ceil(sorted.length / 2) - 1] ?? Number.NaN
  return (lower + upper) / 2
}

/** Three significant digits: 0.0460, 4.60, 117, 2,680. */
export function figure(value: number): string {
  if (!Number.isFinite(value)) return '–'
  if (value === 0) return '0'
  if (Math.abs(value) < 0.001) return value.toFixed(4)
  if (Math.abs(value) >= 999.5) return Number(value.toPrecision(3)).toLocaleString('en-US')
  return value.toPrecision(3)
}

/** How many times one value is another: 1.15 ×. */
export function times(value: number, of: number): string {
  const ratio = value / of
  return Number.isFinite(ratio) ? `${ratio >= 99.5 ? figure(ratio) : ratio.toFixed(ratio >= 9.95 ? 1 : 2)} ×` : '–'
}

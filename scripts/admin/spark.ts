// Small pictures in text: a line of bars for a course, a bar for a share.

const HEIGHTS = '▁▂▃▄▅▆▇█'
const EIGHTHS = ['', '▏', '▎', '▍', '▌', '▋', '▊', '▉']

/** A bar a value, and no more than `width`: of more values neighbours are added up. Nothing is a space, so that little can be told from it. */
export function sparkline(values: readonly bigint[], width: number): string {
  const each = Math.max(1, Math.ceil(values.length / width))
  const bars = Array.from({ length: Math.ceil(values.length / each) }, (_, index) =>
    values.slice(index * each, (index + 1) * each).reduce((sum, value) => sum + value, 0n),
  )
  const most = greatest(bars)
  return bars.map((value) => (value <= 0n ? ' ' : HEIGHTS[Number(((value - 1n) * 8n) / most)])).join('')
}

/** As much of `width` as `value` is of `most`, to an eighth of a character. */
export function bar(value: bigint, most: bigint, width: number): string {
  if (value <= 0n || most <= 0n) return ''
  const eighths = Math.max(1, Math.min(width * 8, Number((value * BigInt(width * 8)) / most)))
  return '█'.repeat(Math.floor(eighths / 8)) + EIGHTHS[eighths % 8]
}

/** At least nothing. */
export function greatest(values: readonly bigint[]): bigint {
  let most = 0n
  for (const value of values) if (value > most) most = value
  return most
}

// Scales and marks of a plot, as text of SVG.

export interface Scale {
  /** Pixels from the picture's left or top. */
  (value: number): number
  ticks: number[]
}

/** Evenly for each doubling of the value; `ticks` are the values to be named. */
export function logScale(ticks: number[], fromPx: number, toPx: number): Scale {
  const low = Math.log2(ticks[0] ?? 1)
  const high = Math.log2(ticks.at(-1) ?? 2)
  return Object.assign((value: number) => round(fromPx + ((Math.log2(value) - low) / (high - low)) * (toPx - fromPx)), { ticks })
}

/** From 0. */
export function linearScale(ticks: number[], fromPx: number, toPx: number): Scale {
  return Object.assign((value: number) => round(fromPx + (value / (ticks.at(-1) ?? 1)) * (toPx - fromPx)), { ticks })
}

/** 1, 2, 5, 10, 20 …: those around all of the values. */
export function logTicks(values: readonly number[]): number[] {
  const steps: number[] = []
  for (let power = -4; power <= 7; power++) for (const step of [1, 2, 5]) steps.push(Number(`${step}e${power}`))
  const first = steps.findLastIndex((step) => step <= Math.min(...values))
  const last = steps.findIndex((step) => step >= Math.max(...values))
  return steps.slice(first, Math.max(last, first + 1) + 1)
}

/** From 0 by a step of 1, 2 or 5, to what is at or above the highest of the values; four to eight ticks. */
export function linearTicks(values: readonly number[]): number[] {
  const most = Math.max(...values)
  const step = logTicks([most / 7]).at(-1) ?? 1
  return Array.from({ length: Math.ceil(most / step - 1e-9) + 1 }, (_, index) => Number((index * step).toPrecision(6)))
}

export function text(x: number, y: number, content: string, attributes = ''): string {
  const escaped = content.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;')
  return `<text x="${round(x)}" y="${round(y)}"${attributes ? ` ${attributes}` : ''}>${escaped}</text>`
}

export function line(x1: number, y1: number, x2: number, y2: number, attributes: string): string {
  return `<line x1="${round(x1)}" y1="${round(y1)}" x2="${round(x2)}" y2="${round(y2)}" ${attributes}/>`
}

function round(px: number): number {
  return Math.round(px * 10) / 10
}

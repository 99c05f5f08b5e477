// docs/performance.svg: throughput, time to first token and time per token, side by side, one colour for each subject.
import { FLOOR, GATEWAY, PASS_THROUGH, PEER, UNGROUPED } from './cast.ts'
import type { LoadPoint } from './load.ts'
import { PACED_STREAMS, type PacedRow, USAGE_TAKEN_OUT } from './paced.ts'
import { type Box, barPanel, type Curve, linePanel } from './panel.ts'
import { text } from './svg.ts'

/** Not much wider than a page, so that its words stay as large as the page's. */
const WIDTH = 960
const HEIGHT = 400

/** Told apart also by those who do not see red and green (Okabe and Ito). */
const COLOURS: Record<string, string> = {
  [PASS_THROUGH]: '#7f7f7f',
  [FLOOR]: '#0072b2',
  [UNGROUPED]: '#e69f00',
  [GATEWAY]: '#d55e00',
  [USAGE_TAKEN_OUT]: '#cc79a7',
  [PEER]: '#009e73',
}

export function plot(load: LoadPoint[], paced: PacedRow[]): string {
  const names = Object.keys(COLOURS)
  const curves = (of: (point: LoadPoint) => number): Curve[] =>
    names.map((name) => ({
      colour: colourOf(name),
      points: load
        .filter(({ subject, streaming }) => streaming && subject === name)
        .map((point) => ({ inFlight: point.inFlight, value: of(point) }))
        .filter(({ value }) => Number.isFinite(value)),
    }))
  const bars = names.flatMap((name) => paced.filter(({ subject, p99Ms }) => subject === name && Number.isFinite(p99Ms)))
  const directMs = (row: PacedRow) => row.p50Ms - row.addedMs
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${HEIGHT}" width="${WIDTH}" height="${HEIGHT}" role="img" font-family="-apple-system, 'Segoe UI', 'Noto Sans', Helvetica, Arial, sans-serif" font-size="12" fill="#1f2328">`,
    '<title>Throughput, time to first token and added time per token, by subject</title>',
    // A ground of its own: the page around it may be light or dark.
    `<rect x="0.5" y="0.5" width="${WIDTH - 1}" height="${HEIGHT - 1}" rx="6" fill="#ffffff" stroke="#d0d7de"/>`,
    linePanel(
      box(0),
      'Throughput, streaming',
      'requests a second',
      curves((point) => point.requestsPerSecond),
    ),
    linePanel(
      box(1),
      'Time to first token',
      'milliseconds, median',
      curves((point) => point.firstMs),
    ),
    barPanel(
      box(2),
      'Added time per token',
      'milliseconds, median; thin line: to p99',
      bars.map((row) => ({ colour: colourOf(row.subject), value: row.addedMs, upTo: row.p99Ms - directMs(row) })),
      `${PACED_STREAMS} streams of 50 tokens a second each`,
    ),
    legend(names.filter((name) => bars.some(({ subject }) => subject === name))),
    '</svg>',
    '',
  ].join('\n')
}

function box(index: number): Box {
  const left = 58 + index * 315
  return { left, top: 70, right: left + 250, bottom: 306 }
}

function legend(names: string[]): string {
  // About as wide as the words are.
  const widths = names.map((name) => 50 + name.length * 5.8)
  let x = (WIDTH - widths.reduce((sum, width) => sum + width, 0)) / 2
  const entries = names.map((name, index) => {
    const mark = `<rect x="${Math.round(x)}" y="366" width="12" height="12" rx="2" fill="${colourOf(name)}"/>`
    const entry = mark + text(Math.round(x) + 18, 376, name)
    x += widths[index] ?? 0
    return entry
  })
  return entries.join('\n')
}

function colourOf(subject: string): string {
  return COLOURS[subject] ?? '#1f2328'
}

// One panel of the plot: lines over how many requests are in flight, or bars side by side.
import { LEVELS } from './effort.ts'
import { line, linearScale, linearTicks, logScale, logTicks, type Scale, text } from './svg.ts'

export interface Box {
  left: number
  top: number
  right: number
  bottom: number
}

export interface Curve {
  colour: string
  /** By how many requests are in flight. */
  points: { inFlight: number; value: number }[]
}

export interface Bar {
  colour: string
  value: number
  /** How far the thin line above it reaches. */
  upTo: number
}

const GRID = 'stroke="#e3e6ea"'
const AXIS = 'stroke="#57606a"'

export function linePanel(box: Box, title: string, unit: string, curves: Curve[]): string {
  const x = logScale([...LEVELS], box.left + 12, box.right - 12)
  const y = logScale(logTicks(curves.flatMap(({ points }) => points.map(({ value }) => value))), box.bottom, box.top)
  const marks = curves.map(({ colour, points }) => {
    const at = points.map(({ inFlight, value }) => ({ cx: x(inFlight), cy: y(value) }))
    const path = at.map(({ cx, cy }) => `${cx},${cy}`).join(' ')
    const dots = at.map(({ cx, cy }) => `<circle cx="${cx}" cy="${cy}" r="3" fill="${colour}"/>`)
    return `<polyline points="${path}" fill="none" stroke="${colour}" stroke-width="2"/>${dots.join('')}`
  })
  const names = x.ticks.map((tick) => text(x(tick), box.bottom + 17, String(tick), 'text-anchor="middle"'))
  const below = text((box.left + box.right) / 2, box.bottom + 36, 'requests in flight', 'text-anchor="middle"')
  return [frame(box, title, unit, y), ...names, below, ...marks].join('\n')
}

export function barPanel(box: Box, title: string, unit: string, bars: Bar[], below: string): string {
  const y = linearScale(linearTicks(bars.map(({ upTo }) => upTo)), box.bottom, box.top)
  const slot = (box.right - box.left) / bars.length
  const marks = bars.map(({ colour, value, upTo }, index) => {
    const middle = box.left + slot * (index + 0.5)
    const width = Math.min(36, slot * 0.62)
    const top = y(Math.max(0, value))
    const x = Math.round((middle - width / 2) * 10) / 10
    const bar = `<rect x="${x}" y="${top}" width="${Math.round(width * 10) / 10}" height="${Math.round((box.bottom - top) * 10) / 10}" fill="${colour}"/>`
    const end = y(Math.max(0, upTo))
    const reach = line(middle, top, middle, end, `stroke="${colour}" stroke-width="1.5"`)
    const cap = line(middle - 5, end, middle + 5, end, `stroke="${colour}" stroke-width="1.5"`)
    return [bar, reach, cap, text(middle, box.bottom + 17, value.toPrecision(2), 'text-anchor="middle"')].join('')
  })
  return [frame(box, title, unit, y), ...marks, text((box.left + box.right) / 2, box.bottom + 36, below, 'text-anchor="middle"')].join('\n')
}

/** Title, unit, and the horizontal lines that values are read off. */
function frame(box: Box, title: string, unit: string, y: Scale): string {
  const grid = y.ticks.map((tick) => {
    const named = text(box.left - 8, y(tick) + 4, tick >= 1000 ? tick.toLocaleString('en-US') : String(tick), 'text-anchor="end"')
    return line(box.left, y(tick), box.right, y(tick), GRID) + named
  })
  const base = line(box.left, box.bottom, box.right, box.bottom, AXIS)
  const heading = text(box.left - 40, box.top - 34, title, 'font-size="14" font-weight="600"')
  return [heading, text(box.left - 40, box.top - 16, unit, 'fill="#57606a"'), ...grid, base].join('\n')
}

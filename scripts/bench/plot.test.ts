import { expect, test } from 'vitest'
import { plot } from './plot.ts'
import { exampleResults } from './testing.ts'

const { load, paced } = exampleResults()
const svg = plot(load ?? [], paced ?? [])

test('it is well-formed: every element is closed in order, and no bare sign is left', () => {
  const open: string[] = []
  for (const [, closing, name, , selfClosing] of svg.matchAll(/<(\/?)([a-z]+)((?:\s[a-zA-Z0-9-]+="[^"<]*")*)\s*(\/?)>/g)) {
    if (closing) expect(open.pop()).toBe(name)
    else if (!selfClosing && name !== undefined) open.push(name)
  }
  expect(open).toEqual([])
  const words = svg.replaceAll(/<\/?[a-z]+(?:\s[a-zA-Z0-9-]+="[^"<]*")*\s*\/?>/g, '')
  expect(words).not.toMatch(/[<>]|&(?!amp;|lt;|gt;)/)
  expect(svg).not.toMatch(/NaN|Infinity|undefined/)
})

test('a known point lands where its axes say', () => {
  // Throughput of the floor: 250 a second, on an axis from 100 (at 306) to 1,000 (at 70); 8 in flight is the middle of 70 to 296.
  const height = 306 - (Math.log2(250 / 100) / Math.log2(10)) * 236
  expect(svg).toContain(`<circle cx="183" cy="${Math.round(height * 10) / 10}" r="3" fill="#0072b2"/>`)
})

test('a bar is as high as its value', () => {
  // The pass-through adds 0.2 ms, on an axis from 0 (at 306) to 1.4 ms (at 70): 33.7 px.
  expect(svg).toMatch(/<rect x="[\d.]+" y="272.3" width="[\d.]+" height="33.7" fill="#7f7f7f"\/>/)
})

test('nothing lies outside of the picture', () => {
  const [, width, height] = /viewBox="0 0 (\d+) (\d+)"/.exec(svg) ?? []
  for (const [, x] of svg.matchAll(/ c?x\d?="([\d.-]+)"/g)) expect(Number(x)).toSatisfy((at: number) => at >= 0 && at <= Number(width))
  for (const [, y] of svg.matchAll(/ c?y\d?="([\d.-]+)"/g)) expect(Number(y)).toSatisfy((at: number) => at >= 0 && at <= Number(height))
})

test('who was not measured has no line and no entry', () => {
  expect(svg).not.toContain('peer')
  expect(svg.match(/<polyline points="\d/g)).toHaveLength(8)
})

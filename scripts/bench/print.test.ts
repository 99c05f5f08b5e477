import { expect, test } from 'vitest'
import { aimsOf } from './aims.ts'
import { asMarkdown, asText } from './print.ts'
import { exampleResults } from './testing.ts'

test('every table of the page has as many cells in each line as it has columns', () => {
  const tables = asMarkdown(exampleResults())
    .split('\n\n')
    .filter((block) => block.startsWith('|'))
  expect(tables.length).toBeGreaterThanOrEqual(11)
  for (const table of tables) {
    // The machine's name with a bar in it is not in a table; a cell's bar would be escaped.
    const counts = table.split('\n').map((line) => line.split(/(?<!\\)\|/).length)
    expect(new Set(counts).size, table).toBe(1)
  }
})

test('a time stands with its ratio to the floor', () => {
  const page = asMarkdown(exampleResults())
  // The gateway is 5 and the floor 4 times the pass-through; with 8 in flight it takes 5 × 8 ms.
  expect(page).toContain('| 8 | gateway | 40.0 (1.25 ×) | 80.0 (1.25 ×) | 120 (1.25 ×) | 200 (0.80 ×) | 5.00 (1.25 ×) |')
  expect(page).toContain('| gateway, usage taken out | 0.900 (4.50 ×) |')
  expect(page).toContain('| 1,000,000 | 0.00900 (1.00 ×) | 1.00 (100 ×) |')
  expect(page).toContain('| direct | – | 0.100 | 0.200 | 0.500 | 0.400 | – |')
})

test('a paid stream stands beside a local one that passes in the same way', () => {
  const page = asMarkdown(exampleResults())
  // 6 and 5 times the direct callers' 8 ms, of which those are taken off: 40 and 32 ms added.
  expect(page).toContain('| 8 | paid | 40.0 (1.25 ×) | 96.0 (1.20 ×) | 144 (1.20 ×) | 167 (0.83 ×) | 6.00 (1.20 ×) |')
  expect(page).toContain('| paid | 0.500 (1.00 ×) | 1.00 (1.00 ×) | 80.0 (1.14 ×) |')
  expect(page).toContain('| 64 | paid, usage taken out | 512 (1.00 ×) |')
  expect(page).toContain('| paid, usage taken out | 1.00 (1.25 ×) |')
  expect(page).not.toContain('| 8 | direct |')
})

test('the page says when, on what and by which command', () => {
  const page = asMarkdown(exampleResults())
  expect(page).toMatch(/^Measured on 2026-11-24 with `npm run bench`: medians of 5 rounds on 2 cores/)
  expect(page).toContain('Node 24.0.0, workerd 1.2')
})

test('aims are told as reached or not, with what was found', () => {
  const found = Object.fromEntries(aimsOf(exampleResults()).map(({ aim, figure, reached }) => [aim, [figure, reached]]))
  expect(found).toMatchObject({
    "first token, 1 in flight, at most 1.15 × the floor's": ['1.25 ×', false],
    "requests a second, 64 in flight, at least 2 × the floor's": ['0.80 ×', false],
    "added time per token at most 1.1 × the pass-through's": ['2.50 ×', false],
    "a paid stream's added first token, 8 in flight, at most 1.1 × a local one's": ['1.25 ×', false],
    "a paid stream's processor time, 64 in flight, at most 1.1 × a local one's": ['1.20 ×', false],
    "a paid stream's added time per token at most 1.1 × a local one's": ['1.00 ×', true],
    'first token with 1,000,000 usage rows at most 1.1 × that with 100': ['1.05 ×', true],
    'the bundle at most 100 KiB, compressed': ['90.0 KiB', true],
  })
  expect(Object.keys(found)).toHaveLength(16)
})

test('what was not measured is left out, and what could not be is no aim reached', () => {
  const results = exampleResults()
  const none = { load: null, paced: null, paid: null, memory: null, scale: null, reports: null, rows: null, start: null }
  const sizeOnly = { ...results, ...none }
  expect(aimsOf(sizeOnly)).toHaveLength(1)
  expect(asText(sizeOnly)).not.toContain('first token')
  const broken = { ...results, load: (results.load ?? []).map((point) => ({ ...point, firstMs: Number.NaN })) }
  expect(aimsOf(broken)[0]).toMatchObject({ figure: '–', reached: false })
})

test('requests that failed are told', () => {
  const results = { ...exampleResults(), failures: [{ what: 'load, round 1: peer', count: 3, first: '503 busy' }] }
  expect(asText(results)).toContain('3 requests failed: load, round 1: peer: 503 busy')
  expect(asMarkdown(results)).toContain('3 requests failed and are left out: load, round 1: peer.')
})

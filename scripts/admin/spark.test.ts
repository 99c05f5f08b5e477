import { expect, test } from 'vitest'
import { bar, sparkline } from './spark.ts'

test('a sparkline goes from the lowest bar to the highest, and nothing is a space', () => {
  expect(sparkline([1n, 2n, 3n, 4n, 5n, 6n, 7n, 8n], 30)).toBe('▁▂▃▄▅▆▇█')
  expect(sparkline([0n, 1n, 1000n, -5n], 30)).toBe(' ▁█ ')
  expect(sparkline([0n, 0n], 30)).toBe('  ')
  expect(sparkline([], 30)).toBe('')
})

test('more values than it is wide are added up with their neighbours', () => {
  expect(sparkline([1n, 1n, 4n, 4n, 2n, 2n], 3)).toBe('▂█▄')
  expect([...sparkline(Array(366).fill(1n), 31)].length).toBeLessThanOrEqual(31)
})

test('a bar is as long as its share, and what is above nothing can be seen', () => {
  expect([bar(8n, 8n, 2), bar(4n, 8n, 2), bar(5n, 16n, 2), bar(1n, 10n ** 18n, 2), bar(0n, 8n, 2), bar(3n, 0n, 2)]).toEqual([
    '██',
    '█',
    '▋',
    '▏',
    '',
    '',
  ])
})

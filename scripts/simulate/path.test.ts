import { expect, test } from 'vitest'
import { formatPath, parsePath } from './path.ts'

test.for([
  [[], '7:'],
  [[0], '7:0'],
  [[0, 1, 2, 5, 7, 8], '7:0-2,5,7-8'],
] as const)('the steps %j are written as %s, and read again', ([only, text]) => {
  expect(formatPath(7, only)).toBe(text)
  expect(parsePath(text)).toEqual({ seed: 7, only: [...only] })
})

test('a seed alone is all of its steps; what is neither is refused', () => {
  expect(parsePath('4294967295')).toEqual({ seed: 4294967295, only: null })
  for (const text of ['', 'x', '-1', '4294967296', '1:a', '1:1,,2', '1:1-', '1.5']) expect(parsePath(text)).toBeNull()
})

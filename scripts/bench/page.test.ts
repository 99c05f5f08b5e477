import { expect, test } from 'vitest'
import { replaceGenerated } from './page.ts'

const page = 'Words.\n<!-- bench:begin -->\nold\n<!-- bench:end -->\nMore words.\n'

test('what stands between the markers is replaced, and nothing else', () => {
  const once = replaceGenerated(page, '| a |\n$& $1')
  expect(once).toBe('Words.\n<!-- bench:begin -->\n| a |\n$& $1\n<!-- bench:end -->\nMore words.\n')
  expect(replaceGenerated(once, 'old')).toBe(page)
})

test.each([
  ['none', 'Words.'],
  ['one', 'a <!-- bench:begin --> b'],
  ['two of one kind', `${page}<!-- bench:begin -->`],
  ['the wrong order', 'a <!-- bench:end --> b <!-- bench:begin --> c'],
])('a page with %s of the markers is refused', (_, broken) => {
  expect(() => replaceGenerated(broken, 'x')).toThrow('bench:begin')
})

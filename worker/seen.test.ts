// The length of a text, counted without the encoder where it is short.
import * as fc from 'fast-check'
import { expect, test } from 'vitest'
import { byteLength } from './seen.ts'

test('the bytes of a text are those of its UTF-8, whatever is in it', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'binary', maxLength: 100 }), (text) => {
      expect(byteLength(text)).toBe(new TextEncoder().encode(text).byteLength)
    }),
  )
  expect([byteLength(''), byteLength('warm'), byteLength('wärm'), byteLength('\ud800'), byteLength('a'.repeat(65))]).toEqual([
    0, 4, 5, 3, 65,
  ])
})

// When an answer that passes natively is read on at once: a stream that flows, one that stalls, and what looks like it.
import { expect, test } from 'vitest'
import { Pace } from './pace.ts'

/** A pace that has seen `bytes` in the pause before. */
function after(bytes: number): Pace {
  const pace = new Pace()
  pace.readsOn(bytes, 25, 0)
  pace.woken(500)
  return pace
}

test('a stream that flows is read once after a pause', () => {
  const pace = after(5750)
  expect(pace.readsOn(5750, 25, 501)).toBe(false)
  pace.woken(1000)
  // Twice as fast, and half as fast: 12 tokens in half a second
  expect(pace.readsOn(11_500, 50, 1001)).toBe(false)
  expect(after(5750).readsOn(2990, 13, 501)).toBe(false)
})

test('of a stream that is slow one token is waited for, and none after it', () => {
  expect(after(230).readsOn(230, 1, 501)).toBe(true)
  expect(after(230).readsOn(230, 1, 700)).toBe(false)
})

test('where little comes at once the host is read until it has to be waited for', () => {
  const pace = after(5750)
  for (let read = 1; read < 25; read++) expect(pace.readsOn(230, 1, 500 + read / 10)).toBe(true)
  expect(pace.readsOn(230, 1, 521)).toBe(false)
})

test('so it is where several tokens come with each read', () => {
  // Pieces of 16 KiB after a pause that brought 100 KiB
  expect(after(102_400).readsOn(16_384, 71, 501)).toBe(true)
})

test('before the first pause nothing has stalled', () => {
  expect(new Pace().readsOn(230, 1, 10)).toBe(false)
})

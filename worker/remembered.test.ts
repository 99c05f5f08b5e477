// Many ask at once, one finds out.
import { expect, test } from 'vitest'
import { Remembered } from './remembered.ts'

const keep = (work: Promise<unknown>) => void work

test('who asks while it is being found out waits for the same answer, and who asks later gets it remembered', async () => {
  const remembered = new Remembered<number>(60_000)
  const found = Promise.withResolvers<number>()
  let searches = 0
  const find = () => {
    searches++
    return found.promise
  }
  const asked = Array.from({ length: 100 }, () => remembered.get('a', find, keep))
  found.resolve(7)
  expect(new Set(await Promise.all(asked))).toEqual(new Set([7]))
  expect(await remembered.get('a', find, keep)).toBe(7)
  expect(searches).toBe(1)
})

test('another key, an old answer and a failure are found out anew', async () => {
  const remembered = new Remembered<number>(0)
  let searches = 0
  const find = async () => ++searches
  expect([await remembered.get('a', find, keep), await remembered.get('b', find, keep), await remembered.get('b', find, keep)]).toEqual([
    1, 2, 3,
  ])
  await expect(remembered.get('b', () => Promise.reject(new Error('no')), keep)).rejects.toThrow('no')
  expect(await remembered.get('b', find, keep)).toBe(4)
})

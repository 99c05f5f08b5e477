// The moved clock: every reading of the time is moved, and one that would not be is refused.
import { expect, test } from 'vitest'
import { movedSql } from './clock.ts'

test('each reading of the clock is moved by the same seconds', () => {
  const sql = "SELECT CAST(unixepoch('subsec') * 1000 AS INTEGER), unixepoch() / 86400"
  expect(movedSql(sql, { aheadSeconds: -60 })).toBe(
    "SELECT CAST((unixepoch('subsec') + (-60)) * 1000 AS INTEGER), (unixepoch() + (-60)) / 86400",
  )
})

test('arithmetic of days stays as it is', () => {
  const sql = "unixepoch((day) * 86400, 'unixepoch', 'start of month') / 86400"
  expect(movedSql(sql, { aheadSeconds: -60 })).toBe(sql)
})

test.each(["strftime('%Y', 'now')", 'SELECT CURRENT_TIMESTAMP'])('a clock that would not be moved is refused: %s', (sql) => {
  expect(() => movedSql(sql, { aheadSeconds: -60 })).toThrow('a clock that is not moved')
})

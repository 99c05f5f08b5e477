// D1's troubles, told apart by its own words.
import { expect, test } from 'vitest'
import { ledgerError } from '../request-story.ts'
import { d1Trouble, retryTransient } from './retry.ts'

const DAILY =
  "D1_ERROR: Your account has exceeded D1's free tier daily row write limit. Upgrade to a paid plan or wait until tomorrow (midnight UTC) to continue."

test('busy, used up for the day, and a fault of ours are three things', () => {
  expect(d1Trouble(new Error('D1_ERROR: D1 DB is overloaded. Too many requests queued.'))).toBe('busy')
  expect(d1Trouble(new Error('D1_ERROR', { cause: new Error('Network connection lost.') }))).toBe('busy')
  expect(d1Trouble(new Error('D1_ERROR: database is locked: SQLITE_BUSY'))).toBe('busy')
  expect(d1Trouble(new Error(DAILY))).toBe('day_used_up')
  expect(d1Trouble(new Error('D1_ERROR: no such table: holds: SQLITE_ERROR'))).toBe('fault')
})

test('a caller is told to come back soon, or at 00:00 UTC, or nothing of a fault', () => {
  expect(ledgerError(new Error('D1 DB is overloaded.'))).toMatchObject({ code: 'ledger_unavailable', details: { retryAfterSeconds: 2 } })
  const untilMidnight = ledgerError(new Error(DAILY)).details.retryAfterSeconds ?? 0
  expect(Math.abs(Math.ceil((new Date().setUTCHours(24, 0, 0, 0) - Date.now()) / 1000) - untilMidnight)).toBeLessThanOrEqual(1)
  const fault = ledgerError(new Error('no such table: secret_table'))
  expect([fault.code, fault.message]).toEqual(['internal_error', 'The gateway failed: the operator has the cause.'])
})

test('a passing failure is tried once more, an overload and a fault are not', async () => {
  const failing = (message: string) => {
    let calls = 0
    const call = () => {
      calls++
      return Promise.reject(new Error(message))
    }
    return retryTransient(call).catch(() => calls)
  }
  expect(await failing('Network connection lost.')).toBe(2)
  expect(await failing('D1 DB is overloaded.')).toBe(1)
  expect(await failing('no such column')).toBe(1)
})

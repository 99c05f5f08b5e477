// Payments on a real D1: found by what Stripe calls them, however many there are.
import { beforeAll, expect, test } from 'vitest'
import type { NanoUsd } from '../money.ts'
import { db, makeCustomer, migrate, usd } from '../testing/ledger.ts'
import { POST, payerOf, payerSql, postPayment } from './payments.ts'

beforeAll(migrate)

const planOf = async (sql: string, ...params: unknown[]) => {
  const { results } = await db
    .prepare(`EXPLAIN QUERY PLAN ${sql}`)
    .bind(...params)
    .all<{ detail: string }>()
  return results.map(({ detail }) => detail).filter((detail) => /\b(payments|p)\b/.test(detail))
}

const payment = (customerId: number, event: string, amount: number) => ({
  customerId,
  id: `stripe:${event}`,
  amountNano: amount as NanoUsd,
  reference: 'pi_1',
  reason: '',
})

test('a refund finds the payment that it is of by an index, and so does the look for one that was booked before', async () => {
  const one = ['SEARCH payments USING INDEX payments_by_reference (reference=?)']
  expect(await planOf(payerSql('in'), 'pi_1')).toEqual(one)
  expect(await planOf(payerSql('back'), 'pi_1')).toEqual(one)
  expect((await planOf(POST, JSON.stringify(payment(1, 'evt_1', usd('5'))))).join()).toMatch(
    /^SEARCH p USING (COVERING )?INDEX payments_by_reference/,
  )
})

test('money of one name is known by its direction, and counts once in each', async () => {
  const customer = await makeCustomer({ prepaid: '0' })
  expect(await payerOf(db, 'pi_1', 'in')).toBeNull()
  expect(await postPayment(db, payment(customer, 'evt_1', usd('5')))).toBe('posted')
  expect(await postPayment(db, payment(customer, 'evt_2', usd('5')))).toBe('posted before')
  expect([await payerOf(db, 'pi_1', 'in'), await payerOf(db, 'pi_1', 'back')]).toEqual([customer, null])
  expect(await postPayment(db, payment(customer, 'evt_3', -usd('2')))).toBe('posted')
  expect(await payerOf(db, 'pi_1', 'back')).toBe(customer)
  const left = db.prepare('SELECT -spent_nano AS nano FROM spend WHERE owner = ?').bind(`p${customer}`)
  expect(await left.first<number>('nano')).toBe(usd('3'))
})

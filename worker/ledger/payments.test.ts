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
  expect(await postPayment(db, payment(customer, 'evt_1', usd('5')))).toEqual({ outcome: 'posted' })
  expect(await postPayment(db, payment(customer, 'evt_2', usd('5')))).toEqual({
    outcome: 'posted before',
    booked: { amountNano: usd('5'), source: 'stripe', bookedMs: expect.any(Number) },
  })
  expect([await payerOf(db, 'pi_1', 'in'), await payerOf(db, 'pi_1', 'back')]).toEqual([customer, null])
  expect(await postPayment(db, payment(customer, 'evt_3', -usd('2')))).toEqual({ outcome: 'posted' })
  expect(await payerOf(db, 'pi_1', 'back')).toBe(customer)
  const left = db.prepare('SELECT -spent_nano AS nano FROM spend WHERE owner = ?').bind(`p${customer}`)
  expect(await left.first<number>('nano')).toBe(usd('3'))
})

const byHand = (customer: number, reference: string, amount: number) =>
  db
    .prepare(
      "INSERT INTO payments (customer_id, id, amount_nano, source, reference, created_ms) VALUES (?, ?, ?, 'manual', ?, 1700000000000)",
    )
    .bind(customer, `manual:${customer} ${reference}`, amount, reference)
    .run()

test('money that was booked by hand under the name that Stripe has for it counts once, and its refund finds who paid', async () => {
  const [customer, other] = [await makeCustomer({ prepaid: '0' }), await makeCustomer({ prepaid: '0' })]
  await byHand(customer, 'pi_hand', usd('5'))
  const told = { ...payment(customer, 'evt_hand', usd('5')), reference: 'pi_hand' }
  expect(await postPayment(db, told)).toEqual({
    outcome: 'posted before',
    booked: { amountNano: usd('5'), source: 'manual', bookedMs: 1_700_000_000_000 },
  })
  expect([await payerOf(db, 'pi_hand', 'in'), await payerOf(db, 'pi_hand', 'back')]).toEqual([customer, null])
  // A name of two customers' books is nobody's.
  await byHand(other, 'pi_hand', usd('1'))
  expect(await payerOf(db, 'pi_hand', 'in')).toBeNull()
})

import { afterAll, beforeAll, expect, test } from 'vitest'
import { makeCustomer, makeKey, priceAll, request, type TestDatabase, testDatabase } from './testing.ts'
import { adjust, invoicing, noon } from './testing-invoices.ts'

let t: TestDatabase
let billing: Awaited<ReturnType<typeof invoicing>>

beforeAll(async () => {
  t = await testDatabase()
  await priceAll(t)
  billing = await invoicing(t)
})
afterAll(() => t.close())

test('a month is closed', async () => {
  const key = await makeKey(t, await makeCustomer(t))
  await request(t, key, { atMs: noon('2026-03-01'), cost: '0.123456789' })
  await adjust(t, key.customerId, '2026-03-05', '-0.01')
  const ran = await billing.admin('close-month', '2026-03', '--yes')
  console.log(ran.out, ran.err)
  console.log(JSON.stringify(await t.db.all('SELECT * FROM invoices'), null, 1), await t.db.all('SELECT * FROM audit_log'))
  expect(ran.code).toBe(0)
})

// Prepaid customers and payments at the command line: what is paid in can be spent, no more; each thing is booked once, with a note of who did it.
import { afterAll, beforeAll, expect, test } from 'vitest'
import { begin, makeCustomer, makeKey, priceAll, request, type TestDatabase, testDatabase } from './testing.ts'

let t: TestDatabase
beforeAll(async () => {
  t = await testDatabase()
  await priceAll(t)
})
afterAll(async () => {
  expect((await t.admin('verify-ledger')).out).toContain('The ledger agrees.')
  await t.close()
})

/** Not done, with a message of one line that holds `said`, and nothing was changed. */
async function refused(code: number, said: string, ...args: string[]): Promise<void> {
  const before = await t.dump()
  const ran = await t.admin(...args)
  expect([ran.code, ran.out, ran.err.trim().split('\n').length], ran.err).toEqual([code, '', 1])
  expect(ran.err).toContain(said)
  expect(await t.dump()).toBe(before)
}

const audits = () => t.db.all('SELECT who, command, target, before, after FROM audit_log ORDER BY id DESC LIMIT 1')
const left = async (customer: number) => (await t.admin('check-budget', String(customer), '--json')).json<{ prepaid: unknown }>().prepaid

test('a prepaid customer spends what was paid in, and no more', async () => {
  const customer = await makeCustomer(t, '--prepaid')
  const key = await makeKey(t, customer)
  await expect(request(t, key)).rejects.toThrow('budget_exceeded')
  const paid = await t.admin('pay', String(customer), '2.5', '--reference', 'transfer 1', '--json')
  expect(paid.json()).toMatchObject({ amount_usd: '2.5', reference: 'transfer 1', left_usd: '2.5' })
  expect(await audits()).toEqual([
    {
      who: 'unknown',
      command: 'pay',
      target: `customer ${customer}`,
      before: null,
      after: expect.stringContaining('"amount_nano":2500000000'),
    },
  ])
  await request(t, key, { cost: '0.4' })
  // Each holds $1: $2.10 is room for two.
  await begin(t, key)
  await begin(t, key)
  await expect(begin(t, key)).rejects.toThrow('budget_exceeded')
  expect(await left(customer)).toEqual({ paid_usd: '2.5', used_usd: '0.4', held_usd: '2', left_usd: '0.1' })
  const { out } = await t.admin('check-budget', String(customer))
  expect(out).toContain('Prepaid: $2.5 paid in, $0.4 used, $2 held by running requests, $0.1 left.')
  expect(out).toContain('All keys: the balance binds, $0.1 is left.')
})

test('money that went back is asked about, and taken off the balance', async () => {
  const customer = await makeCustomer(t, '--prepaid')
  const back = ['pay', String(customer), '4', '--back', '--reference', 'cheque 7']
  await t.admin('pay', String(customer), '10', '--reference', 'cheque 7')
  await refused(2, '--yes', ...back)
  expect((await t.adminIn({ answer: false }, ...back)).err).toContain('not confirmed')
  expect((await t.admin(...back, '--yes')).out).toContain('Booked back $4 to customer')
  expect(await left(customer)).toMatchObject({ paid_usd: '6', left_usd: '6' })
  const { out } = await t.admin('list-payments', String(customer))
  expect(out.trim().split('\n').at(-1)).toBe('2 payments, $6')
  const rows = (await t.admin('list-payments', '--json')).json<{ customer_id: number; amount_usd: string }[]>()
  expect(rows.filter((row) => row.customer_id === customer).map((row) => row.amount_usd)).toEqual(['10', '-4'])
})

test('one payment is booked once, however often it is typed', async () => {
  const customer = await makeCustomer(t, '--prepaid')
  await t.admin('pay', String(customer), '10', '--reference', 'transfer 1')
  await refused(1, "--reference: 'transfer 1'", 'pay', String(customer), '10', '--reference', 'transfer 1')
  await refused(1, 'customer_id: there is no customer 999', 'pay', '999', '10', '--reference', 'transfer 1')
  await refused(2, 'more than 0', 'pay', String(customer), '0', '--reference', 'x')
  await refused(2, '--reference', 'pay', String(customer), '5')
  await refused(1, 'customer_id: there is no customer 999', 'list-payments', '999')
})

test('what Stripe booked is not booked by hand again, in the same direction, and it is said when it was', async () => {
  const customer = await makeCustomer(t, '--prepaid')
  await t.db.all(
    `INSERT INTO payments (customer_id, id, amount_nano, source, reference, created_ms) VALUES (CAST(? AS INTEGER), 'stripe:evt_1', 20000000000, 'stripe', 'pi_aaa1', 1700000000000)`,
    [customer],
  )
  await t.admin('update-customer', String(customer), '--prepaid', '--yes')
  const pay = ['pay', String(customer), '20', '--reference', 'pi_aaa1']
  const said = `--reference: 'pi_aaa1' of customer ${customer} was booked before: $20 from Stripe at 2023-11-14 22:13 (UTC)`
  await refused(1, said, ...pay)
  expect((await t.admin(...pay, '--back', '--yes')).code).toBe(0)
  await refused(1, 'was booked before: -$20 by hand at 2', ...pay, '--back', '--yes')
})

test('a postpaid customer may pay, which changes no budget', async () => {
  const customer = await makeCustomer(t, '--budget', '5')
  const { out } = await t.admin('pay', String(customer), '3', '--reference', 'invoice 2026-0001')
  expect(out).toContain('Postpaid: $3 paid in, with its tax; $0 used, before tax. list-invoices --open')
  expect(await left(customer)).toBeNull()
  expect(await t.db.all("SELECT * FROM spend WHERE owner = 'p' || ?", [customer])).toEqual([])
})

test('a customer made prepaid has what was paid less all that was used, and a budget binds beside it', async () => {
  const customer = await makeCustomer(t, '--budget', '1')
  const key = await makeKey(t, customer)
  await request(t, key, { cost: '0.9' })
  await t.admin('pay', String(customer), '3', '--reference', 'transfer 1')
  const change = ['update-customer', String(customer), '--prepaid']
  await refused(2, '--yes', ...change)
  await refused(2, '--postpaid', ...change, '--postpaid')
  expect((await t.admin(...change, '--yes')).out).toContain('Prepaid: $3 paid in, $0.9 used, $0 held by running requests, $2.1 left.')
  expect((await audits())[0]).toMatchObject({
    before: expect.stringContaining('"prepaid":0'),
    after: expect.stringContaining('"prepaid":1'),
  })
  // $0.10 of the budget is left, and a request holds $1.
  await expect(begin(t, key)).rejects.toThrow('budget_exceeded')
  expect((await t.admin('check-budget', String(customer))).out).toContain("All keys: the customer's budget binds, $0.1 is left.")
  await t.admin('update-customer', String(customer), '--unlimited')
  await request(t, key, { cost: '1' })
  expect(await left(customer)).toMatchObject({ left_usd: '1.1' })
  await t.admin('update-customer', String(customer), '--postpaid')
  expect(await t.db.all("SELECT * FROM spend WHERE owner = 'p' || ?", [customer])).toEqual([])
  expect(
    (await t.admin('list-customers', '--json')).json<{ id: number; prepaid: boolean }[]>().find(({ id }) => id === customer)?.prepaid,
  ).toBe(false)
})

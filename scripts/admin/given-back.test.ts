// Refunds and credit notes know of each other: together they give back no more than the invoice that the requests are on.
import { afterAll, beforeAll, expect, test } from 'vitest'
import { Group } from '../../worker/ledger/group.ts'
import { sweep } from '../../worker/ledger/settlement.ts'
import { UNUSED } from '../../worker/pricing.ts'
import { begin, makeCustomer, makeKey, priceAll, request, type TestDatabase, type TestKey, testDatabase, usd } from './testing.ts'
import { invoicing, noon } from './testing-invoices.ts'

let t: TestDatabase
let billing: Awaited<ReturnType<typeof invoicing>>
beforeAll(async () => {
  t = await testDatabase()
  await priceAll(t)
  billing = await invoicing(t)
})
afterAll(async () => {
  const { code, out } = await t.admin('verify-ledger')
  expect(code, out).toBe(0)
  await t.close()
})

/** Requests of 2026-03 and their invoice, of a customer of their own. */
async function invoiced(...costs: string[]): Promise<{ key: TestKey; ids: string[]; number: string }> {
  const key = await makeKey(t, await makeCustomer(t))
  const ids: string[] = []
  for (const cost of costs) ids.push(await request(t, key, { atMs: noon('2026-03-10'), cost }))
  const [number = ''] = await billing.close('2026-03', '--customer', String(key.customerId))
  return { key, ids, number }
}
const refund = (id: string | undefined, ...more: string[]) => t.admin('refund', id ?? '', '--reason', 'cut', ...more)
const credit = (number: string, ...more: string[]) => billing.admin('credit-note', number, '--reason', 'down', '--yes', ...more)

test('a credit note takes what was not refunded, rounded so that nobody gets more than was charged, and says so', async () => {
  const { ids, number } = await invoiced('3.001', '5', '2')
  // Of $10.00 net $3.001 are back: $6.999 are left, which is $6.99 in whole cents.
  expect((await refund(ids[0])).code).toBe(0)
  expect((await credit(number, '--amount', '7')).err).toContain(
    `--amount: 7.00 is more than the 6.99 that are left of ${number}, after $3.001 that was refunded of its requests since.`,
  )
  const ran = await credit(number)
  expect(ran.out).toMatch(/net -6\.99, tax -1\.3\d, total -8\.3\d USD, after \$3\.001 that was refunded of its requests since\./)
  expect((await credit(number)).err).toContain(
    `nothing is left of ${number} to credit: 10.00 net, 3.01 after its credit notes, after $3.001`,
  )
})

test('a credit note says how much more room the budget of the day has', async () => {
  const { key, number } = await invoiced('5')
  await t.admin('update-customer', String(key.customerId), '--budget', '0.06', '--period', 'day')
  const { out } = await credit(number, '--amount', '0.7')
  expect(out).toMatch(
    /\nBudget of \$0\.06 \(day\): it has \$0\.7 more room in the present period, \$0\.76 is left until \d{4}-\d\d-\d\d 00:00 \(UTC\)\.\nNext: /,
  )
})

test('a refund of a request whose invoice was credited is refused with the reason and the number', async () => {
  const { ids, number } = await invoiced('4', '1')
  expect((await credit(number, '--amount', '3')).code).toBe(0)
  const before = await t.dump()
  expect((await refund(ids[0])).err).toContain(
    `request_id: ${ids[0]} is on invoice ${number}, of which $2 is left to give back (5.00 net, $3 credited by credit notes, $0 refunded since): give --amount 2 or less`,
  )
  expect(await t.dump()).toBe(before)
  expect((await refund(ids[0], '--amount', '2')).code).toBe(0)
  expect((await refund(ids[1])).err).toContain(`is on invoice ${number}, of which nothing is left to give back`)
})

test('what was refunded before the month was invoiced is off the invoice already', async () => {
  const key = await makeKey(t, await makeCustomer(t))
  const [one, two] = [
    await request(t, key, { atMs: noon('2026-03-10'), cost: '4' }),
    await request(t, key, { atMs: noon('2026-03-11'), cost: '1' }),
  ]
  await refund(one)
  const [number = ''] = await billing.close('2026-03', '--customer', String(key.customerId))
  expect((await credit(number, '--amount', '0.4')).out).toContain('net -0.40')
  expect((await refund(two, '--amount', '0.61')).err).toContain('of which $0.6 is left')
  expect((await refund(two, '--amount', '0.6')).code).toBe(0)
})

test('the part of a cent that an invoice carries over is refunded with its request', async () => {
  const { ids, number } = await invoiced('0.1234')
  expect((await refund(ids[0])).code).toBe(0)
  expect((await credit(number)).err).toContain('nothing is left of')
})

test('what was charged late, and is on a later invoice, is refunded beside what is on this one', async () => {
  const { key, ids, number } = await invoiced('1')
  const late = await begin(t, key, { atMs: noon('2026-02-10') })
  await t.db.all('UPDATE holds SET expires_ms = 0 WHERE id = ?', [late])
  await sweep(t.d1)
  await request(t, key, { atMs: noon('2026-02-11'), cost: '0.5' })
  const [february = ''] = await billing.close('2026-02', '--customer', String(key.customerId))
  const used = { ...UNUSED, input: 1, output: 1 }
  const ending = {
    customerId: key.customerId,
    keyId: key.id,
    id: late,
    outcome: 'completed' as const,
    estimated: false,
    costNano: usd('0.7'),
  }
  await new Group(t.d1, { max: 1 }).settle({ ...ending, used, firstMs: 1 }, () => {})
  expect((await credit(february)).out).toContain('net -0.50')
  // February has nothing left, and the $0.70 are on none of its paper.
  expect((await refund(late)).out).toContain('Refunded $0.7 of $0.7')
  expect((await refund(ids[0])).code).toBe(0)
  expect((await credit(number)).err).toContain('nothing is left of')
})

test('of a refund and a credit note at once that are more than the invoice one is refused', async () => {
  const { ids, number } = await invoiced('6', '2')
  const both = await Promise.all([refund(ids[0]), credit(number, '--amount', '6')])
  expect(both.map(({ code }) => code).sort()).toEqual([0, 1])
})

test('two refunds at once come to no more than what credit notes left', async () => {
  const { ids, number } = await invoiced('3', '3')
  await credit(number, '--amount', '2')
  const both = await Promise.all(ids.map((id) => refund(id)))
  expect(both.map(({ code }) => code).sort()).toEqual([0, 1])
})

test('the proof finds a refund that an older gateway let through', async () => {
  const { key, ids, number } = await invoiced('5')
  await credit(number, '--amount', '4')
  const at = [key.customerId, `refund:${ids[0]}`]
  const insert = `INSERT INTO adjustments (customer_id, id, usage_id, amount_nano, reason, day, created_ms)
    VALUES (CAST(? AS INTEGER), ?, ?, -2000000000, 'x', unixepoch() / 86400, 0)`
  await t.db.all(insert, [...at, ids[0]])
  const { out } = await t.admin('verify-ledger')
  expect(out).toContain('WRONG credit notes are adjustments, and take back no more than their invoice')
  expect(out).toContain(`customer_id ${key.customerId}, id ${number}, credited $6, posted $5`)
  // What is kept cannot be deleted, except here, so that the ledger is whole again.
  await t.db.all('DROP TRIGGER adjustments_kept')
  await t.db.all('DELETE FROM adjustments WHERE customer_id = CAST(? AS INTEGER) AND id = ?', at)
  await t.db.all("CREATE TRIGGER adjustments_kept BEFORE DELETE ON adjustments BEGIN SELECT RAISE(ABORT, 'adjustments are kept'); END")
})

test('what was refunded of a request that is archived since still counts', async () => {
  const { ids, number } = await invoiced('4', '2')
  expect((await refund(ids[0], '--amount', '3')).code).toBe(0)
  // As archive does it, without its file.
  const month = noon('2026-03-01') - 43_200_000
  await t.db.all(
    `INSERT INTO archives (month, next_month, requests, cost_nano, sha256, file, created_ms)
     SELECT CAST(?1 AS INTEGER), CAST(?1 AS INTEGER) + 31, sum(requests), sum(cost_nano), printf('%064d', 0), 'f', 0 FROM usage_daily
     WHERE day >= CAST(?1 AS INTEGER) AND day < CAST(?1 AS INTEGER) + 31`,
    [month / 86_400_000],
  )
  await t.db.all('DELETE FROM usage WHERE created_ms >= ?1 AND created_ms < ?1 + 31 * 86400000', [month])
  expect((await t.admin('verify-ledger')).out).toContain('The ledger agrees.')
  expect((await credit(number)).out).toContain('net -3.00')
})

import { afterAll, beforeAll, expect, test } from 'vitest'
import { makeCustomer, makeKey, priceAll, request, type TestDatabase, testDatabase } from './testing.ts'
import { adjust, invoicing, noon } from './testing-invoices.ts'

let t: TestDatabase
let customerId: number
/** Of issue. */
const year = new Date().getUTCFullYear()

beforeAll(async () => {
  t = await testDatabase()
  await priceAll(t)
  const billing = await invoicing(t)
  const key = await makeKey(t, await makeCustomer(t))
  customerId = key.customerId
  await request(t, key, { atMs: noon('2026-02-28'), cost: '0.123' })
  await request(t, key, { atMs: noon('2026-03-01'), cost: '0.456' })
  for (const month of ['2026-02', '2026-03']) await billing.close(month)
  await billing.admin('credit-note', `${year}-0002`, '--amount', '0.1', '--reason', 'x', '--yes')
})
afterAll(() => t.close())

interface Verdict {
  proofs: { proof: string; findings: string[] }[]
}

/** What verify-ledger finds while a column of one invoice is changed, which takes a trigger away. */
async function found(set: string, id: number): Promise<Record<string, string[]>> {
  const frozen =
    "CREATE TRIGGER invoices_frozen BEFORE UPDATE ON invoices BEGIN SELECT RAISE(ABORT, 'an invoice never changes: write a credit note'); END"
  const [row] = await t.db.all('SELECT * FROM invoices WHERE id = ?', [id])
  await t.db.all('DROP TRIGGER invoices_frozen')
  await t.db.all(`UPDATE invoices SET ${set} WHERE id = ${id}`)
  await t.db.all(frozen)
  const { proofs } = (await t.admin('verify-ledger', '--json')).json<Verdict>()
  await t.db.all('DROP TRIGGER invoices_frozen')
  const columns = ['seq', 'usage_nano', 'adjustments_nano', 'carried_nano', 'net_cents', 'remainder_nano', 'total_cents']
  await t.db.all(`UPDATE invoices SET ${columns.map((name) => `${name} = ${row?.[name]}`).join(', ')} WHERE id = ${id}`)
  await t.db.all(frozen)
  expect((await t.admin('verify-ledger')).code).toBe(0)
  return Object.fromEntries(proofs.filter(({ findings }) => findings.length > 0).map(({ proof, findings }) => [proof, findings]))
}

test('an invoice that is not what was used is found, and an adjustment that came to a month that was closed', async () => {
  expect(await found('usage_nano = usage_nano + 10, adjustments_nano = adjustments_nano - 10', 1)).toEqual({
    'invoices are usage and adjustments of their month': [
      `number ${year}-0001, customer_id ${customerId}, period 2026-02-01, usage $0.12300001, due_usage $0.123, adjustments -$0.00000001, due_adjustments $0`,
    ],
  })
})

test('a number that is missing is found', async () => {
  expect(await found('seq = 7', 3)).toMatchObject({ 'numbers of invoices are gapless in each year': [`year ${year}, invoices 3, last 7`] })
})

test('a remainder that was not carried over is found', async () => {
  expect(await found('carried_nano = carried_nano - 3, remainder_nano = remainder_nano - 3', 3)).toEqual({
    'remainders of invoices are carried over': [`customer_id ${customerId}, number ${year}-0003, carried $0.008999997, before $0.009`],
  })
})

test('a credit note without its adjustment, or of more than its invoice, is found', async () => {
  const findings = await found('adjustments_nano = -500000000, net_cents = -50, total_cents = -50 + tax_cents', 3)
  expect(findings['credit notes are adjustments, and take back no more than their invoice']).toEqual([
    `customer_id ${customerId}, id credit-note:${year}-0003, credited -$0.5, posted -$0.1`,
    `customer_id ${customerId}, id ${year}-0002, credited $0.5, posted $0.45`,
  ])
})

test('an adjustment that was put into a closed month is found', async () => {
  await adjust(t, customerId, '2026-03-31', '0.01')
  const { code, out } = await t.admin('verify-ledger')
  expect(code).toBe(1)
  expect(out).toContain('adjustments $0, due_adjustments $0.01')
})

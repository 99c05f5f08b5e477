// Which invoice is open: payments are booked for one, and the list says what was paid of each.
import { afterAll, beforeAll, expect, test } from 'vitest'
import { makeCustomer, makeKey, priceAll, request, type TestDatabase, testDatabase } from './testing.ts'
import { invoicing, noon, SETTINGS } from './testing-invoices.ts'

let t: TestDatabase
let billing: Awaited<ReturnType<typeof invoicing>>
beforeAll(async () => {
  t = await testDatabase()
  await priceAll(t)
  billing = await invoicing(t)
})
afterAll(async () => {
  expect((await t.admin('verify-ledger')).code).toBe(0)
  await t.close()
})

/** An invoice of $10.00 and its tax of $1.90. */
async function invoiced(...options: string[]): Promise<{ id: string; number: string }> {
  const key = await makeKey(t, await makeCustomer(t, ...options))
  const id = String(key.customerId)
  if (options.includes('--prepaid')) await t.admin('pay', id, '20', '--reference', 'in advance')
  await request(t, key, { atMs: noon('2026-03-10'), cost: '10' })
  const [number = ''] = await billing.close('2026-03', '--customer', id)
  return { id, number }
}

interface Listed {
  number: string
  paid: string | null
  open: boolean
}
const listed = async (id: string, ...more: string[]) => {
  const rows = (await t.admin('list-invoices', '--customer', id, ...more, '--json')).json<Listed[]>()
  return rows.map(({ number, paid, open }) => [number, paid, open])
}

test('an invoice is open until its payments come to its total', async () => {
  const { id, number } = await invoiced()
  expect(await listed(id, '--open')).toEqual([[number, '0.00', true]])
  const first = await t.admin('pay', id, '5.5', '--invoice', number, '--reference', 'transfer 7')
  expect(first.out).toContain(`Booked $5.5 from customer ${id}, ACME: ${number} transfer 7\n`)
  expect(first.out).toContain(`\nInvoice ${number}: 5.50 of 11.90 USD paid, and open.\n`)
  const second = await t.admin('pay', id, '6.4', '--invoice', number, '--json')
  expect(second.json()).toMatchObject({ reference: number, invoice: number, invoice_paid: '11.90', invoice_open: false, left_usd: null })
  expect(await listed(id)).toEqual([[number, '11.90', false]])
  expect((await t.admin('list-invoices', '--customer', id, '--open')).out).toBe('No open invoices.\n')
  await t.admin('pay', id, '0.4', '--invoice', number, '--back', '--yes')
  expect(await listed(id, '--open')).toEqual([[number, '11.50', true]])
  expect((await t.admin('pay', id, '6.4', '--invoice', number)).err).toContain(
    `--reference: '${number}' of customer ${id} was booked before: $6.4`,
  )
})

test('a reference that begins with another number, or as a word with this one, is not for this invoice', async () => {
  const { id, number } = await invoiced()
  const other = await invoiced()
  await t.admin('pay', id, '1', '--reference', `${number}0`)
  await t.admin('pay', id, '2', '--reference', `for ${number}`)
  await t.admin('pay', other.id, '4', '--reference', `${number} of another customer`)
  expect(await listed(id)).toEqual([[number, '0.00', true]])
  await t.admin('pay', id, '8', '--reference', `${number} typed whole`)
  expect(await listed(id)).toEqual([[number, '8.00', true]])
})

test('credit notes of an invoice count as paid', async () => {
  const { id, number } = await invoiced()
  const credit = (await billing.admin('credit-note', number, '--amount', '4', '--reason', 'x', '--yes', '--json')).json<{
    number: string
  }>()
  expect(await listed(id)).toEqual([
    [number, '4.76', true],
    [credit.number, null, false],
  ])
  await t.admin('pay', id, '7.14', '--invoice', number)
  expect(await listed(id, '--open')).toEqual([])
})

test('an invoice that was paid in advance says so, in its terms of before that was kept, too', async () => {
  const { id, number } = await invoiced('--prepaid')
  expect(await listed(id)).toEqual([[number, 'in advance', false]])
  expect((await t.admin('list-invoices', '--customer', id)).out).toMatch(/ in advance\n$/)
  const older = await invoiced('--prepaid')
  await t.db.all('DROP TRIGGER invoices_frozen')
  await t.db.all("UPDATE invoices SET document = json_remove(document, '$.prepaid') WHERE document ->> 'number' = ?", [older.number])
  await t.db.all(
    "CREATE TRIGGER invoices_frozen BEFORE UPDATE ON invoices BEGIN SELECT RAISE(ABORT, 'an invoice never changes: write a credit note'); END",
  )
  expect(await listed(older.id, '--open')).toEqual([])
  // In the words of whoever writes the invoices, too.
  await invoicing(t, { ...SETTINGS, payment: { ...SETTINGS.payment, prepaid_terms: ['Nichts zu zahlen.'] } })
  const worded = await invoiced('--prepaid')
  await invoicing(t)
  expect(await listed(worded.id)).toEqual([[worded.number, 'in advance', false]])
})

test('a number that is not of that customer, or no invoice, is refused, and nothing is booked', async () => {
  const { id, number } = await invoiced()
  const other = await invoiced()
  const credit = (await billing.admin('credit-note', number, '--amount', '4', '--reason', 'x', '--yes', '--json')).json<{
    number: string
  }>()
  const before = await t.dump()
  const said = async (...args: string[]) => {
    const { code, err } = await t.admin('pay', id, '1', ...args)
    return [code, err]
  }
  expect(await said('--invoice', other.number)).toEqual([
    1,
    expect.stringContaining(`--invoice: ${other.number} is of customer ${other.id}, not ${id}`),
  ])
  expect(await said('--invoice', '2026-9999')).toEqual([1, expect.stringContaining('--invoice: there is no 2026-9999')])
  expect(await said('--invoice', credit.number)).toEqual([1, expect.stringContaining(`is a credit note to ${number}`)])
  expect(await said('--invoice', '2026-1')).toEqual([2, expect.stringContaining('such as 2026-0001')])
  expect(await said()).toEqual([2, expect.stringContaining('--reference or --invoice is missing')])
  expect(await t.dump()).toBe(before)
})

import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { makeCustomer, makeKey, priceAll, request, type TestDatabase, type TestKey, testDatabase } from './testing.ts'
import { adjust, invoicing, noon, SETTINGS } from './testing-invoices.ts'

let t: TestDatabase
let billing: Awaited<ReturnType<typeof invoicing>>
let key: TestKey
let number: string

beforeAll(async () => {
  t = await testDatabase()
  await priceAll(t)
  billing = await invoicing(t)
  key = await makeKey(t, await makeCustomer(t, '--budget', '500'))
  const id = String(key.customerId)
  await t.admin(
    'update-customer',
    id,
    '--name',
    'ACME "Ω" \u2028 <b>',
    '--address',
    '2 Long Lane',
    '--address',
    'London',
    '--tax-id',
    'GB9',
  )
  for (let each = 0; each < 13; each++) await request(t, key, { atMs: noon('2026-03-01'), cost: '0.773846154' })
  // 13 × $0.773846154 = $10.060000002
  number = (await billing.close('2026-03'))[0] ?? ''
})
afterAll(() => t.close())

const spent = async () => (await t.db.all('SELECT sum(spent_nano) AS n FROM spend'))[0]?.n
const verified = async () => expect((await t.admin('verify-ledger')).code).toBe(0)

test('an invoice prints the same bytes whatever has changed since', async () => {
  const formats = ['html', 'csv', 'json', 'text']
  const print = () => Promise.all(formats.map(async (format) => (await t.admin('invoice', number, '--format', format)).out))
  const before = await print()
  await t.admin('update-customer', String(key.customerId), '--name', 'Somebody else', '--address', 'none', '--tax-id', 'none')
  await invoicing(t, { ...SETTINGS, issuer: { ...SETTINGS.issuer, name: 'Another' }, tax: { label: 'GST', percent: 5 } })
  await request(t, key, { atMs: noon('2026-04-01'), cost: '0.5' })
  expect(await print()).toEqual(before)
  billing = await invoicing(t)
  expect(JSON.parse(before[2] ?? '')).toMatchObject({
    number,
    customer: { name: 'ACME "Ω" \u2028 <b>', address: ['2 Long Lane', 'London'], tax_id: 'GB9' },
    issuer: { name: 'Box & Sons' },
    sums: { net: '10.06', tax: '1.91', total: '11.97' },
  })
  expect(before[0]).toContain('ACME &#34;Ω&#34; \u2028 &#60;b&#62;')
})

test('an invoice goes to a file, or as JSON with --json, and an unknown one is refused', async () => {
  const ran = await t.admin('invoice', number, '--format', 'html', '--output', 'it.html')
  expect(ran.out).toBe(`${number} written to it.html\n`)
  expect(await readFile(join(t.stateDir, 'it.html'), 'utf8')).toBe((await t.admin('invoice', number, '--format', 'html')).out)
  expect((await t.admin('invoice', number, '--json')).json()).toMatchObject({ number })
  expect((await t.admin('invoice', number, '--json', '--format', 'csv')).code).toBe(2)
  expect(await t.admin('invoice', '2026-9999')).toMatchObject({ code: 1, err: expect.stringContaining('there is no 2026-9999') })
  expect(await t.admin('invoice', '2026-1')).toMatchObject({ code: 2, err: expect.stringContaining('such as 2026-0001') })
})

test('an invoice cannot be changed or deleted', async () => {
  await expect(t.db.all('UPDATE invoices SET total_cents = total_cents')).rejects.toThrow('an invoice never changes: write a credit note')
  await expect(t.db.all('DELETE FROM invoices')).rejects.toThrow('invoices are kept')
})

test('a credit note takes back a part, gives it back to the budget of today, and is on no invoice', async () => {
  const before = Number(await spent())
  const ran = await billing.admin('credit-note', number, '--amount', '5.03', '--reason', 'the host was down', '--yes', '--json')
  const credit = ran.json<{ number: string }>()
  // The tax of $10.06 is $1.9114 → $1.91, that of the $5.03 that are left $0.9557 → $0.96.
  expect(credit).toMatchObject({ corrects: number, net: '-5.03', tax: '-0.95', total: '-5.98' })
  expect(Number(await spent())).toBe(before - 5_030_000_000)
  expect(await billing.document(credit.number)).toMatchObject({
    kind: 'credit_note',
    corrects: { number, reason: 'the host was down' },
    lines: [],
    sums: { adjustments: '-5.03', total: '-5.98' },
  })
  const [posted] = await t.db.all("SELECT * FROM adjustments WHERE id LIKE 'credit-note:%'")
  expect(posted).toMatchObject({
    id: `credit-note:${credit.number}`,
    amount_nano: -5_030_000_000,
    reason: `credit note ${credit.number}: the host was down`,
  })
  const [note] = await t.db.all("SELECT target, after FROM audit_log WHERE command = 'credit-note'")
  expect(note).toMatchObject({ target: `invoice ${number}`, after: expect.stringContaining('"net_cents":-503') })
  await verified()
})

test('credits come to no more than the invoice, and all of them to exactly its tax', async () => {
  const refused = async (...args: string[]) => (await billing.admin('credit-note', ...args, '--reason', 'x', '--yes')).err
  expect(await refused(number, '--amount', '5.04')).toContain('--amount: 5.04 is more than the 5.03 that are left')
  expect(await refused(number, '--amount', '0')).toContain('above 0')
  expect(await refused(number, '--amount', '0.001')).toContain('at most two decimals')
  const rest = await billing.admin('credit-note', number, '--reason', 'all of it', '--yes', '--json')
  expect(rest.json()).toMatchObject({ net: '-5.03', tax: '-0.96', total: '-5.99' })
  expect(await refused(number)).toContain('nothing is left of')
  expect(await refused(rest.json<{ number: string }>().number)).toContain('is a credit note')
  await verified()
})

test('of two credits at once that are more than the invoice one is refused', async () => {
  await adjust(t, key.customerId, '2026-05-01', '8')
  const [may = ''] = await billing.close('2026-05')
  const both = await Promise.all([1, 2].map(() => billing.admin('credit-note', may, '--amount', '6', '--reason', 'x', '--yes')))
  expect(both.map(({ code }) => code).sort()).toEqual([0, 1])
  await verified()
})

test('a credit note leaves the remainder to the next invoice, which is not lessened by it', async () => {
  // Of March $0.000000002 are left; April had $0.50.
  const [april = ''] = await billing.close('2026-04')
  expect((await billing.document(april)).sums).toMatchObject({ usage: '0.50', adjustments: '0.00', carried: '0.000000002', net: '0.50' })
  await verified()
})

test('all documents of a customer come to what they used, less what is left over', async () => {
  const [sums] = await t.db.all('SELECT sum(usage_nano + adjustments_nano) AS nano, sum(net_cents) * 10000000 AS net FROM invoices')
  const [last] = await t.db.all('SELECT remainder_nano FROM invoices ORDER BY id DESC LIMIT 1')
  expect(sums?.nano).toBe(Number(sums?.net) + Number(last?.remainder_nano))
  expect(sums?.nano).toBe(await spent())
})

test('invoices are listed by number, of a customer and a year', async () => {
  const { out } = await t.admin('list-invoices')
  const lines = out.trimEnd().split('\n')
  expect(lines[0]).toMatch(/^number +issued +what +customer +month +net +tax +total +paid$/)
  expect(lines[1]).toMatch(
    new RegExp(`^${number} +\\d{4}-\\d\\d-\\d\\d +invoice +ACME [^]* +2026-03 +10\\.06 +1\\.91 +11\\.97 USD +11\\.97$`),
  )
  expect(lines[2]).toContain(`credit to ${number}`)
  expect((await t.admin('list-invoices', '--year', '2001', '--json')).json()).toEqual([])
  expect((await t.admin('list-invoices', '--customer', String(key.customerId), '--json')).json<unknown[]>()).toHaveLength(lines.length - 1)
  expect((await t.admin('list-invoices', '--customer', '999')).code).toBe(1)
})

test('an invoice of a prepaid customer asks for nothing that was paid', async () => {
  const prepaid = await makeKey(t, await makeCustomer(t, '--prepaid'))
  await t.admin('pay', String(prepaid.customerId), '5', '--reference', 'in advance')
  await request(t, prepaid, { atMs: noon('2026-02-01'), cost: '1' })
  const [first = ''] = await billing.close('2026-02')
  expect((await t.admin('invoice', first, '--format', 'json')).json()).toMatchObject({
    due: null,
    payment: ['Paid in advance, out of your balance.'],
    prepaid: true,
    sums: { net: '1.00' },
  })
  const credited = await billing.admin('credit-note', first, '--amount', '0.4', '--reason', 'x', '--yes', '--json')
  expect(credited.json()).toMatchObject({ net: '-0.40', left_usd: '4.4', budget: null })
  const { out } = await t.admin('invoice', credited.json<{ number: string }>().number)
  expect(out).toContain(`0.40 USD net of invoice ${first} are given back to your balance.`)
  await verified()
})

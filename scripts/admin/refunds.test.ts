// Credits and refunds: rows beside the usage, each counted in the period it belongs to, a refund once and never for more than was charged.
import { v7 } from 'uuid'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { Group } from '../../worker/ledger/group.ts'
import { UNUSED } from '../../worker/pricing.ts'
import { begin, makeCustomer, makeKey, priceAll, request, type TestDatabase, type TestKey, testDatabase, usd } from './testing.ts'

const DAY_MS = 86_400_000
const today = new Date().toISOString().slice(0, 10)

let t: TestDatabase
beforeAll(async () => {
  t = await testDatabase()
  await priceAll(t)
})
afterAll(async () => {
  // The invoices here only close a month, and say nothing.
  const wrong = (await t.admin('verify-ledger')).out.split('\n').filter((line) => line.startsWith('WRONG'))
  expect(wrong.filter((line) => !line.includes('invoices'))).toEqual([])
  await t.close()
})

async function refused(said: string, ...args: string[]): Promise<void> {
  const before = await t.dump()
  const ran = await t.admin(...args)
  expect([ran.code, ran.out], ran.err).toEqual([1, ''])
  expect(ran.err).toContain(said)
  expect(await t.dump()).toBe(before)
}

const spent = (owner: string) => t.db.all('SELECT period, spent_nano FROM spend WHERE owner = ? ORDER BY period', [owner])
const refund = (id: string, ...more: string[]) => ['refund', id, '--reason', 'cut', ...more]

/** An invoice of $10 of the month of this day, as far as the day of an adjustment asks. */
async function invoice(customer: number, ms: number): Promise<void> {
  const at = new Date(ms)
  const month = Date.UTC(at.getUTCFullYear(), at.getUTCMonth(), 1) / DAY_MS
  await t.db.all(
    `INSERT INTO invoices (year, seq, kind, customer_id, month, usage_nano, adjustments_nano, carried_nano, net_cents, remainder_nano, tax_bp, tax_cents, total_cents, document, created_ms)
     VALUES (2026, ?, 'invoice', ?, ?, 10000000000, 0, 0, 1000, 0, 0, 0, 1000, '{}', 0)`,
    [customer, customer, month],
  )
}

async function expired(key: TestKey, atMs: number): Promise<string> {
  const id = await begin(t, key, { atMs })
  // The sweep, in short: ended at a checkpoint of nothing.
  const { sweep } = await import('../../worker/ledger/settlement.ts')
  await t.db.all('UPDATE holds SET expires_ms = 0 WHERE id = ?', [id])
  await sweep(t.d1)
  return id
}

function late(key: TestKey, id: string, cost: string): Promise<void> {
  const { customerId, id: keyId } = key
  const used = { ...UNUSED, input: 1, output: 1 }
  return new Group(t.d1, { max: 1 }).settle(
    { customerId, keyId, id, outcome: 'completed', estimated: false, costNano: usd(cost), used, firstMs: 1 },
    () => {},
  )
}

test('a refund gives back what a request was charged, to the budgets it was charged to, once', async () => {
  const customer = await makeCustomer(t, '--budget', '5', '--period', 'total')
  const key = await makeKey(t, customer, '--budget', '3', '--period', 'total')
  const id = await request(t, key, { cost: '0.4' })
  await request(t, key, { cost: '0.1' })
  const { code, out } = await t.admin(...refund(id))
  expect([code, out.split('\n')[0]]).toEqual([0, `Refunded $0.4 of $0.4 to customer ${customer}, counted on ${today}: cut`])
  expect(out).toContain('\nBudget of $5 (total): it has $0.4 more room in the present period, $4.9 is left.\n')
  for (const owner of [`c${customer}`, `k${key.id}`]) expect(await spent(owner)).toEqual([{ period: 0, spent_nano: 100_000_000 }])
  await refused(`request_id: ${id} was refunded $0.4 before`, ...refund(id))
  await refused('was refunded', ...refund(id, '--amount', '0.01'))
  const [note] = await t.db.all("SELECT target, after FROM audit_log WHERE command = 'refund'")
  expect(note).toMatchObject({ target: `request ${id}`, after: expect.stringContaining('"amount_nano":-400000000') })
})

test('a part is refunded, and no more than was charged', async () => {
  const key = await makeKey(t, await makeCustomer(t, '--prepaid'))
  await t.admin('pay', String(key.customerId), '2', '--reference', 'transfer')
  const id = await request(t, key, { cost: '0.4' })
  await refused(`amount: ${id} was charged $0.4`, ...refund(id, '--amount', '0.400000001'))
  const { json } = await t.admin(...refund(id, '--amount', '0.15', '--json'))
  expect(json()).toMatchObject({ charged_usd: '0.4', refunded_usd: '0.15', paid_usd: '2', used_usd: '0.25', left_usd: '1.75' })
})

test('what cannot be refunded is said with what can be done', async () => {
  const key = await makeKey(t, await makeCustomer(t))
  const unknown = v7()
  await refused(`request_id: there is no request ${unknown}; export-usage shows their ids.`, ...refund(unknown))
  const running = await begin(t, key)
  await refused(`request_id: ${running} is still running`, ...refund(running))
  const free = await request(t, key, { cost: '0' })
  await refused(`request_id: ${free} was charged nothing`, ...refund(free))
  expect((await t.admin('refund', free)).err).toContain('--reason')
})

test('the late part of a request is refunded with it', async () => {
  const key = await makeKey(t, await makeCustomer(t))
  const id = await expired(key, Date.now())
  await refused('was charged nothing', ...refund(id))
  await late(key, id, '0.7')
  expect((await t.admin(...refund(id, '--json'))).json()).toMatchObject({ charged_usd: '0.7', refunded_usd: '0.7' })
  expect(await spent(`c${key.customerId}`)).toMatchObject([{ spent_nano: 0 }])
})

test('a refund counts on the day of its request, and today where that month has been invoiced', async () => {
  const october = Date.UTC(2025, 9, 15)
  const key = await makeKey(t, await makeCustomer(t, '--budget', '100'))
  const [first, second] = [await request(t, key, { cost: '0.4', atMs: october }), await request(t, key, { cost: '0.3', atMs: october })]
  expect((await t.admin(...refund(first, '--json'))).json()).toMatchObject({ day: '2025-10-15', budget: null })
  await invoice(key.customerId, october)
  expect((await t.admin(...refund(second, '--json'))).json()).toMatchObject({
    day: today,
    budget: { room_usd: '0.3', remaining_usd: '100.3' },
  })
  expect(await spent(`c${key.customerId}`)).toMatchObject([{ spent_nano: 300_000_000 }, { spent_nano: -300_000_000 }])
})

test('a credit is less to pay from today, and a charge, which is asked about, more', async () => {
  const customer = await makeCustomer(t, '--budget', '5')
  const credit = ['credit', String(customer), '1.5', '--reason', 'sorry for Monday']
  expect((await t.admin(...credit, '--json')).json()).toMatchObject({
    ...{ amount_usd: '-1.5', used_usd: '-1.5', left_usd: null },
    budget: { budget_usd: '5', period: 'month', room_usd: '1.5', remaining_usd: '6.5' },
  })
  expect(await spent(`c${customer}`)).toMatchObject([{ spent_nano: -1_500_000_000 }])
  expect((await t.admin(...credit, '--charge')).code).toBe(2)
  const charged = (await t.admin(...credit, '--charge', '--yes')).out
  expect(charged).toContain('Charged $1.5 to customer')
  expect(charged).toMatch(
    /\nBudget of \$5 \(month\): it has \$1\.5 less room in the present period, \$5 is left until \d{4}-\d\d-01 00:00 \(UTC\)\.\n$/,
  )
  expect(await spent(`c${customer}`)).toMatchObject([{ spent_nano: 0 }])
  await refused('customer_id: there is no customer 999', 'credit', '999', '1', '--reason', 'x')
  const rows = await t.db.all("SELECT target, after FROM audit_log WHERE command = 'credit' ORDER BY id")
  expect(rows).toMatchObject([{ target: `customer ${customer}`, after: expect.stringContaining('sorry for Monday') }, {}])
})

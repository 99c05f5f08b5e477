import { afterAll, beforeAll, expect, test } from 'vitest'
import { begin, makeCustomer, makeKey, priceAll, request, type TestDatabase, testDatabase } from './testing.ts'

let t: TestDatabase
beforeAll(async () => {
  t = await testDatabase()
  await priceAll(t)
})
afterAll(() => t.close())

/** Refused as an argument, with its name, and nothing was changed. */
async function refused(named: string, ...args: string[]): Promise<void> {
  const before = await t.dump()
  const { code, out, err } = await t.admin(...args)
  expect([code, out, err.trim().split('\n').length], err).toEqual([2, '', 1])
  expect(err).toContain(named)
  expect(await t.dump()).toBe(before)
}

test('a customer is made with a budget and limits', async () => {
  const { code, out } = await t.admin(
    'create-customer',
    'Ada',
    'ada@example.com',
    '--budget',
    '0.1',
    '--period',
    'week',
    '--rpm',
    '60',
    '--json',
  )
  expect(code).toBe(0)
  expect(JSON.parse(out)).toEqual({
    id: 1,
    name: 'Ada',
    email: 'ada@example.com',
    status: 'active',
    prepaid: false,
    budget_usd: '0.1',
    period: 'week',
    rpm: 60,
    tpm: null,
    concurrency: null,
    created_at: expect.stringMatching(/^20\d\d-.*Z$/),
  })
})

test('no budget has to be said', async () => {
  await refused('--budget', 'create-customer', 'Bob', 'bob@example.com')
  await refused('--unlimited', 'create-customer', 'Bob', 'bob@example.com', '--budget', '5', '--unlimited')
  const made = await t.admin('create-customer', 'Bob', 'bob@example.com', '--unlimited', '--json')
  expect(made.json()).toMatchObject({ budget_usd: null, period: 'month' })
})

test('an email belongs to one customer, in whatever case', async () => {
  const before = await t.dump()
  const again = await t.admin('create-customer', 'Eve', 'ADA@example.com', '--budget', '5')
  expect([again.code, again.out]).toEqual([1, ''])
  expect(again.err).toContain('email: ADA@example.com is taken by customer 1 (Ada)')
  const moved = await t.admin('update-customer', '2', '--email', 'ada@example.com')
  expect([moved.code, moved.err]).toEqual([1, expect.stringContaining('taken by customer 1')])
  expect(await t.dump()).toBe(before)
})

test('arguments that cannot be used are named, and nothing is changed', async () => {
  await refused("'name'", 'create-customer', '', 'x@example.com', '--budget', '5')
  await refused("'email'", 'create-customer', 'X', 'nobody', '--budget', '5')
  await refused("'email'", 'create-customer', 'X')
  for (const budget of ['-1', '1e3', 'NaN', 'Infinity', '', '12abc'])
    await refused('--budget', 'create-customer', 'X', 'x@example.com', '--budget', budget)
  await refused('--period', 'create-customer', 'X', 'x@example.com', '--budget', '5', '--period', 'year')
  await refused('--rpm', 'create-customer', 'X', 'x@example.com', '--budget', '5', '--rpm', '0')
  await refused('--tpm', 'create-customer', 'X', 'x@example.com', '--budget', '5', '--tpm', 'none')
  await refused('--frobnicate', 'create-customer', 'X', 'x@example.com', '--budget', '5', '--frobnicate')
  await refused("'customer_id'", 'update-customer', '0', '--rpm', '5')
  await refused("'customer_id'", 'update-customer', '1x', '--rpm', '5')
  await refused('--budget', 'update-customer', '1', '--budget', 'none')
  await refused('--concurrency', 'update-customer', '1', '--concurrency', '')
  await refused('--status', 'update-customer', '1', '--status', 'gone', '--yes')
  await refused('nothing to change', 'update-customer', '1')
})

test('an unknown customer is a failure with a remedy', async () => {
  const { code, err } = await t.admin('update-customer', '99', '--rpm', '5')
  expect([code, err]).toEqual([1, 'error: customer_id: there is no customer 99; list-customers shows them.\n'])
})

test('an update changes what is given and nothing else; none clears a limit', async () => {
  const before = (await t.admin('list-customers', '--json')).json<object[]>()[0]
  const renamed = await t.admin('update-customer', '1', '--name', 'none', '--tpm', '5000', '--json')
  expect(renamed.json()).toMatchObject({ name: 'none', tpm: 5000, rpm: 60, budget_usd: '0.1' })
  const cleared = await t.admin('update-customer', '1', '--name', 'Ada', '--tpm', 'none', '--json')
  expect(before).toMatchObject(cleared.json())
  expect((await t.admin('update-customer', '1', '--unlimited', '--json')).json()).toMatchObject({ budget_usd: null, period: 'week' })
})

test('suspending is asked for', async () => {
  await refused('--yes', 'update-customer', '1', '--status', 'suspended')
  const no = await t.adminIn({ answer: false }, 'update-customer', '1', '--status', 'suspended')
  expect([no.code, no.err]).toEqual([1, 'error: not confirmed: nothing was changed.\n'])
  const yes = await t.adminIn({ answer: true }, 'update-customer', '1', '--status', 'suspended', '--json')
  expect(yes.json()).toMatchObject({ status: 'suspended' })
  expect((await t.admin('update-customer', '1', '--status', 'active', '--json')).json()).toMatchObject({ status: 'active' })
})

test('a changed period counts anew what was spent in it', async () => {
  const id = await makeCustomer(t, '--budget', '10', '--period', 'total')
  const key = await makeKey(t, id)
  await request(t, key, { atMs: Date.now() - 400 * 86_400_000, cost: '0.0007' })
  await request(t, key, { cost: '0.0003' })
  const spent = async () => (await t.admin('check-budget', String(id), '--json')).json<{ spent_usd: string }>().spent_usd
  expect(await spent()).toBe('0.001')
  await t.admin('update-customer', String(id), '--period', 'day')
  expect(await spent()).toBe('0.0003')
  await t.admin('update-customer', String(id), '--period', 'total', '--budget', '20')
  expect(await spent()).toBe('0.001')
  expect((await t.admin('verify-ledger')).code).toBe(0)
})

test('the list shows budgets, spending and working keys', async () => {
  const id = await makeCustomer(t, '--budget', '5')
  const [key] = [await makeKey(t, id), await makeKey(t, id), await begin(t, await makeKey(t, id))]
  await request(t, key, { cost: '0.0009' })
  await t.admin('revoke-key', String(key.id), '--yes')
  const rows = (await t.admin('list-customers', '--json')).json<{ id: number }[]>()
  expect(rows.find((row) => row.id === id)).toMatchObject({ budget_usd: '5', spent_usd: '0.0009', keys: 2 })
  const { out } = await t.admin('list-customers')
  expect(out).toMatch(/^id {2}name/)
  expect(out).toMatch(/customers\n$/)
  expect(out.split('\n').every((line) => line === line.trimEnd())).toBe(true)
})

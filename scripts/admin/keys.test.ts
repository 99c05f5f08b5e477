import { afterAll, beforeAll, expect, test } from 'vitest'
import { keyHash } from '../../worker/keys.ts'
import { begin, makeCustomer, makeKey, request, type TestDatabase, testDatabase } from './testing.ts'

let t: TestDatabase
beforeAll(async () => {
  t = await testDatabase()
  await t.admin('set-pricing', '*', '0.001', '0')
})
afterAll(() => t.close())

async function refused(named: string, ...args: string[]): Promise<void> {
  const before = await t.dump()
  const { code, out, err } = await t.admin(...args)
  expect([code, out], err).toEqual([2, ''])
  expect(err).toContain(named)
  expect(await t.dump()).toBe(before)
}

interface KeyJson {
  id: number
  key: string
  prefix: string
  status: string
  expires_at: string | null
  spent_usd: string
}

test('a key is shown once, and only its hash is stored', async () => {
  const customer = await makeCustomer(t)
  const made = await t.admin(
    'generate-key',
    String(customer),
    '--name',
    'laptop',
    '--models',
    'GEMMA3:270M,qwen3',
    '--budget',
    '5',
    '--rpm',
    '10',
    '--json',
  )
  const { key, ...rest } = made.json<KeyJson>()
  expect(rest).toEqual({
    id: expect.any(Number),
    customer_id: customer,
    customer_name: 'ACME',
    prefix: key.slice(0, 9),
    name: 'laptop',
    status: 'active',
    models: ['gemma3:270m', 'qwen3:latest'],
    account: false,
    budget_usd: '5',
    period: 'month',
    rpm: 10,
    tpm: null,
    concurrency: null,
    expires_at: null,
    revoked_at: null,
    created_at: expect.any(String),
  })
  expect(await t.dump()).not.toContain(key)
  expect(await t.dump()).toContain(keyHash(key))
  for (const list of [await t.admin('list-keys'), await t.admin('list-keys', '--json')]) {
    expect(list.out).not.toContain(key)
    expect(list.out).not.toContain(keyHash(key))
  }
})

test('a key can see all of its account: that is said, listed, and carried over', async () => {
  const customer = await makeCustomer(t)
  const made = await t.admin('generate-key', String(customer), '--account')
  expect(made.out).toContain("It sees all of its customer's account.")
  const [key] = (await t.admin('list-keys', String(customer), '--json')).json<{ id: number; account: boolean }[]>()
  expect(key?.account).toBe(true)
  expect((await t.admin('list-keys', String(customer))).out).toMatch(/ sees .*\n.* account /)
  expect((await t.admin('rotate-key', String(key?.id), '--json')).json()).toMatchObject({ account: true })
})

test('for people the first line is the key', async () => {
  const { out } = await t.admin('generate-key', String(await makeCustomer(t)), '--expires', '2099-12-31')
  expect(out).toMatch(/^sk_[0-9a-f]{56}\nShown this once\./)
  expect(out).toContain('Expires: 2100-01-01 00:00 UTC.')
})

test('a time from now is counted by the clock of the database', async () => {
  const { expires_at } = (await t.admin('generate-key', String(await makeCustomer(t)), '--expires', '30d', '--json')).json<KeyJson>()
  const off = Date.parse(String(expires_at)) - Date.now() - 30 * 86_400_000
  expect(Math.abs(off)).toBeLessThan(5000)
})

test('arguments that cannot be used are named, and nothing is changed', async () => {
  const id = String(await makeCustomer(t))
  const key = String((await makeKey(t, Number(id))).id)
  await refused("'customer_id'", 'generate-key', 'ACME')
  await refused('--models', 'generate-key', id, '--models', 'a,,b')
  await refused('--expires', 'generate-key', id, '--expires', '2020-01-01')
  await refused('--expires', 'generate-key', id, '--expires', '2099-02-30')
  await refused('--budget', 'generate-key', id, '--budget', '-1')
  await refused('--period', 'generate-key', id, '--period', 'day')
  await refused('--name', 'generate-key', id, '--name', '')
  await refused('--overlap', 'rotate-key', key, '--overlap', '24')
  await refused("'key_id'", 'rotate-key', '1.5')
  await refused("'key_id'", 'revoke-key', 'sk_123', '--yes')
  await refused('--yes', 'revoke-key', key)
  await refused("'customer_id'", 'list-keys', '-1')
})

test('unknown ids are failures with a remedy', async () => {
  const before = await t.dump()
  for (const args of [
    ['generate-key', '999'],
    ['rotate-key', '999'],
    ['revoke-key', '999', '--yes'],
    ['list-keys', '999'],
  ]) {
    const { code, err } = await t.admin(...args)
    expect([code, err]).toEqual([
      1,
      expect.stringMatching(/^error: (customer|key)_id: there is no (customer|key) 999; list-(customers|keys) shows them\.\n$/),
    ])
  }
  expect(await t.dump()).toBe(before)
})

test('a rotated key has a successor with its settings, and works through the overlap', async () => {
  const old = await makeKey(t, await makeCustomer(t), '--name', 'ci', '--models', 'a', '--tpm', '500', '--expires', '90d')
  const rotated = (await t.admin('rotate-key', String(old.id), '--overlap', '2h', '--json')).json<
    KeyJson & { replaces: KeyJson; note: null }
  >()
  const keys = (await t.admin('list-keys', String(old.customerId), '--json')).json<KeyJson[]>()
  const [before, after] = keys
  expect(after).toMatchObject({ id: rotated.id, name: 'ci', models: ['a:latest'], tpm: 500, budget_usd: null, status: 'active' })
  expect(after?.expires_at).toBe(new Date(Date.parse(String(after?.expires_at))).toISOString())
  expect(rotated.replaces).toEqual({ id: old.id, expires_at: before?.expires_at })
  expect(Math.abs(Date.parse(String(before?.expires_at)) - Date.now() - 7_200_000)).toBeLessThan(5000)
  expect(rotated.note).toBeNull()
  expect(rotated.key).not.toBe(old.key)
})

test('an overlap of 0 ends the old key at once, and none makes a key live longer', async () => {
  const customer = await makeCustomer(t)
  const [first, short] = [await makeKey(t, customer), await makeKey(t, customer, '--expires', '30m')]
  await t.admin('rotate-key', String(first.id), '--overlap', '0')
  const was = (await t.admin('list-keys', String(customer), '--json')).json<KeyJson[]>().find(({ id }) => id === short.id)
  await t.admin('rotate-key', String(short.id), '--overlap', '7d')
  const keys = (await t.admin('list-keys', String(customer), '--json')).json<KeyJson[]>()
  expect(keys.map(({ status }) => status)).toEqual(['expired', 'active', 'active', 'active'])
  expect(keys[1]?.expires_at).toBe(was?.expires_at)
  await expect(begin(t, first)).rejects.toThrow('expired_api_key')
})

test('a budget of its own is carried over, and the new key starts with nothing spent', async () => {
  const old = await makeKey(t, await makeCustomer(t), '--budget', '2', '--period', 'total')
  await request(t, old, { cost: '0.001' })
  const { out } = await t.admin('rotate-key', String(old.id))
  expect(out).toContain(
    'The budget of $2 is carried over, what was spent of it is not: the new key starts at $0. While both work, each can spend its own.',
  )
  const keys = (await t.admin('list-keys', String(old.customerId), '--json')).json<KeyJson[]>()
  expect(keys.map(({ spent_usd }) => spent_usd)).toEqual(['0.001', '0'])
  expect((await t.admin('verify-ledger')).code).toBe(0)
})

test('a key that does not work any more is not rotated', async () => {
  const { id, customerId } = await makeKey(t, await makeCustomer(t))
  await t.admin('revoke-key', String(id), '--yes')
  const before = await t.dump()
  const { code, err } = await t.admin('rotate-key', String(id))
  expect([code, err]).toEqual([
    1,
    `error: key_id: key ${id} is revoked and cannot be rotated; make a new one: generate-key ${customerId}\n`,
  ])
  expect(await t.dump()).toBe(before)
})

test('revoking is for good, and doing it again changes nothing', async () => {
  const key = await makeKey(t, await makeCustomer(t))
  const first = await t.adminIn({ answer: true }, 'revoke-key', String(key.id), '--json')
  expect(first.json()).toMatchObject({ status: 'revoked' })
  await expect(begin(t, key)).rejects.toThrow('revoked_api_key')
  const before = await t.dump()
  const again = await t.admin('revoke-key', String(key.id), '--yes')
  expect([again.code, again.out]).toEqual([0, expect.stringContaining('was revoked before')])
  expect(await t.dump()).toBe(before)
})

test('the list tells what a key may do, what it has spent and whether it works', async () => {
  const customer = await makeCustomer(t, '--budget', '5')
  const [free, own] = [await makeKey(t, customer), await makeKey(t, customer, '--budget', '1', '--concurrency', '2')]
  await request(t, free, { cost: '0.0002' })
  await request(t, own, { cost: '0.0003' })
  await t.admin('update-customer', String(customer), '--status', 'suspended', '--yes')
  const keys = (await t.admin('list-keys', String(customer), '--json')).json<KeyJson[]>()
  expect(keys).toMatchObject([
    { id: free.id, status: 'suspended', budget_usd: null, spent_usd: '0.0002' },
    { id: own.id, status: 'suspended', budget_usd: '1', spent_usd: '0.0003', concurrency: 2 },
  ])
  const { out } = await t.admin('list-keys', String(customer))
  expect(out).toContain('2 at a time')
  expect(out).toMatch(/2 keys\n$/)
})

// top shows what runs; kill marks it for whoever runs it, settles what nobody runs any more, and says what has ended or never was.
import { afterEach, beforeEach, expect, test } from 'vitest'
import { begin, makeCustomer, makeKey, priceAll, request, type TestDatabase, type TestKey, testDatabase } from './testing.ts'

let t: TestDatabase
let key: TestKey
beforeEach(async () => {
  t = await testDatabase()
  await priceAll(t)
  key = await makeKey(t, await makeCustomer(t))
})
afterEach(() => t.close())

const UNKNOWN = '019ab3c1-5a4e-7c11-8f00-1b2c3d4e5f60'

test('top lists what runs, oldest first, with its age, tokens and hold', async () => {
  expect((await t.admin('top')).out).toBe('Nothing runs.\n')
  const old = await begin(t, key, { atMs: Date.now() - 65_000 })
  const young = await begin(t, key, { model: 'young:latest' })
  await t.db.all('UPDATE holds SET checkpoint_output = 1234, checkpoint_nano = 5000 WHERE id = ?', [old])
  const rows = (await t.admin('top', '--json')).json<Record<string, unknown>[]>()
  expect(rows).toMatchObject([
    { id: old, customer_id: key.customerId, key_id: key.id, upstream: 'ollama', state: 'running', output_tokens: 1234, held_usd: '1' },
    { id: young, model: 'young:latest', output_tokens: 0 },
  ])
  expect(rows[0]?.age_seconds).toBeGreaterThanOrEqual(65)
  const { out } = await t.admin('top')
  expect(out).toMatch(/1m\d\ds +1,234 +\$1 +running/)
  expect(out).toContain('2 requests, 2 on the host; $2 held.')
  expect((await t.admin('top', '--watch')).err).toMatch(/--watch draws on a terminal/)
})

test('kill marks a request, once, with a note; top shows that it is ending', async () => {
  const id = await begin(t, key)
  expect((await t.admin('kill', id)).err).toMatch(/--yes is missing/)
  expect((await t.adminIn({ answer: false }, 'kill', id)).err).toMatch(/not confirmed/)
  expect((await t.admin('kill', id, '--yes', '--wait', '0')).out).toMatch(/is told to end: whoever runs it looks every few seconds/)
  expect((await t.admin('kill', id, '--yes', '--wait', '0')).out).toMatch(/was told to end before/)
  expect((await t.admin('top', '--json')).json<object[]>()).toMatchObject([{ id, state: 'ending' }])
  const notes = (await t.admin('audit', '--json')).json<{ command: string; target: string }[]>().filter(({ command }) => command === 'kill')
  expect(notes).toMatchObject([{ target: `request ${id}`, before: { killed_ms: null }, after: { killed_ms: expect.any(Number) } }])
})

test('what nobody runs any more is settled by kill itself, at its checkpoint', async () => {
  const id = await begin(t, key)
  await t.db.all('UPDATE holds SET checkpoint_nano = 5000, checkpoint_gpu_ms = 5000, expires_ms = 1 WHERE id = ?', [id])
  expect((await t.admin('top', '--json')).json<object[]>()).toMatchObject([{ id, state: 'lost' }])
  expect((await t.admin('kill', id, '--yes')).out).toContain('has ended: expired, charged $0.000005')
  expect((await t.admin('verify-ledger')).code).toBe(0)
})

test('what has ended stays as it is, and what never was is said', async () => {
  const id = await request(t, key)
  const before = await t.dump()
  expect((await t.admin('kill', id, '--yes')).out).toMatch(/had ended before, at .* UTC: completed, charged \$0\.001\. Nothing was changed/)
  expect(await t.admin('kill', UNKNOWN, '--yes')).toMatchObject({ code: 1, err: expect.stringContaining(`there is no request ${UNKNOWN}`) })
  expect((await t.admin('kill', 'x', '--yes')).code).toBe(2)
  expect(await t.dump()).toBe(before)
})

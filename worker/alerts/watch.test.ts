// What else is told: requests that were over, stuck holds, failed proofs, the host, its models, the Access token; to the operator alone.
import { beforeAll, beforeEach, expect, test, vi } from 'vitest'
import { DAY_MS } from '../ledger/periods.ts'
import { alertsOf, idsOf, makeTarget, WELL, watchAt, withoutTargets } from '../testing/alerts.ts'
import { admit, askOf, db, endingOf, makeCustomer, makeKey, migrate, setPrice, settle, usd } from '../testing/ledger.ts'
import { accessTokenAlerts } from './access-token.ts'
import type { Look } from './host.ts'
import { watch } from './watch.ts'

beforeAll(migrate)
beforeEach(withoutTargets)

const MINUTE = 60_000
const NOW = Date.UTC(2026, 10, 24, 12)
const down = (host: Look['host']): Look => ({ host, models: null })
const words = async (target: number) => (await alertsOf(target)).map(({ title, severity }) => `${severity}: ${title}`)

test('without a target nothing is asked', async () => {
  const look = vi.fn(async () => WELL)
  await watch({ db, nowMs: NOW, config: { accessTokenExpiresDay: 0 }, look })
  await makeTarget({ customerId: await makeCustomer() })
  await makeTarget({ kinds: ['budget'] })
  await watch({ db, nowMs: NOW, config: { accessTokenExpiresDay: null }, look })
  expect(look).not.toHaveBeenCalled()
})

test('a request that used more than was held is told once, by its index, without a look at other rows', async () => {
  await setPrice('m:latest', { request: '0.001', output: '1' })
  const customer = await makeCustomer({ budget: '5' })
  const key = await makeKey(customer)
  const ids: string[] = []
  // Held: $0.001 + 100 tokens at $1/Mtok = $0.0011.
  for (const cost of ['0.0011', '0.002']) {
    const ask = askOf(key, { outputAsked: 100, inputBound: 0 })
    await admit(db, ask)
    await settle(db, endingOf(key, ask.id, usd(cost)))
    ids.push(ask.id)
  }
  const [operators, customers] = [await makeTarget(), await makeTarget({ customerId: customer, kinds: ['budget'] })]
  await watchAt(Date.now())
  await watchAt(Date.now() + 10 * MINUTE)
  expect(await alertsOf(operators)).toMatchObject([
    { id: `over:${ids[1]}`, type: 'over', data: { customer_id: customer, cost_usd: '0.0011', over_usd: '0.0009' } },
  ])
  expect(await idsOf(customers)).toEqual([])
  const { results } = await db
    .prepare('EXPLAIN QUERY PLAN SELECT id FROM usage u WHERE u.over_nano > 0 AND u.settled_ms > 5 ORDER BY u.settled_ms DESC LIMIT 100')
    .all<{ detail: string }>()
  expect(results.map(({ detail }) => detail).join()).toContain('usage_over')
})

test('a hold that the sweep does not settle is told after five minutes', async () => {
  await setPrice('m:latest', { request: '0.001' })
  const key = await makeKey(await makeCustomer())
  const ask = askOf(key)
  await admit(db, ask)
  const expiresMs = (await db.prepare('SELECT expires_ms FROM holds WHERE id = ?').bind(ask.id).first<number>('expires_ms')) ?? 0
  const target = await makeTarget({ kinds: ['stuck'] })
  await watchAt(expiresMs + 5 * MINUTE)
  expect(await idsOf(target)).toEqual([])
  await watchAt(expiresMs + 5 * MINUTE + 1)
  await watchAt(expiresMs + 9 * MINUTE)
  expect(await alertsOf(target)).toMatchObject([{ id: `stuck:${ask.id}`, severity: 'critical', data: { held_usd: '0.001' } }])
})

test('a failed proof is told once, a sound one never, and none that was before the target', async () => {
  const insert = 'INSERT INTO verifications (ok, findings, report, took_ms, created_ms) VALUES (?, ?, ?, 5, ?) RETURNING id'
  const prove = (ok: number, atMs: number) =>
    db
      .prepare(insert)
      .bind(ok, ok ? 0 : 2, '[]', atMs)
      .first<number>('id')
  await prove(0, NOW - 30 * MINUTE)
  const target = await makeTarget({ kinds: ['verification'], createdMs: NOW - 20 * MINUTE })
  await prove(1, NOW - 10 * MINUTE)
  const failed = await prove(0, NOW - 5 * MINUTE)
  await watchAt(NOW)
  await watchAt(NOW + MINUTE)
  expect(await alertsOf(target)).toMatchObject([
    {
      id: `verification:${failed}`,
      title: 'The ledger disagrees',
      message: 'The proof of 2026-11-24 11:55 UTC found 2 rows that cannot be so. See verify-ledger.',
    },
  ])
})

test('a host is down when it fails twice in a row; its cause is told, another cause too, and that it is back', async () => {
  const target = await makeTarget({ kinds: ['host'] })
  let minute = 0
  const each = async (...found: Look['host'][]) => {
    for (const host of found) await watchAt(NOW + minute++ * MINUTE, { found: down(host) })
    return words(target)
  }
  expect(await each(null, 'timeout', null, 'tunnel')).toEqual([])
  expect(await each('tunnel', 'tunnel', 'tunnel')).toEqual(['critical: The host is down'])
  // One other cause is a hiccup, two are another trouble; the first cause again is known.
  expect(await each('ollama', 'tunnel')).toHaveLength(1)
  expect(await each('ollama', 'ollama', 'tunnel', 'tunnel')).toHaveLength(2)
  expect(await each(null, null)).toEqual(['critical: The host is down', 'critical: The host is down', 'info: The host is back'])
  expect((await alertsOf(target)).map(({ message }) => message)).toEqual([
    'Cloudflare has no tunnel to the box: check that it is on and that cloudflared runs. Since 2026-11-24 12:03 UTC.',
    'The box is reached, Ollama on it is not: check that it runs. Since 2026-11-24 12:03 UTC.',
    'It was away since 2026-11-24 12:03 UTC.',
  ])
  expect(await each('access', 'access')).toHaveLength(4)
})

test('two schedules that overlap are one look', async () => {
  const target = await makeTarget({ kinds: ['host'] })
  await Promise.all([watchAt(NOW, { found: down('tunnel') }), watchAt(NOW + 500, { found: down('tunnel') })])
  await watchAt(NOW + 900, { found: down('tunnel') })
  expect(await idsOf(target)).toEqual([])
  await Promise.all([watchAt(NOW + MINUTE, { found: down('tunnel') }), watchAt(NOW + MINUTE, { found: down('tunnel') })])
  expect(await idsOf(target)).toEqual([`host:tunnel:${NOW}`])
})

test('a model that is priced and not on the host is told, until it is there or is not offered', async () => {
  await setPrice('chat:1b', { request: '0.001' })
  await setPrice('gone:1b', { request: '0.001' })
  await setPrice('*', { request: '0.001' })
  await setPrice('gpt-6', { request: '0.001', upstream: 'openai' })
  const target = await makeTarget({ kinds: ['model'] })
  const has = (...models: string[]) => ({ found: { host: null, models: new Set(['m:latest', ...models]) } })
  await watchAt(NOW, has('chat:1b'))
  await watchAt(NOW + MINUTE, has())
  await watchAt(NOW + 2 * MINUTE, has())
  expect(await words(target)).toEqual(['warning: gone:1b is not on the host', 'warning: chat:1b is not on the host'])
  // While nobody can say, nothing changes.
  await watchAt(NOW + 3 * MINUTE, { found: down('timeout') })
  await setPrice('gone:1b', { withdrawn: true, validFromMs: 1 })
  await watchAt(NOW + 4 * MINUTE, has('chat:1b'))
  expect((await words(target)).slice(2)).toEqual(['info: chat:1b is back on the host'])
  expect(await db.prepare('SELECT count(*) AS n FROM alert_state').first('n')).toBe(0)
})

test('the Access token is told of 30, 7 and 1 days before its end, and at it', async () => {
  const today = Math.floor(NOW / DAY_MS)
  const titles = [31, 30, 29, 8, 7, 2, 1, 0, -3].map((left) =>
    accessTokenAlerts(today + left, NOW).map(({ id, payload }) => `${id.split(':').at(-1)}: ${payload.title}`),
  )
  expect(titles.flat()).toEqual([
    '30: The Access token ends in 30 days',
    '30: The Access token ends in 29 days',
    '30: The Access token ends in 8 days',
    '7: The Access token ends in 7 days',
    '7: The Access token ends in 2 days',
    '1: The Access token ends in 1 day',
    '0: The Access token is at its end',
    '0: The Access token is at its end',
  ])
  const target = await makeTarget({ kinds: ['access-token'] })
  for (const days of [0, 1, 2]) await watchAt(NOW + days * DAY_MS, { accessTokenExpiresDay: today + 30 })
  expect(await idsOf(target)).toEqual(['access-token:2026-12-24:30'])
})

test('a part that fails leaves the others alone', async () => {
  const customer = await makeCustomer({ budget: '1' })
  await db
    .prepare('INSERT INTO spend (owner, period, spent_nano) VALUES (?, ?, 900000000)')
    .bind(`c${customer}`, Date.UTC(2026, 10, 1) / DAY_MS)
    .run()
  const target = await makeTarget({ kinds: ['budget', 'host', 'access-token'] })
  await watch({ db, nowMs: NOW, config: { accessTokenExpiresDay: 0 }, look: async () => Promise.reject(new Error('a bug')) })
  expect((await alertsOf(target)).map(({ type }) => type)).toEqual(['access-token', 'budget'])
})

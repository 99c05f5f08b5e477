// Settlement on a real D1: posted once, whatever races; sums that agree; at most five rows a request.
import { beforeAll, expect, test } from 'vitest'
import type { NanoUsd } from '../money.ts'
import { UNUSED } from '../pricing.ts'
import { admit, askOf, db, endingOf, makeCustomer, makeKey, migrate, setPrice, settle, type TestKey, usd } from '../testing/ledger.ts'
import { commit } from './commit.ts'
import { renew, renewalMs } from './lease.ts'
import { DAY_MS, periodRenewsMs, periodStartDay, rebuildSpendSql } from './periods.ts'
import { settleSurely, sweep } from './settlement.ts'

beforeAll(async () => {
  await migrate()
  await setPrice('m:latest', { input: '1', output: '1' })
})

/** A running request that holds 1,000 tokens at $1/Mtok = $0.001. */
async function running(key: TestKey, nowMs?: number): Promise<string> {
  const ask = askOf(key, { inputBound: 1000, outputAsked: 0, ...(nowMs === undefined ? {} : { nowMs }) })
  const verdict = await admit(db, ask)
  if (!verdict.admitted) throw new Error(verdict.refusal)
  return ask.id
}

const spent = (owner: string) => db.prepare('SELECT sum(spent_nano) AS nano FROM spend WHERE owner = ?').bind(owner).first<number>('nano')
const usageOf = (id: string) => db.prepare('SELECT * FROM usage WHERE id = ?').bind(id).first()
const expire = (id: string) => db.prepare('UPDATE holds SET expires_ms = 0 WHERE id = ?').bind(id).run()

/** The database with every batch's written rows counted. */
function counted(): { db: D1Database; written: number; calls: number } {
  const counts = {
    written: 0,
    calls: 0,
    db: {
      prepare: (sql: string) => db.prepare(sql),
      async batch<T>(statements: D1PreparedStatement[]) {
        counts.calls++
        const results = await db.batch<T>(statements)
        for (const { meta } of results) counts.written += meta.rows_written
        return results
      },
    } as unknown as D1Database,
  }
  return counts
}

test('a request is two D1 calls and five written rows, six with a key that has a budget', async () => {
  for (const [budget, rows] of [
    [null, 5],
    ['1', 6],
  ] as const) {
    const key = await makeKey(await makeCustomer({ budget: '1', rpm: 100 }), { budget })
    const counts = counted()
    for (let request = 1; request <= 2; request++) {
      const ask = askOf(key, { inputBound: 1000 })
      await admit(counts.db, ask)
      await settle(counts.db, endingOf(key, ask.id, 500))
      expect([counts.calls, counts.written]).toEqual([2 * request, rows * request])
    }
  }
})

test('a settlement posts usage, spend and daily sums, and ends the hold', async () => {
  const key = await makeKey(await makeCustomer({ budget: '1' }), { budget: '1', period: 'total' })
  const id = await running(key)
  const ending = endingOf(key, id, 700_000, { used: { ...UNUSED, input: 600, cached: 100, output: 50, gpuMs: 20 }, firstMs: 12 })
  await settle(db, ending)
  expect(await usageOf(id)).toMatchObject({
    outcome: 'completed',
    cost_nano: 700_000,
    over_nano: 0,
    input_tokens: 600,
    cached_tokens: 100,
    first_ms: 12,
  })
  expect([await spent(`c${key.customerId}`), await spent(`k${key.id}`)]).toEqual([700_000, 700_000])
  const daily = await db.prepare('SELECT * FROM usage_daily WHERE customer_id = ?').bind(key.customerId).first()
  expect(daily).toMatchObject({
    requests: 1,
    input_tokens: 600,
    cached_tokens: 100,
    output_tokens: 50,
    gpu_ms: 20,
    cost_nano: 700_000,
    outcome: 'completed',
  })
  expect(await db.prepare('SELECT count(*) AS n FROM holds WHERE id = ?').bind(id).first('n')).toBe(0)
})

test('a second settlement of the same request posts nothing', async () => {
  const key = await makeKey(await makeCustomer({ budget: '1' }))
  const id = await running(key)
  await settle(db, endingOf(key, id, 700))
  await settle(db, endingOf(key, id, 900, { outcome: 'failed' }))
  expect(await usageOf(id)).toMatchObject({ outcome: 'completed', cost_nano: 700 })
  expect(await spent(`c${key.customerId}`)).toBe(700)
})

test('many endings ride in one batch, and one without a hold does no harm', async () => {
  const key = await makeKey(await makeCustomer({ budget: '1' }))
  const ids = [await running(key), await running(key), await running(key)]
  const { posted } = await commit(db, [...ids.map((id) => endingOf(key, id, 10)), endingOf(key, 'no-such-request', 10)], [])
  expect([...posted].sort()).toEqual([...ids].sort())
  expect(await spent(`c${key.customerId}`)).toBe(30)
})

test('with a budget no more than the hold is charged, and what was over stands beside it; without one all is charged', async () => {
  const limited = await makeKey(await makeCustomer({ budget: '1' }))
  const unlimited = await makeKey(await makeCustomer())
  const keyLimited = await makeKey(await makeCustomer(), { budget: '1' })
  for (const [key, cost, over] of [
    [limited, usd('0.001'), usd('0.004')],
    [unlimited, usd('0.005'), 0],
    [keyLimited, usd('0.001'), usd('0.004')],
  ] as const) {
    const id = await running(key)
    await settle(db, endingOf(key, id, usd('0.005')))
    expect(await usageOf(id)).toMatchObject({ cost_nano: cost, over_nano: over })
  }
})

test('an expired request is worth its checkpoint, and nothing where nothing was delivered', async () => {
  const key = await makeKey(await makeCustomer({ budget: '1' }))
  const [silent, talking] = [await running(key), await running(key)]
  const used = { ...UNUSED, input: 100, output: 7, gpuMs: 3 }
  await renew(db, { customerId: key.customerId, id: talking, costNano: 107_000 as NanoUsd, used, firstMs: 9, leaseMs: 1000 })
  await expire(silent)
  await expire(talking)
  expect(await sweep(db)).toBe(2)
  expect(await usageOf(silent)).toMatchObject({ outcome: 'expired', cost_nano: 0, output_tokens: 0, estimated: 0 })
  expect(await usageOf(talking)).toMatchObject({
    outcome: 'expired',
    cost_nano: 107_000,
    input_tokens: 100,
    output_tokens: 7,
    first_ms: 9,
    estimated: 1,
  })
  expect(await sweep(db)).toBe(0)
})

test('the daily sums hold the time to the first token, each request in the smallest column that holds it', async () => {
  const key = await makeKey(await makeCustomer({ budget: '1' }))
  for (const firstMs of [0, 50, 51, 400, 51_200, 51_201, null]) await settle(db, endingOf(key, await running(key), 5, { firstMs }))
  const daily = () => db.prepare('SELECT * FROM usage_daily WHERE customer_id = ? ORDER BY outcome').bind(key.customerId).all()
  // 0 + 50 + 51 + 400 + 51,200 + 51,201 = 102,902
  expect((await daily()).results).toMatchObject([
    {
      requests: 7,
      first_requests: 6,
      first_ms_sum: 102_902,
      first_le_50: 2,
      first_le_100: 1,
      first_le_200: 0,
      first_le_400: 1,
      first_le_51200: 1,
    },
  ])
  const talking = await running(key)
  const used = { ...UNUSED, input: 1, output: 1 }
  await renew(db, { customerId: key.customerId, id: talking, costNano: 1 as NanoUsd, used, firstMs: 90, leaseMs: 0 })
  await expire(talking)
  await expire(await running(key))
  await sweep(db)
  expect((await daily()).results[1]).toMatchObject({
    outcome: 'expired',
    requests: 2,
    first_requests: 1,
    first_ms_sum: 90,
    first_le_100: 1,
  })
})

test('a lease that runs is not swept', async () => {
  const key = await makeKey(await makeCustomer({ budget: '1' }))
  const id = await running(key)
  await sweep(db)
  expect(await usageOf(id)).toBeNull()
  await settle(db, endingOf(key, id, 0))
})

test('an end after expiry posts the rest once, as far as there is room', async () => {
  const key = await makeKey(await makeCustomer({ budget: '0.002' }), { budget: '1', period: 'total' })
  const id = await running(key)
  await expire(id)
  await sweep(db)
  // $0.0015 of $0.002 is taken by others meanwhile
  const other = await running(key)
  await settle(db, endingOf(key, other, usd('0.001')))
  const third = await running(key)
  await settle(db, endingOf(key, third, usd('0.0005')))
  for (let time = 0; time < 3; time++) await settle(db, endingOf(key, id, usd('0.0008')))
  const late = await db.prepare('SELECT * FROM adjustments WHERE id = ?').bind(`late:${id}`).first()
  expect(late).toMatchObject({ amount_nano: usd('0.0005'), usage_id: id, key_id: key.id })
  expect([await spent(`c${key.customerId}`), await spent(`k${key.id}`)]).toEqual([usd('0.002'), usd('0.002')])
})

test('a late end is charged no more than its hold, and not at all twice over its checkpoint', async () => {
  const key = await makeKey(await makeCustomer({ budget: '1' }))
  const id = await running(key)
  await renew(db, {
    customerId: key.customerId,
    id,
    costNano: usd('0.0004'),
    used: { ...UNUSED, input: 1, output: 1 },
    firstMs: 1,
    leaseMs: 0,
  })
  await expire(id)
  await sweep(db)
  await settle(db, endingOf(key, id, usd('0.5')))
  // $0.001 held − $0.0004 at the checkpoint
  expect(await db.prepare('SELECT amount_nano FROM adjustments WHERE id = ?').bind(`late:${id}`).first('amount_nano')).toBe(usd('0.0006'))
})

test('200 settlements racing a sweep are each posted once', async () => {
  const key = await makeKey(await makeCustomer({ budget: '1' }))
  const ids = await Promise.all(Array.from({ length: 200 }, () => running(key)))
  await db.prepare('UPDATE holds SET expires_ms = 0 WHERE customer_id = ?').bind(key.customerId).run()
  await Promise.all([...ids.map((id) => settle(db, endingOf(key, id, 1000))), sweep(db), sweep(db), sweep(db)])
  while ((await sweep(db)) > 0);
  const posted = await db
    .prepare(
      "SELECT count(*) AS n, sum(cost_nano) AS cost, sum(outcome = 'completed') AS completed, sum(outcome = 'expired') AS expired FROM usage WHERE customer_id = ?",
    )
    .bind(key.customerId)
    .first<{ n: number; cost: number; completed: number; expired: number }>()
  const late = await db.prepare('SELECT count(*) AS n FROM adjustments WHERE customer_id = ?').bind(key.customerId).first<number>('n')
  expect(posted?.n).toBe(200)
  expect(late).toBe(posted?.expired)
  expect(await spent(`c${key.customerId}`)).toBe(200_000)
})

test('a settlement is tried again after its waits, and gives up with the last error', async () => {
  const key = await makeKey(await makeCustomer({ budget: '1' }))
  const id = await running(key)
  const waits: number[] = []
  const sleep = async (ms: number) => void waits.push(ms)
  let failures = 2
  const shaky = {
    prepare: (sql: string) => db.prepare(sql),
    batch(statements: D1PreparedStatement[]) {
      if (failures-- > 0) return Promise.reject(new Error('D1_ERROR: something else'))
      return db.batch(statements)
    },
  } as unknown as D1Database
  await settleSurely(() => settle(shaky, endingOf(key, id, 5)), sleep)
  expect(waits).toEqual([1000, 3000])
  expect(await usageOf(id)).toMatchObject({ cost_nano: 5 })
  failures = 100
  await expect(settleSurely(() => settle(shaky, endingOf(key, id, 5)), sleep)).rejects.toThrow('something else')
})

test('a batch whose reply was lost is asked again and posts once', async () => {
  const key = await makeKey(await makeCustomer({ budget: '1' }))
  const id = await running(key)
  let lost = true
  const lossy = {
    prepare: (sql: string) => db.prepare(sql),
    async batch(statements: D1PreparedStatement[]) {
      const results = await db.batch(statements)
      if (!lost) return results
      lost = false
      throw new Error('D1_ERROR: Network connection lost.')
    },
  } as unknown as D1Database
  await settle(lossy, endingOf(key, id, 5))
  expect(await spent(`c${key.customerId}`)).toBe(5)
})

test('what was admitted in one month is spent in that month', async () => {
  const key = await makeKey(await makeCustomer({ budget: '0.001' }))
  const october = Date.UTC(2026, 9, 31, 23, 59, 59)
  const id = await running(key, october)
  await settle(db, endingOf(key, id, 5))
  const rows = await db.prepare('SELECT period, spent_nano FROM spend WHERE owner = ?').bind(`c${key.customerId}`).all()
  expect(rows.results).toEqual([{ period: Date.UTC(2026, 9, 1) / DAY_MS, spent_nano: 5 }])
})

test('spend written anew for another period is what the days add up to', async () => {
  const key = await makeKey(await makeCustomer({ budget: '1' }))
  for (const [day, cost] of [
    [Date.UTC(2026, 9, 31), 5],
    [Date.UTC(2026, 10, 1), 7],
    [Date.UTC(2026, 10, 2), 11],
  ] as const) {
    const id = await running(key, day)
    await settle(db, endingOf(key, id, cost))
  }
  const periods = async () =>
    (await db.prepare('SELECT spent_nano AS n FROM spend WHERE owner = ? ORDER BY period').bind(`c${key.customerId}`).raw()).flat()
  expect(await periods()).toEqual([5, 18])
  await db.batch([
    db.prepare("UPDATE customers SET budget_period = 'week' WHERE id = ?").bind(key.customerId),
    ...rebuildSpendSql('customer').map((sql) => db.prepare(sql).bind(key.customerId)),
  ])
  // 31 October and 1 November 2026 are a Saturday and a Sunday
  expect(await periods()).toEqual([12, 11])
})

test('periods begin and renew where the calendar says', () => {
  const at = Date.UTC(2026, 10, 24, 12)
  const iso = (ms: number | null) => (ms === null ? null : new Date(ms).toISOString().slice(0, 10))
  const both = (kind: 'total' | 'day' | 'week' | 'month') => [iso(periodStartDay(kind, at) * DAY_MS), iso(periodRenewsMs(kind, at))]
  expect([both('total'), both('day'), both('week'), both('month')]).toEqual([
    ['1970-01-01', null],
    ['2026-11-24', '2026-11-25'],
    ['2026-11-23', '2026-11-30'],
    ['2026-11-01', '2026-12-01'],
  ])
})

test('a lease is renewed for as long again as the stream has run, 90 s at least, and outlives a silence', () => {
  expect([renewalMs(10_000, 60_000), renewalMs(300_000, 60_000)]).toEqual([180_000, 390_000])
})

test('what is posted cannot be changed or deleted', async () => {
  const key = await makeKey(await makeCustomer({ budget: '1' }))
  await settle(db, endingOf(key, await running(key), 5))
  for (const sql of [
    'UPDATE usage SET cost_nano = 0',
    'DELETE FROM usage',
    'UPDATE prices SET input_pico = 0',
    'DELETE FROM prices',
    'DELETE FROM adjustments',
  ]) {
    await expect(db.prepare(sql).run()).rejects.toThrow(/never changes|are kept/)
  }
})

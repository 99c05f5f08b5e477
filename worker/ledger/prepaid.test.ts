// Prepaid customers on a real D1: what was paid in is the most that is charged, whatever runs at once, in whatever month.
import { beforeAll, expect, test } from 'vitest'
import {
  admit,
  askOf,
  db,
  endingOf,
  invoiceMonth,
  makeCustomer,
  makeKey,
  migrate,
  payIn,
  setPrice,
  settle,
  type TestKey,
  usd,
} from '../testing/ledger.ts'
import { Group } from './group.ts'
import { DAY_MS, periodStartDay } from './periods.ts'
import { proveLedger } from './proofs.ts'
import { sweep } from './settlement.ts'

beforeAll(async () => {
  await migrate()
  await setPrice('m:latest', { input: '1', output: '1' })
})

/** 1,000 tokens at $1/Mtok = $0.001. */
const asking = (key: TestKey, more: { nowMs?: number } = {}) => askOf(key, { inputBound: 1000, outputAsked: 0, ...more })

async function running(key: TestKey, nowMs?: number): Promise<string> {
  const ask = asking(key, nowMs === undefined ? {} : { nowMs })
  const verdict = await admit(db, ask)
  if (!verdict.admitted) throw new Error(verdict.refusal)
  return ask.id
}

async function expired(key: TestKey, nowMs?: number): Promise<string> {
  const id = await running(key, nowMs)
  await db.prepare('UPDATE holds SET expires_ms = 0 WHERE id = ?').bind(id).run()
  await sweep(db)
  return id
}

const spent = (owner: string) => db.prepare('SELECT sum(spent_nano) AS nano FROM spend WHERE owner = ?').bind(owner).first<number>('nano')
const lateOf = (id: string) => db.prepare('SELECT amount_nano, day FROM adjustments WHERE id = ?').bind(`late:${id}`).first()

test('500 parallel requests on a balance for 37 admit 37, alone and in groups, and the balance ends at nothing', {
  timeout: 120_000,
}, async () => {
  for (const group of [new Group(db, { max: 1 }), new Group(db)]) {
    const key = await makeKey(await makeCustomer({ prepaid: '0.037' }))
    const asks = Array.from({ length: 500 }, () => asking(key))
    const verdicts = await Promise.all(asks.map((ask) => group.admit(ask, () => {})))
    expect(verdicts.filter(({ admitted }) => admitted)).toHaveLength(37)
    expect(verdicts.filter((verdict) => !verdict.admitted && verdict.refusal === 'budget_exceeded')).toHaveLength(463)
    const admitted = asks.filter((_, index) => verdicts[index]?.admitted)
    await Promise.all(admitted.map(({ id }) => group.settle(endingOf(key, id, usd('0.001')), () => {})))
    expect(await spent(`p${key.customerId}`)).toBe(0)
  }
})

test('without a payment nothing that costs is admitted, and a payment is room at once', async () => {
  const key = await makeKey(await makeCustomer({ prepaid: '0' }))
  expect(await admit(db, asking(key))).toMatchObject({ refusal: 'budget_exceeded', standing: { balance: { leftNano: 0, heldNano: 0 } } })
  await payIn(key.customerId, usd('0.003'))
  const verdict = await admit(db, askOf(key, { inputBound: 1000, outputAsked: 5000 }))
  // $0.003 − $0.001 of input = 2,000 tokens at $1/Mtok
  expect(verdict.admitted && [verdict.hold.outputLimit, verdict.standing.roomNano]).toEqual([2000, usd('0.003')])
})

test('the smaller room binds: the balance, the budget, or the budget of the key', async () => {
  for (const [prepaid, budget, keyBudget] of [
    ['0.002', '1', '1'],
    ['1', '0.002', '1'],
    ['1', '1', '0.002'],
    ['0.002', null, null],
  ] as const) {
    const key = await makeKey(await makeCustomer({ prepaid, budget }), { budget: keyBudget })
    const verdict = await admit(db, asking(key))
    expect(verdict.standing?.roomNano).toBe(usd('0.002'))
    await running(key)
    expect((await admit(db, asking(key))).admitted).toBe(false)
  }
})

test('a hold of any month weighs on the balance', async () => {
  const key = await makeKey(await makeCustomer({ prepaid: '0.001' }))
  await running(key, Date.UTC(2026, 9, 31, 23, 59))
  const refused = await admit(db, asking(key, { nowMs: Date.UTC(2026, 10, 1) }))
  expect(refused).toMatchObject({ refusal: 'budget_exceeded', standing: { balance: { leftNano: usd('0.001'), heldNano: usd('0.001') } } })
})

test('no more than the hold is charged, what is not used comes back, and money paid back is gone', async () => {
  const key = await makeKey(await makeCustomer({ prepaid: '0.002' }))
  const [over, under] = [await running(key), await running(key)]
  await settle(db, endingOf(key, over, usd('0.005')))
  await settle(db, endingOf(key, under, usd('0.0004')))
  expect(await spent(`p${key.customerId}`)).toBe(-usd('0.0006'))
  await payIn(key.customerId, -usd('0.001'))
  expect(await admit(db, asking(key))).toMatchObject({ refusal: 'budget_exceeded', standing: { balance: { leftNano: -usd('0.0004') } } })
})

test('a late end is charged as far as the balance has room, once', async () => {
  const key = await makeKey(await makeCustomer({ prepaid: '0.001' }))
  const id = await expired(key)
  await settle(db, endingOf(key, await running(key), usd('0.0007')))
  for (let time = 0; time < 2; time++) await settle(db, endingOf(key, id, usd('0.0009')))
  expect(await lateOf(id)).toMatchObject({ amount_nano: usd('0.0003') })
  expect(await spent(`p${key.customerId}`)).toBe(0)
})

test('a late end of a month that has been invoiced counts for today, by today’s room', async () => {
  const october = Date.UTC(2025, 9, 31, 12)
  const key = await makeKey(await makeCustomer({ budget: '0.002' }))
  const [open, closed, full] = [await expired(key, october), await expired(key, october), await expired(key, october)]
  await settle(db, endingOf(key, open, usd('0.0005')))
  await invoiceMonth(key.customerId, october)
  await settle(db, endingOf(key, await running(key), usd('0.001')))
  await settle(db, endingOf(key, await running(key), usd('0.0002')))
  await settle(db, endingOf(key, closed, usd('0.0007')))
  await settle(db, endingOf(key, full, usd('0.0007')))
  const today = Math.floor(Date.now() / DAY_MS)
  expect([await lateOf(open), await lateOf(closed), await lateOf(full)]).toEqual([
    { amount_nano: usd('0.0005'), day: Math.floor(october / DAY_MS) },
    { amount_nano: usd('0.0007'), day: today },
    // $0.002 − $0.0012 − $0.0007 of this month
    { amount_nano: usd('0.0001'), day: today },
  ])
  const { results } = await db.prepare('SELECT * FROM spend WHERE owner = ? ORDER BY period').bind(`c${key.customerId}`).all()
  expect(results.map(({ period, spent_nano }) => [period, spent_nano])).toEqual([
    [periodStartDay('month', october), usd('0.0005')],
    [periodStartDay('month', Date.now()), usd('0.002')],
  ])
})

test('the invoice of another customer, or of another month, moves nothing', async () => {
  const october = Date.UTC(2025, 9, 31, 12)
  const key = await makeKey(await makeCustomer())
  await invoiceMonth(await makeCustomer(), october)
  await invoiceMonth(key.customerId, Date.UTC(2025, 10, 1))
  const id = await expired(key, october)
  await settle(db, endingOf(key, id, 5))
  expect(await lateOf(id)).toEqual({ amount_nano: 5, day: Math.floor(october / DAY_MS) })
})

test('after all of it the ledger agrees', async () => {
  await sweep(db)
  const proven = await proveLedger(async (sql) => (await db.prepare(sql).all()).results)
  // The costs here are what each test needs, and the invoices only close a month.
  const asked = proven.filter(({ proof }) => !/^(invoices are|each cost is)/.test(proof))
  expect(asked.filter(({ disagreeing }) => disagreeing.length > 0)).toEqual([])
})

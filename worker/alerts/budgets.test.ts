// Budgets' alerts on a real ledger: each threshold once, for whom it concerns, and anew in each period.
import { beforeAll, beforeEach, expect, test } from 'vitest'
import { DAY_MS } from '../ledger/periods.ts'
import { alertsOf, idsOf, makeTarget, watchAt, withoutTargets } from '../testing/alerts.ts'
import { admit, askOf, db, makeCustomer, makeKey, migrate, setPrice, usd } from '../testing/ledger.ts'
import { noteUsedUp } from './refused.ts'

beforeAll(migrate)
beforeEach(withoutTargets)

const NOV = Date.UTC(2026, 10, 24, 12)
const NOV_1 = Date.UTC(2026, 10, 1) / DAY_MS
const DEC = Date.UTC(2026, 11, 3, 12)
const DEC_1 = Date.UTC(2026, 11, 1) / DAY_MS

/** As a settlement would: the sum of a period. */
const spend = (owner: string, amount: string, period = NOV_1) =>
  db.prepare('INSERT OR REPLACE INTO spend (owner, period, spent_nano) VALUES (?, ?, ?)').bind(owner, period, usd(amount)).run()

test('each threshold is told once, as it is reached, and the highest alone if several are', async () => {
  const customer = await makeCustomer({ budget: '5' })
  const target = await makeTarget()
  const told = async (amount: string) => {
    await spend(`c${customer}`, amount)
    await watchAt(NOV)
    await watchAt(NOV)
    return (await idsOf(target)).map((id) => id.split(':').at(-1))
  }
  expect(await told('2.499999999')).toEqual([])
  expect(await told('2.5')).toEqual(['50'])
  expect(await told('3.999999999')).toEqual(['50'])
  expect(await told('4')).toEqual(['50', '80'])
  expect((await told('5')).sort()).toEqual(['100', '50', '80'])
  const other = await makeTarget({ thresholds: [10, 90] })
  await watchAt(NOV)
  await watchAt(NOV)
  expect((await idsOf(other)).map((id) => id.split(':').at(-1))).toEqual(['90'])
  // Money that comes back lets no lower threshold be told after a higher one.
  await spend(`c${customer}`, '1')
  await watchAt(NOV)
  expect(await idsOf(other)).toHaveLength(1)
})

test('a new month, another budget and another target are told anew', async () => {
  const customer = await makeCustomer({ budget: '5' })
  const target = await makeTarget()
  await spend(`c${customer}`, '4.5')
  await watchAt(NOV)
  await watchAt(DEC)
  expect(await idsOf(target)).toEqual([`budget:c${customer}:${NOV_1}:5000000000:80`])
  await spend(`c${customer}`, '3', DEC_1)
  await watchAt(DEC)
  await db.prepare('UPDATE customers SET budget_nano = ? WHERE id = ?').bind(usd('6'), customer).run()
  await watchAt(DEC)
  expect(await idsOf(target)).toEqual([
    `budget:c${customer}:${NOV_1}:5000000000:80`,
    `budget:c${customer}:${DEC_1}:5000000000:50`,
    `budget:c${customer}:${DEC_1}:6000000000:50`,
  ])
})

test('a customer is told of their own budget and keys, in words of their own; the operator of all', async () => {
  const [mine, other] = [await makeCustomer({ budget: '5' }), await makeCustomer({ budget: '5' })]
  const key = await makeKey(mine, { budget: '1', period: 'total' })
  const [operators, customers] = [await makeTarget(), await makeTarget({ customerId: mine })]
  await spend(`c${mine}`, '4.02')
  await spend(`c${other}`, '5')
  await spend(`k${key.id}`, '0.5', 0)
  await watchAt(NOV)
  expect((await idsOf(operators)).map((id) => id.split(':')[1]).sort()).toEqual([`c${mine}`, `c${other}`, `k${key.id}`].sort())
  expect(await alertsOf(customers)).toEqual([
    {
      id: `budget:c${mine}:${NOV_1}:5000000000:80`,
      type: 'budget',
      timestamp: '2026-11-24T12:00:00.000Z',
      severity: 'warning',
      title: '80 % of your budget is used',
      // $5 - $4.02
      message: '$4.02 of $5 is spent this month: $0.98 is left. It renews at 2026-12-01 00:00 UTC.',
      data: {
        customer_id: mine,
        customer_name: 'ACME',
        key_id: null,
        key_name: null,
        threshold: 80,
        used_up: false,
        budget_usd: '5',
        spent_usd: '4.02',
        remaining_usd: '0.98',
        period: 'month',
        period_start: '2026-11-01T00:00:00.000Z',
        renews_at: '2026-12-01T00:00:00.000Z',
      },
    },
    expect.objectContaining({
      id: `budget:k${key.id}:0:1000000000:50`,
      severity: 'info',
      title: `50 % of the budget of key ${key.id} is used`,
      message: '$0.5 of $1 is spent in all: $0.5 is left. It does not renew.',
    }),
  ])
  const empty = (await alertsOf(operators)).find(({ id }) => id.startsWith(`budget:c${other}:`))
  expect(empty).toMatchObject({
    severity: 'critical',
    title: `The budget of ACME (customer ${other}) is used up`,
    message: '$5 of $5 is spent this month: $0 is left, and requests are refused. It renews at 2026-12-01 00:00 UTC.',
  })
})

test('whoever does not want it, is gone, or has no budget is not told', async () => {
  const customer = await makeCustomer({ budget: null })
  const revoked = await makeKey(customer, { budget: '1' })
  await db.prepare('UPDATE api_keys SET revoked_ms = 1 WHERE id = ?').bind(revoked.id).run()
  await spend(`c${customer}`, '100')
  await spend(`k${revoked.id}`, '1')
  const other = await makeCustomer({ budget: '5' })
  await spend(`c${other}`, '5')
  const targets = [await makeTarget({ customerId: customer }), await makeTarget({ kinds: ['host'] }), await makeTarget()]
  await db.prepare('UPDATE alert_targets SET removed_ms = 1 WHERE id = ?').bind(targets[2]).run()
  await watchAt(NOV)
  for (const target of targets) expect(await idsOf(target)).toEqual([])
})

test('a budget whose rest covers no request is used up: told as the highest threshold, and not for a large request or running ones', async () => {
  await setPrice('m:latest', { request: '0.4' })
  const customer = await makeCustomer({ budget: '5' })
  const key = await makeKey(customer)
  const target = await makeTarget({ thresholds: [50, 80, 90] })
  const refuse = async () => {
    const verdict = await admit(db, askOf(key, { nowMs: NOV }))
    if (verdict.admitted) throw new Error('admitted')
    const work: Promise<unknown>[] = []
    noteUsedUp(db, verdict, (each) => work.push(each))
    await Promise.all(work)
    await watchAt(NOV)
    return (await alertsOf(target)).map(({ title, message }) => `${title}: ${message}`)
  }
  await setPrice('m:latest', { request: '5', validFromMs: 1 })
  await spend(`c${customer}`, '0.1')
  expect(await refuse()).toEqual([])
  await setPrice('m:latest', { request: '0.4', validFromMs: 2 })
  await spend(`c${customer}`, '4.2')
  const running = askOf(key, { nowMs: NOV })
  await admit(db, running)
  await admit(db, askOf(key, { nowMs: NOV }))
  await spend(`c${customer}`, '4.7')
  const whileRunning = await refuse()
  expect(whileRunning.map((words) => words.slice(0, 4))).toEqual(['90 %'])
  await db.prepare('DELETE FROM holds').run()
  const used = `The budget of ACME (customer ${customer}) is used up: $4.7 of $5 is spent this month: $0.3 is left, and requests are refused. It renews at 2026-12-01 00:00 UTC.`
  const other = await makeTarget({ thresholds: [100] })
  await refuse()
  await refuse()
  expect((await alertsOf(other)).map(({ title, message }) => `${title}: ${message}`)).toEqual([used])
})

test('two that look at once tell once', async () => {
  const customer = await makeCustomer({ budget: '5' })
  const target = await makeTarget()
  await spend(`c${customer}`, '4.5')
  await Promise.all([watchAt(NOV), watchAt(NOV), watchAt(NOV)])
  expect(await idsOf(target)).toHaveLength(1)
})

// Balances' alerts on a real ledger: for each payment in once when a fifth is left and once when nothing is, for whom it concerns.
import { beforeAll, beforeEach, expect, test } from 'vitest'
import { alertsOf, idsOf, makeTarget, WELL, watchAt, withoutTargets } from '../testing/alerts.ts'
import { admit, askOf, db, makeCustomer, makeKey, migrate, payIn, setPrice, usd } from '../testing/ledger.ts'
import { REACHED } from './balances.ts'
import { noteUsedUp } from './refused.ts'
import { watch } from './watch.ts'

beforeAll(migrate)
beforeEach(withoutTargets)

const NOW = Date.UTC(2026, 10, 24, 12)
const PAID = Date.UTC(2026, 10, 20, 9)
const AGAIN = PAID + 86_400_000

/** What was used of what was paid in, as settlements would write it. */
const leave = (customer: number, left: string) =>
  db
    .prepare('INSERT OR REPLACE INTO spend (owner, period, spent_nano) VALUES (?, 0, ?)')
    .bind(`p${customer}`, left.startsWith('-') ? usd(left.slice(1)) : -usd(left))
    .run()

/** Prepaid, with $5 paid in on 20 November. */
async function payer(): Promise<number> {
  const customer = await makeCustomer({ prepaid: '0' })
  await payIn(customer, usd('5'), PAID)
  return customer
}

const words = async (target: number) => (await alertsOf(target)).map(({ title, message }) => `${title}: ${message}`)

test('a balance is told of once when a fifth of the last payment is left, and once when nothing is', async () => {
  const customer = await payer()
  const target = await makeTarget()
  const told = async (left: string) => {
    await leave(customer, left)
    await watchAt(NOW)
    await watchAt(NOW)
    return idsOf(target)
  }
  expect(await told('1.000000001')).toEqual([])
  // 20 % of $5
  expect(await told('1')).toEqual([`balance:c${customer}:${PAID}:80`])
  expect(await told('0.000000001')).toEqual([`balance:c${customer}:${PAID}:80`])
  expect((await told('0')).sort()).toEqual([`balance:c${customer}:${PAID}:100`, `balance:c${customer}:${PAID}:80`])
  // A refund to the balance lets nothing lower be told after it.
  expect(await told('0.5')).toHaveLength(2)
})

test('the next payment is told of anew, and measured by what it was itself', async () => {
  const customer = await payer()
  const target = await makeTarget()
  await leave(customer, '0.9')
  await watchAt(NOW)
  await payIn(customer, usd('2'), AGAIN)
  // What is left of both payments: $0.41 of the last $2 is more than a fifth.
  await leave(customer, '0.41')
  await watchAt(NOW)
  expect(await idsOf(target)).toEqual([`balance:c${customer}:${PAID}:80`])
  await leave(customer, '0.4')
  await watchAt(NOW)
  expect((await idsOf(target)).sort()).toEqual([`balance:c${customer}:${PAID}:80`, `balance:c${customer}:${AGAIN}:80`])
  // Money that went back is no payment in.
  await payIn(customer, -usd('0.1'), AGAIN + 1)
  await leave(customer, '0.3')
  await watchAt(NOW)
  expect(await idsOf(target)).toHaveLength(2)
})

test('a customer is told of their own balance, in words of their own; the operator of all', async () => {
  const [mine, other] = [await payer(), await payer()]
  const [operators, customers] = [await makeTarget(), await makeTarget({ customerId: mine })]
  await leave(mine, '0.98')
  await leave(other, '-0.2')
  await watchAt(NOW)
  expect(await alertsOf(customers)).toEqual([
    {
      id: `balance:c${mine}:${PAID}:80`,
      type: 'balance',
      timestamp: '2026-11-24T12:00:00.000Z',
      severity: 'warning',
      title: 'Your balance is low',
      message: '$0.98 is left. The last payment was $5, at 2026-11-20 09:00 UTC.',
      data: {
        customer_id: mine,
        customer_name: 'ACME',
        threshold: 80,
        used_up: false,
        remaining_usd: '0.98',
        last_payment_usd: '5',
        last_payment_at: '2026-11-20T09:00:00.000Z',
      },
    },
  ])
  expect((await words(operators)).sort()).toEqual([
    `The balance of ACME (customer ${mine}) is low: $0.98 is left. The last payment was $5, at 2026-11-20 09:00 UTC.`,
    `The balance of ACME (customer ${other}) is used up: $0.2 is owed, and requests are refused. The last payment was $5, at 2026-11-20 09:00 UTC.`,
  ])
})

test('whoever is postpaid, never paid, or does not want it is not told', async () => {
  const [postpaid, never] = [await payer(), await makeCustomer({ prepaid: '0' })]
  await db.prepare('UPDATE customers SET prepaid = 0 WHERE id = ?').bind(postpaid).run()
  const low = await payer()
  await leave(low, '0.1')
  const targets = [
    await makeTarget({ customerId: postpaid }),
    await makeTarget({ customerId: never }),
    await makeTarget({ kinds: ['budget'] }),
    await makeTarget({ customerId: low, kinds: ['budget'] }),
  ]
  await watchAt(NOW)
  for (const target of targets) expect(await idsOf(target)).toEqual([])
})

test('a balance whose rest covers no request is used up: told as such, and not for a large request or running ones', async () => {
  await setPrice('m:latest', { request: '0.4' })
  const customer = await payer()
  const key = await makeKey(customer)
  const target = await makeTarget()
  const refuse = async () => {
    const verdict = await admit(db, askOf(key))
    if (verdict.admitted) throw new Error('admitted')
    const work: Promise<unknown>[] = []
    noteUsedUp(db, verdict, (each) => work.push(each))
    await Promise.all(work)
    await watchAt(NOW)
    return words(target)
  }
  const notes = () => db.prepare("SELECT count(*) AS n FROM alert_state WHERE subject LIKE 'balance:%'").first<number>('n')
  await setPrice('m:latest', { request: '5', validFromMs: 1 })
  await leave(customer, '4.9')
  expect(await refuse()).toEqual([])
  await setPrice('m:latest', { request: '0.4', validFromMs: 2 })
  await leave(customer, '0.5')
  await admit(db, askOf(key))
  expect((await refuse()).map((each) => each.split(': ')[0])).toEqual([`The balance of ACME (customer ${customer}) is low`])
  expect(await notes()).toBe(0)
  await db.prepare('DELETE FROM holds').run()
  await leave(customer, '0.3')
  const usedUp = `The balance of ACME (customer ${customer}) is used up: $0.3 is left, and requests are refused. The last payment was $5, at 2026-11-20 09:00 UTC.`
  expect(await refuse()).toContain(usedUp)
  expect(await refuse()).toHaveLength(2)
  expect(await db.prepare('SELECT subject FROM alert_state').first('subject')).toBe(`balance:c${customer}:${PAID}:`)
})

test('balances are asked for once a minute, and only where somebody wants to know', async () => {
  const asked: string[] = []
  const counting = new Proxy(db, {
    get: (_, name: keyof D1Database) => (name === 'prepare' ? (sql: string) => asked.push(sql) && db.prepare(sql) : db[name].bind(db)),
  })
  const times = async () => {
    asked.length = 0
    await watch({ db: counting, nowMs: NOW, config: { accessTokenExpiresDay: null }, look: async () => WELL })
    return asked.filter((sql) => sql === REACHED).length
  }
  expect(await times()).toBe(0)
  await makeTarget({ kinds: ['budget', 'host'] })
  expect(await times()).toBe(0)
  await makeTarget({ customerId: await payer(), kinds: ['balance'] })
  expect(await times()).toBe(1)
  await makeTarget()
  expect(await times()).toBe(1)
})

test('a look reads prepaid customers and their last payments alone, and two that look at once tell once', async () => {
  const customer = await payer()
  await leave(customer, '0.1')
  const target = await makeTarget()
  await Promise.all([watchAt(NOW), watchAt(NOW), watchAt(NOW)])
  expect(await idsOf(target)).toHaveLength(1)
  const { results } = await db.prepare(`EXPLAIN QUERY PLAN ${REACHED}`).all<{ detail: string }>()
  const plan = results.map(({ detail }) => detail).join('\n')
  expect(plan).toContain('SEARCH c USING INDEX customers_prepaid (prepaid=?)')
  expect(plan).toContain('SEARCH p USING COVERING INDEX payments_in (customer_id=?)')
  expect(plan).not.toMatch(/SCAN [cp]\b|SCAN payments/)
})

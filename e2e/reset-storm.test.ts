// Group commit under callers who leave: 1,500 requests, every third one reset at some moment, so that leaders of batches are among them.
import { afterAll, beforeAll, expect, test } from 'vitest'
import { startTestGateway, type TestGateway } from './harness.ts'
import { expectProved, usageOf } from './ledger.ts'
import { streamingCall } from './streaming-call.ts'

let gateway: TestGateway

beforeAll(async () => {
  gateway = await startTestGateway({ vars: { HOST_CONCURRENCY: '1000' } })
  await gateway.setPrice('*', { request: '0.0001', input: '1', output: '1' })
})
afterAll(() => gateway.stop())

const REQUESTS = 1500
const IN_FLIGHT = 48
const BODY = { model: 'gemma3:270m', messages: [{ role: 'user', content: 'x' }], options: { num_predict: 4 } }

/** When a caller leaves: as soon as it has asked, somewhere on the way, or when the answer has begun. */
const MOMENTS = ['sent', 'underway', 'begun'] as const

async function leave(customerKey: string, moment: (typeof MOMENTS)[number], turns: number): Promise<void> {
  const call = streamingCall(gateway.url, '/api/chat', customerKey, BODY)
  // A reset before the connection stands would never reach the gateway.
  if (moment === 'begun') await call.head.catch(() => {})
  else for (let turn = 0; turn < (moment === 'sent' ? 1 : turns); turn++) await new Promise((resolve) => setImmediate(resolve))
  call.hangUp()
}

test('1,500 requests of which every third is reset: none hangs, each is decided and ended once, the ledger agrees', async () => {
  const customer = await gateway.makeCustomer({ budgetUsd: '1000' })
  let next = 0
  let whole = 0
  async function caller(): Promise<void> {
    while (next < REQUESTS) {
      const index = next++
      if (index % 3 === 2) await leave(customer.key, MOMENTS[((index / 3) % 3) | 0] ?? 'sent', index % 40)
      else if (await streamingCall(gateway.url, '/api/chat', customer.key, BODY).ended) whole++
    }
  }
  await Promise.all(Array.from({ length: IN_FLIGHT }, caller))
  expect(whole).toBe((REQUESTS * 2) / 3)
  await expectProved(gateway.db)

  const rows = await usageOf(gateway.db, customer.id)
  expect(new Set(rows.map(({ id }) => id)).size).toBe(rows.length)
  const completed = rows.filter(({ outcome }) => outcome === 'completed')
  // A caller who left can have been late: its answer was complete by then.
  expect(completed.length).toBeGreaterThanOrEqual(whole)
  expect(rows.length).toBeLessThanOrEqual(REQUESTS)
  expect(rows.filter(({ outcome }) => outcome === 'failed' || outcome === 'expired')).toEqual([])
  expect(gateway.logs.filter((entry) => (entry as { event?: string }).event === 'error')).toEqual([])
})

test('a budget that has room for a few of 300 requests that meet is not passed, while others are reset', async () => {
  // $0.0001 a request, a token a microdollar: each is charged no more than it holds, so no more can be charged than the budget.
  const customer = await gateway.makeCustomer({ budgetUsd: '0.1' })
  const calls = Array.from({ length: 300 }, (_, index) =>
    index % 3 === 2 ? leave(customer.key, 'underway', index % 40) : streamingCall(gateway.url, '/api/chat', customer.key, BODY).ended,
  )
  await Promise.all(calls)
  await expectProved(gateway.db)
  const charged = (await usageOf(gateway.db, customer.id)).reduce((sum, { cost_nano }) => sum + cost_nano, 0)
  expect(charged).toBeLessThanOrEqual(100_000_000)
  expect(charged).toBeGreaterThan(0)
})

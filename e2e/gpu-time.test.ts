// A price per GPU second: held for the deadline, charged by the host's own figures, and ended at the deadline.
import { afterAll, beforeAll, expect, test } from 'vitest'
import { startTestGateway, type TestGateway } from './harness.ts'
import { expectProved, settled, usageOf } from './ledger.ts'

let gateway: TestGateway

beforeAll(async () => {
  gateway = await startTestGateway({ vars: { DEADLINE_SECONDS: '1' } })
  await gateway.setPrice('*', { gpuSecond: '0.01' })
})
afterAll(() => gateway.stop())

async function chat(key: string, tokens: number): Promise<string> {
  const body = { model: 'gemma3:270m', messages: [{ role: 'user', content: 'Why?' }], options: { num_predict: tokens } }
  const response = await fetch(`${gateway.url}/api/chat`, {
    method: 'POST',
    headers: { authorization: `Bearer ${key}` },
    body: JSON.stringify(body),
  })
  return response.text()
}

test('a second is held for, and what the host says it took is charged', async () => {
  const customer = await gateway.makeCustomer({ budgetUsd: '0.01' })
  const text = await chat(customer.key, 10)
  const last = JSON.parse(text.trim().split('\n').at(-1) ?? '{}') as { prompt_eval_duration: number; eval_duration: number }
  await settled(gateway.db)
  const ms = Math.ceil((last.prompt_eval_duration + last.eval_duration) / 1e6)
  // $0.01 × 1 s held; $0.00001 a millisecond charged
  expect(await usageOf(gateway.db, customer.id)).toMatchObject([{ outcome: 'completed', hold_nano: 10_000_000, cost_nano: ms * 10_000 }])
})

test('a request that runs past the deadline is ended there, and told', async () => {
  gateway.standIn.setPace(100)
  const customer = await gateway.makeCustomer({ budgetUsd: '1' })
  const text = await chat(customer.key, 100)
  expect(text).toMatch(/\{"error":"The answer took longer than a request may run/)
  await settled(gateway.db)
  const [row] = await usageOf(gateway.db, customer.id)
  expect(row).toMatchObject({ outcome: 'failed', estimated: 1 })
  // About a second at $0.01: all that is held, where it took a little longer.
  expect(row?.cost_nano).toBe(row?.hold_nano)
  await expectProved(gateway.db)
})

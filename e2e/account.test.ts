// What a customer sees of a request that a whole gateway served: its use, the time to its first token, and why it cost what it did.
import { afterAll, beforeAll, expect, test } from 'vitest'
import { startTestGateway, type TestGateway } from './harness.ts'
import { expectProved, settled, usageOf } from './ledger.ts'

let gateway: TestGateway
let customer: { id: number; key: string }

beforeAll(async () => {
  gateway = await startTestGateway()
  await gateway.setPrice('*', { request: '0.0001', input: '0.10', output: '0.40' })
  customer = await gateway.makeCustomer({ budgetUsd: '1' })
})
afterAll(() => gateway.stop())

const get = (path: string) => fetch(`${gateway.url}/account/${path}`, { headers: { authorization: `Bearer ${customer.key}` } })

test('a streamed request is explained with the numbers of its bill, and is in the day’s figures', async () => {
  const body = { model: 'gemma3:270m', messages: [{ role: 'user', content: 'Why?' }], stream: true, max_tokens: 20 }
  const headers = { authorization: `Bearer ${customer.key}` }
  const answer = await fetch(`${gateway.url}/v1/chat/completions`, { method: 'POST', headers, body: JSON.stringify(body) })
  await answer.text()
  await settled(gateway.db)
  const [row] = await usageOf(gateway.db, customer.id)
  const id = String(answer.headers.get('x-request-id'))
  const told = (await (await get(`requests/${id}`)).json()) as {
    cost_usd: string
    first_token_ms: number
    explanation: Record<string, unknown>
  }
  const { input_tokens, output_tokens, cost_nano, first_ms } = row ?? {}
  expect(told).toMatchObject({ id, cost_usd: (Number(cost_nano) / 1e9).toFixed(9).replace(/0+$/, ''), first_token_ms: first_ms })
  expect(told.explanation).toMatchObject({
    formula: [
      { what: 'request' },
      { what: 'input', count: input_tokens, price_usd: '0.1' },
      { what: 'output', count: output_tokens, price_usd: '0.4' },
    ],
    sum_usd: told.cost_usd,
    total_usd: told.cost_usd,
    ending: "The answer is whole: the host's counts are charged.",
  })
  expect(await (await get('usage?group=day')).json()).toMatchObject({
    days: [{ requests: 1, first_token_ms_average: first_ms, cost_usd: told.cost_usd }],
  })
  expect(await (await get('usage?group=key&format=csv')).text()).toMatch(/^key_id,.*\r\n\d+,sk_/)
  expect(await (await get('requests')).json()).toMatchObject({ data: [{ id, state: 'ended' }], next: null })
  expect(await (await get('budget')).json()).toMatchObject({ account: { spent_usd: told.cost_usd }, binds: 'account budget' })
  await expectProved(gateway.db)
})

test('one that nothing was delivered of cost nothing, and says so', async () => {
  gateway.standIn.setPace('instant')
  const headers = { authorization: `Bearer ${customer.key}` }
  const answer = await fetch(`${gateway.url}/api/chat`, {
    method: 'POST',
    headers,
    body: JSON.stringify({ model: 'not-there', messages: [{ role: 'user', content: 'x' }] }),
  })
  expect(answer.ok).toBe(false)
  await answer.text()
  await settled(gateway.db)
  const told = await (await get(`requests/${answer.headers.get('x-request-id')}`)).json()
  expect(told).toMatchObject({ outcome: 'failed', cost_usd: '0', explanation: { formula: null, sum_usd: null, total_usd: '0' } })
})

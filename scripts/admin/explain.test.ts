import { v7 } from 'uuid'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { begin, makeCustomer, makeKey, request, type TestDatabase, type TestKey, testDatabase } from './testing.ts'

let t: TestDatabase
let key: TestKey

beforeAll(async () => {
  t = await testDatabase()
  await t.admin('set-pricing', 'm', '0.0001', '0', '--input', '0.10', '--output', '0.40')
  await makeCustomer(t)
  key = await makeKey(t, await makeCustomer(t, '--budget', '5'), '--name', 'laptop')
})
afterAll(() => t.close())

test('an ended request is explained with its price, formula, ending and hold', async () => {
  // $0.0001 + 10 × $0.10/Mtok + 5 × $0.40/Mtok = $0.000103
  const id = await request(t, key, { cost: '0.000103', used: { input: 10, output: 5 } })
  const { code, out } = await t.admin('explain', id)
  expect(code).toBe(0)
  const lines = out.trimEnd().split('\n')
  expect(lines[0]).toBe(`Request ${id}: m:latest, ollama-chat, completed.`)
  expect(lines[1]).toMatch(/^ACME \(2\), key 1 \(sk_.*…, laptop\); served by ollama\.$/)
  expect(lines[2]).toMatch(/^Price 1, in force from 20/)
  expect(lines.slice(3, 9)).toEqual([
    '  1 request × $0.0001 = $0.0001',
    '  10 input × $0.1/Mtok = $0.000001',
    '  5 output × $0.4/Mtok = $0.000002',
    '  sum = $0.000103',
    'It cost $0.000103. $0.000103 was charged.',
    "The answer is whole: the host's counts are charged.",
  ])
  expect((await t.admin('explain', id.toUpperCase(), '--json')).json()).toMatchObject({
    ...{ id, state: 'completed', customer_id: 2, key_id: 1, sum_usd: '0.000103', total_usd: '0.000103' },
    formula: [{ what: 'request' }, { what: 'input', count: 10, price_usd: '0.1', amount_usd: '0.000001' }, { what: 'output' }],
  })
})

test('what was posted for a request later stands beside it', async () => {
  const id = await request(t, key, { cost: '0.0001', used: { input: 0, output: 0 } })
  await t.db.all(
    "INSERT INTO adjustments (customer_id, id, key_id, usage_id, amount_nano, reason, day, created_ms) VALUES (?, 'refund:1', ?, ?, -7, 'sorry', 20000, 0)",
    [key.customerId, key.id, id],
  )
  const { out } = await t.admin('explain', id)
  expect(out).toContain('Adjustment refund:1: -$0.000000007, sorry, 1970-01-01T00:00:00.000Z.\nTogether: $0.000099993.')
})

test('a running request is its hold', async () => {
  const id = await begin(t, key)
  const { out } = await t.admin('explain', id)
  // $0.0001 + 10 × $0.10/Mtok + 100 × $0.40/Mtok
  expect(out).toContain(`Request ${id}: m:latest, ollama-chat, running.`)
  expect(out).toContain('$0.000141 was held before it was forwarded')
  expect((await t.admin('explain', id, '--json')).json()).toMatchObject({ state: 'running', formula: null })
})

test('an id that is none is refused, and one that is not there is said to be archived where its month was', async () => {
  expect(await t.admin('explain', '7')).toMatchObject({ code: 2, err: expect.stringContaining("'request_id'") })
  expect(await t.admin('explain')).toMatchObject({ code: 2, err: expect.stringContaining("'request_id'") })
  const id = v7({ msecs: Date.UTC(2026, 0, 15) })
  expect(await t.admin('explain', id)).toMatchObject({ code: 1, err: `error: request_id: there is no request ${id}.\n` })
  await t.db.all(
    "INSERT INTO archives VALUES (unixepoch('2026-01-01') / 86400, unixepoch('2026-02-01') / 86400, 1, 1, ?, 'usage-2026-01.jsonl', 0)",
    ['0'.repeat(64)],
  )
  expect((await t.admin('explain', id)).err).toContain('; what was used then was moved to usage-2026-01.jsonl.')
})

import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest'
import { begin, makeCustomer, makeKey, type TestDatabase, testDatabase } from './testing.ts'

let t: TestDatabase
let model: string
let models = 0
beforeAll(async () => {
  t = await testDatabase()
})
beforeEach(() => {
  model = `m${models++}:latest`
})
afterAll(() => t.close())

async function refused(named: string, ...args: string[]): Promise<void> {
  const before = await t.dump()
  const { code, out, err } = await t.admin(...args)
  expect([code, out], err).toEqual([2, ''])
  expect(err).toContain(named)
  expect(await t.dump()).toBe(before)
}

test('a price is stored and shown exactly', async () => {
  const args = ['0.000000001', '1000', '--input', '0.000001', '--cached-input', '0', '--output', '10000', '--gpu-second', '0.0000925']
  const set = await t.admin('set-pricing', model, ...args, '--output-default', '10', '--output-max', '20', '--json')
  expect(set.json()).toEqual({
    id: expect.any(Number),
    model,
    upstream: 'ollama',
    request_usd: '0.000000001',
    model_usd: '1000',
    input_usd_per_mtok: '0.000001',
    cached_input_usd_per_mtok: '0',
    output_usd_per_mtok: '10000',
    gpu_second_usd: '0.0000925',
    output_default: 10,
    output_max: 20,
    withdrawn: false,
    valid_from: expect.any(String),
  })
  const [row] = await t.db.all('SELECT request_nano, input_pico, output_pico, typeof(output_pico) AS type FROM prices WHERE model = ?', [
    model,
  ])
  expect(row).toEqual({ request_nano: 1, input_pico: 1, output_pico: 10_000_000_000, type: 'integer' })
})

test('cached input costs what input does unless told, and models are brought to their one spelling', async () => {
  const set = await t.admin('set-pricing', 'library/GEMMA3', '0', '0', '--input', '0.15', '--output', '0.6', '--json')
  expect(set.json()).toMatchObject({ model: 'gemma3:latest', cached_input_usd_per_mtok: '0.15', output_default: 2048, output_max: 8192 })
})

test('one output limit makes room for the other', async () => {
  expect((await t.admin('set-pricing', model, '0', '0', '--output-max', '100', '--json')).json()).toMatchObject({
    output_default: 100,
    output_max: 100,
  })
  expect((await t.admin('set-pricing', model, '0', '0', '--output-default', '9000', '--json')).json()).toMatchObject({
    output_default: 9000,
    output_max: 9000,
  })
  await refused('--output-default', 'set-pricing', model, '0', '0', '--output-default', '200', '--output-max', '100')
})

test('arguments that cannot be used are named, and nothing is changed', async () => {
  await refused("'model'", 'set-pricing', 'no model', '0', '0')
  await refused("'model'", 'set-pricing', 'gpt-oss:120b-cloud', '0', '0')
  await refused("'per_model'", 'set-pricing', model, '0')
  for (const bad of ['-1', '1e3', 'NaN', 'Infinity', '', '12abc', '1000.1', '0.0000000001']) {
    await refused("'per_request'", 'set-pricing', model, bad, '0')
    await refused("'per_model'", 'set-pricing', model, '0', bad)
  }
  await refused('--input', 'set-pricing', model, '0', '0', '--input', '0.0000001')
  await refused('--output', 'set-pricing', model, '0', '0', '--output', '10000.1')
  await refused('--output-max', 'set-pricing', model, '0', '0', '--output-max', '0')
  await refused('--yes', 'withdraw-pricing', model)
  await refused("'model'", 'withdraw-pricing', '', '--yes')
})

test('the newest price is in force, and the history stays', async () => {
  await t.admin('set-pricing', model, '1', '0')
  await t.admin('set-pricing', model, '2', '0')
  const mine = (rows: { model: string }[]) => rows.filter((row) => row.model === model)
  expect(mine((await t.admin('list-pricing', '--json')).json())).toMatchObject([{ request_usd: '2', state: 'in force' }])
  expect(mine((await t.admin('list-pricing', '--all', '--json')).json())).toMatchObject([
    { request_usd: '2', state: 'in force' },
    { request_usd: '1', state: 'past' },
  ])
})

test('of two prices of one moment the one written later is in force', async () => {
  const insert = 'INSERT INTO prices (model, request_nano, valid_from_ms, created_ms) VALUES (?, ?, 5, 5)'
  await t.db.batch([1, 2].map((nano) => ({ sql: insert, params: [model, nano] })))
  const rows = (await t.admin('list-pricing', '--json')).json<{ model: string }[]>()
  expect(rows.filter((row) => row.model === model)).toMatchObject([{ request_usd: '0.000000002' }])
})

test('a withdrawn price keeps its numbers, is offered no more, and withdrawing it again changes nothing', async () => {
  const key = await makeKey(t, await makeCustomer(t))
  await t.admin('set-pricing', '*', '0.01', '0')
  await t.admin('set-pricing', model, '0.003', '0', '--input', '0.1')
  await begin(t, key, { model })
  const withdrawn = await t.admin('withdraw-pricing', model, '--yes', '--json')
  expect(withdrawn.json()).toMatchObject({ model, request_usd: '0.003', input_usd_per_mtok: '0.1', withdrawn: true })
  await expect(begin(t, key, { model })).rejects.toThrow('model_not_found')
  const before = await t.dump()
  const again = await t.admin('withdraw-pricing', model, '--yes')
  expect([again.code, again.out]).toEqual([0, expect.stringContaining('was withdrawn before')])
  expect(await t.dump()).toBe(before)
  await t.admin('set-pricing', model, '0.004', '0')
  await begin(t, key, { model })
})

test('what has no price cannot be withdrawn', async () => {
  const { code, err } = await t.admin('withdraw-pricing', model, '--yes')
  expect([code, err]).toEqual([1, `error: model: ${model} has no price; list-pricing shows those that have one.\n`])
})

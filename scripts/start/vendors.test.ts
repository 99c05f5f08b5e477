import { afterAll, beforeAll, expect, test } from 'vitest'
import { type TestDatabase, testDatabase } from '../admin/testing.ts'
import { countPricedModels } from './vendors.ts'

let t: TestDatabase
beforeAll(async () => {
  t = await testDatabase()
})
afterAll(() => t.close())

test('models of vendors are counted that a key would offer', async () => {
  expect(await countPricedModels(t.d1)).toEqual({ openai: 0, anthropic: 0 })
  for (const name of ['a', 'b', 'gone', 'taken']) await t.admin('set-pricing', name, '0', '0', '--upstream', 'openai')
  await t.admin('set-pricing', 'c', '0', '0', '--upstream', 'anthropic')
  await t.admin('set-pricing', 'gemma3', '0', '0')
  await t.admin('withdraw-pricing', 'gone', '--yes')
  // The name is the host's from then on.
  await t.admin('set-pricing', 'taken', '0', '0')
  expect(await countPricedModels(t.d1)).toEqual({ openai: 2, anthropic: 1 })
})

// What is for sale: a price of its own decides, whatever `*` says; and a vendor's model needs a key for that vendor.
import { beforeAll, expect, test } from 'vitest'
import type { Caller } from './auth.ts'
import { configOf } from './config.ts'
import { offersOf } from './offers.ts'
import { db, migrate, setPrice } from './testing/ledger.ts'

const anybody = { models: null } as Caller
const without = { db, config: configOf({}) }
const withKeys = { db, config: configOf({ OPENAI_API_KEY: 'sk-test', ANTHROPIC_API_KEY: 'sk-test' }) }
const vendorNames = async (at: typeof without, caller: Caller) => (await offersOf(at, caller)).vendorModels.map(({ name }) => name)

beforeAll(async () => {
  await migrate()
  await setPrice('local:1b', { request: '0.1' })
  await setPrice('paid:1b', { request: '0.1', upstream: 'openai' })
  await setPrice('gpt-x', { request: '0.1', upstream: 'openai', validFromMs: 5 })
  await setPrice('claude-x', { request: '0.1', upstream: 'anthropic' })
})

test('a model whose price is for a vendor is none of the host, not even by *', async () => {
  const before = await offersOf(without, anybody)
  expect(['local:1b', 'paid:1b', 'other:1b'].map(before.hasHostModel)).toEqual([true, false, false])
  await setPrice('*', { request: '0.1' })
  const after = await offersOf(without, anybody)
  expect(['local:1b', 'paid:1b', 'other:1b'].map(after.hasHostModel)).toEqual([true, false, true])
})

test('a vendor’s models are offered where there is a key for that vendor, and to keys that may use them', async () => {
  expect(await vendorNames(without, anybody)).toEqual([])
  expect(await vendorNames(withKeys, anybody)).toEqual(['claude-x', 'gpt-x', 'paid:1b'])
  expect(await vendorNames({ db, config: configOf({ ANTHROPIC_API_KEY: 'sk-test' }) }, anybody)).toEqual(['claude-x'])
  expect(await vendorNames(withKeys, { models: ['gpt-x:latest', 'local:1b'] } as Caller)).toEqual(['gpt-x'])
})

test('a name is whose it was given to last, and a withdrawn model is nobody’s', async () => {
  await setPrice('gpt-x:latest', { request: '0.1', validFromMs: 6 })
  expect(await vendorNames(withKeys, anybody)).toEqual(['claude-x', 'paid:1b'])
  await setPrice('gpt-x', { request: '0.1', upstream: 'openai', validFromMs: 7 })
  expect(await vendorNames(withKeys, anybody)).toEqual(['claude-x', 'gpt-x', 'paid:1b'])
  await setPrice('gpt-x', { upstream: 'openai', validFromMs: 8, withdrawn: true })
  expect(await vendorNames(withKeys, anybody)).toEqual(['claude-x', 'paid:1b'])
})

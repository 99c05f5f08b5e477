// What is for sale: a price of its own decides, whatever `*` says.
import { beforeAll, expect, test } from 'vitest'
import type { Caller } from './auth.ts'
import { offers } from './host-models.ts'
import { db, migrate, setPrice } from './testing/ledger.ts'

const anybody = { models: null } as Caller

beforeAll(async () => {
  await migrate()
  await setPrice('local:1b', { request: '0.1' })
  await setPrice('paid:1b', { request: '0.1', upstream: 'openai' })
})

test('a model whose price is for a vendor is not offered, not even by *', async () => {
  const before = await offers(db, anybody)
  expect(['local:1b', 'paid:1b', 'other:1b'].map(before)).toEqual([true, false, false])
  await setPrice('*', { request: '0.1' })
  const after = await offers(db, anybody)
  expect(['local:1b', 'paid:1b', 'other:1b'].map(after)).toEqual([true, false, true])
})

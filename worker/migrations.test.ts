// A migration meets a database that is in use: what stands in it stays, and what guards it, too.
import { applyD1Migrations } from 'cloudflare:test'
import { env } from 'cloudflare:workers'
import { expect, test } from 'vitest'
import { TRIGGERS } from './ledger/proofs.ts'
import { db } from './testing/ledger.ts'

const insert = (columns: string, values: string) =>
  db.prepare(`INSERT INTO prices (model, valid_from_ms, created_ms, ${columns}) VALUES ('gpt-6-sol', 0, 0, ${values})`).run()

test('0003 keeps price rows and their triggers, and gives old rows no new prices', async () => {
  const before = env.TEST_MIGRATIONS.filter(({ name }) => name < '0003')
  await applyD1Migrations(env.DB, before)
  await db.prepare("INSERT INTO prices (model, request_nano, input_pico, valid_from_ms, created_ms) VALUES ('m:latest', 5, 7, 0, 0)").run()
  const old = await db.prepare('SELECT * FROM prices').first()
  await applyD1Migrations(env.DB, env.TEST_MIGRATIONS)
  expect(await db.prepare('SELECT * FROM prices').first()).toEqual({
    ...old,
    variant: '',
    cache_write_pico: null,
    cache_write_long_pico: null,
    above_tokens: null,
    above_input_pico: null,
    above_cached_input_pico: null,
    above_cache_write_pico: null,
    above_cache_write_long_pico: null,
    above_output_pico: null,
  })
  const { results } = await db.prepare("SELECT name FROM sqlite_master WHERE type = 'trigger'").all<{ name: string }>()
  expect(results.map(({ name }) => name)).toEqual(expect.arrayContaining(TRIGGERS))
  await expect(db.prepare('UPDATE prices SET cache_write_pico = 1').run()).rejects.toThrow('a price never changes')
  await expect(db.prepare('DELETE FROM prices').run()).rejects.toThrow('prices are kept')
})

test('a price row holds a tier whole or not at all, in whole numbers within bounds', async () => {
  const tier = 'above_tokens, above_input_pico, above_cached_input_pico, above_output_pico'
  await insert(tier, '272000, 4, 1, 15')
  await insert(`${tier}, cache_write_pico, above_cache_write_pico`, '272000, 4, 1, 15, 3, 5')
  await insert('upstream, variant', "'openai', 'priority'")
  for (const [columns, values] of [
    ['above_tokens', '272000'],
    ['above_input_pico', '4'],
    ['above_cache_write_long_pico', '4'],
    ['above_tokens, above_input_pico, above_output_pico', '272000, 4, 15'],
    [tier, '0, 4, 1, 15'],
    [tier, '272000, 4, 1, 10000000001'],
    ['cache_write_pico', '-1'],
    ['cache_write_long_pico', '1.5'],
    ['variant', "'priority'"],
  ] as const) {
    await expect(insert(columns, values), `${columns}: ${values}`).rejects.toThrow(/CHECK constraint|cannot store REAL/)
  }
})

// The kept catalogue against figures written by hand from the vendors' price pages.
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { perMillion } from '../admin/table.ts'
import { PROJECT_ROOT } from '../start/project.ts'
import { type CatalogueModel, catalogueText } from './format.ts'
import { readCatalogue } from './read.ts'

const text = readFileSync(join(PROJECT_ROOT, 'scripts', 'catalogue', 'catalogue.json'), 'utf8')
const { catalogue } = readCatalogue(text)
const byId = new Map(catalogue.models.map((model) => [model.id, model]))

/** USD per million tokens: input, cached, written for minutes, for hours, output; -: no such price. */
function dollars(model: CatalogueModel | undefined): string {
  const of = (pico: number | undefined) => (pico === undefined ? '-' : perMillion(pico))
  if (model === undefined) return 'missing'
  const { input_pico, cached_input_pico, cache_write_pico, cache_write_long_pico, output_pico } = model
  return [input_pico, cached_input_pico, cache_write_pico, cache_write_long_pico, output_pico].map(of).join(' ')
}

function dollarsAbove(model: CatalogueModel | undefined): string {
  const of = (pico: number | undefined) => (pico === undefined ? '-' : perMillion(pico))
  if (model?.above_tokens === undefined) return 'none'
  const { above_input_pico, above_cached_input_pico, above_cache_write_pico, above_cache_write_long_pico, above_output_pico } = model
  const prices = [above_input_pico, above_cached_input_pico, above_cache_write_pico, above_cache_write_long_pico, above_output_pico]
  return `above ${model.above_tokens}: ${prices.map(of).join(' ')}`
}

test.for([
  ['claude-haiku-4-5', '1 0.1 1.25 2 5', 'none'],
  ['claude-haiku-5-5', '0.1 0.01 0.125 0.2 0.5', 'above 100000: 0.5 0.05 0.625 1 2.5'],
  ['claude-sonnet-4-6', '3 0.3 3.75 6 15', 'none'],
  ['claude-sonnet-5-5', '2 0.1 2.5 4 10', 'none'],
  ['claude-opus-4-8', '5 0.5 6.25 10 25', 'none'],
  ['claude-opus-5-5', '4 0.2 5 8 20', 'none'],
  ['gpt-6-sol', '2 0.2 2.5 5 10', 'above 272000: 4 0.4 5 10 15'],
  ['gpt-5.4', '2.5 0.25 - - 15', 'above 272000: 5 0.5 - - 22.5'],
  ['gpt-5-mini', '0.25 0.025 - - 2', 'none'],
  ['gpt-4o', '2.5 1.25 - - 10', 'none'],
  ['gpt-4o-mini', '0.15 0.075 - - 0.6', 'none'],
  ['gpt-4.1-nano', '0.1 0.025 - - 0.4', 'none'],
  ['o1-pro', '150 - - - 600', 'none'],
  ['o3', '2 0.5 - - 8', 'none'],
  ['text-embedding-3-small', '0.02 - - - 0', 'none'],
  ['text-embedding-3-large', '0.13 - - - 0', 'none'],
] as const)('%s costs $%s per million tokens', ([id, base, above]) => {
  expect([id, dollars(byId.get(id)), dollarsAbove(byId.get(id))]).toEqual([id, base, above])
})

test('it says where it is from, is written as it is built, and each row is of the family that vendors bill in', () => {
  expect(catalogue).toMatchObject({ version: expect.stringMatching(/^\d+\.\d+/), licence: expect.stringContaining('MIT') })
  expect(catalogueText(catalogue)).toBe(text)
  for (const model of catalogue.models.filter(({ vendor }) => vendor === 'anthropic')) {
    // 5 minutes 1.25 ×, an hour 2 × the input.
    expect([model.id, model.cache_write_pico, model.cache_write_long_pico]).toEqual([
      model.id,
      model.input_pico * 1.25,
      model.input_pico * 2,
    ])
  }
  for (const model of catalogue.models.filter(({ above_tokens }) => above_tokens === 272_000)) {
    expect([model.id, model.above_input_pico, model.above_output_pico]).toEqual([model.id, model.input_pico * 2, model.output_pico * 1.5])
  }
})

test('no audio, search or fine-tuned model is in it, and every model that writes has its most', () => {
  for (const { id, mode, output_max } of catalogue.models) {
    expect(id).not.toMatch(/audio|realtime|image|-search|deep-research|:|\//)
    expect([id, output_max === undefined]).toEqual([id, mode === 'embedding'])
  }
})

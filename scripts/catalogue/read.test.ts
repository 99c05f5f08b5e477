// Price lists of both formats, good and bad.
import { expect, test } from 'vitest'
import { catalogueText } from './format.ts'
import { readCatalogue } from './read.ts'

const HEAD = { format: 1, source: 'by hand', version: '1', date: '2026-11-24', licence: 'none' }
const MODEL = { vendor: 'openai', id: 'gpt-x', mode: 'chat', input_pico: 1, output_pico: 2, output_max: 100 }
const file = (...models: object[]) => JSON.stringify({ ...HEAD, models })

const SOL = {
  litellm_provider: 'openai',
  mode: 'chat',
  input_cost_per_token: 2e-6,
  input_cost_per_token_priority: 4e-6,
  input_cost_per_token_above_272k_tokens: 4e-6,
  input_cost_per_token_above_272k_tokens_flex: 2e-6,
  cache_read_input_token_cost: 2e-7,
  cache_creation_input_token_cost: 2.5e-6,
  cache_creation_input_token_cost_above_12hr: 5e-6,
  cache_creation_input_token_cost_above_12hr_above_272k_tokens: 1e-5,
  output_cost_per_token: 1e-5,
  output_cost_per_token_above_272k_tokens: 1.5e-5,
  max_input_tokens: 922_000,
  max_output_tokens: 128_000,
  deprecation_date: '2027-04-01',
}
const litellm = (list: Record<string, object>) => readCatalogue(JSON.stringify({ sample_spec: { mode: 'one of: chat' }, ...list }))

test("LiteLLM's list becomes the same catalogue as our own file", () => {
  const { catalogue, leftOut } = litellm({ 'gpt-6-sol': SOL })
  expect(leftOut).toEqual([])
  expect(catalogue.models).toEqual([
    {
      vendor: 'openai',
      id: 'gpt-6-sol',
      mode: 'chat',
      input_pico: 2_000_000,
      cached_input_pico: 200_000,
      cache_write_pico: 2_500_000,
      cache_write_long_pico: 5_000_000,
      output_pico: 10_000_000,
      above_tokens: 272_000,
      above_input_pico: 4_000_000,
      above_cache_write_long_pico: 10_000_000,
      above_output_pico: 15_000_000,
      context_tokens: 922_000,
      output_max: 128_000,
      retires: '2027-04-01',
    },
  ])
  expect(readCatalogue(catalogueText(catalogue)).catalogue).toEqual(catalogue)
})

test('what a price row cannot hold is left out, and why is said; other vendors and kinds are passed over', () => {
  const { catalogue, leftOut } = litellm({
    'gpt-6-sol': SOL,
    'ft:gpt-6-sol': SOL,
    'us/gpt-6-sol': SOL,
    'gpt-6-audio': { ...SOL, input_cost_per_audio_token: 1e-5 },
    'gpt-6-search-preview': SOL,
    'gpt-6-deep-research': SOL,
    'gpt-research': SOL,
    'gpt-endless': { ...SOL, max_output_tokens: undefined },
    'gpt-fee': { ...SOL, input_cost_per_request: 0.01 },
    'gpt-steps': { ...SOL, input_cost_per_token_above_128k_tokens: 3e-6 },
    container: { litellm_provider: 'openai', mode: 'chat', code_interpreter_cost_per_session: 0.03 },
    'gpt-image': { ...SOL, mode: 'image_generation' },
    'gemini-9': { ...SOL, litellm_provider: 'vertex_ai' },
  })
  expect(catalogue.models.map(({ id }) => id)).toEqual(['gpt-6-sol', 'gpt-research'])
  expect(Object.fromEntries(leftOut.map(({ id, why }) => [id, why]))).toEqual({
    'ft:gpt-6-sol': 'no plain id of the vendor',
    'us/gpt-6-sol': 'no plain id of the vendor',
    'gpt-6-audio': 'audio or images have prices of their own',
    'gpt-6-search-preview': 'searches by itself, for a fee by the call',
    'gpt-6-deep-research': 'searches by itself, for a fee by the call',
    'gpt-endless': 'the most tokens that it can write are not known',
    'gpt-fee': 'a price that no row holds: input_cost_per_request',
    'gpt-steps': 'more than one tier',
    container: 'no price by the token',
  })
})

test('a price of LiteLLM that is not a whole number of pico-dollars is refused by name', () => {
  for (const bad of [1.5e-12, -1e-6, '2e-6']) {
    expect(() => litellm({ 'gpt-6-sol': { ...SOL, output_cost_per_token: bad } })).toThrow(
      `gpt-6-sol: output_cost_per_token has to be dollars a token of at most 12 decimals, not ${JSON.stringify(bad)}`,
    )
  }
  expect(() => litellm({ 'gpt-6-sol': { ...SOL, input_cost_per_token: 1 } })).toThrow(
    /models\[0\] \(gpt-6-sol\): input_pico: .*10000000000/,
  )
})

test.for([
  ['hello', 'is not JSON'],
  ['[]', 'JSON object'],
  ['null', 'JSON object'],
  ['{}', 'no model of OpenAI or Anthropic'],
  ['{"gpt-4o": 5}', 'no model of OpenAI or Anthropic'],
  ['{"models": []}', 'format: '],
  [JSON.stringify({ ...HEAD, format: 2, models: [] }), 'format: '],
  [JSON.stringify({ ...HEAD, date: 'yesterday', models: [] }), 'date: '],
  [JSON.stringify({ ...HEAD, models: {} }), 'models: '],
  [file({ ...MODEL, input_pico: 1.5 }), 'models[0] (gpt-x): input_pico: '],
  [file(MODEL, { ...MODEL, id: 'gpt-y', output_pico: -1 }), 'models[1] (gpt-y): output_pico: '],
  [file({ ...MODEL, output_pico: 10_000_000_001 }), '10000000000'],
  [file({ ...MODEL, output_pico: '2' }), 'output_pico: '],
  [file({ ...MODEL, output_pico: undefined }), 'output_pico: '],
  [file({ ...MODEL, vendor: 'google' }), 'vendor: '],
  [file({ ...MODEL, id: 'gpt:x' }), 'id: has to be an id as the vendor has it'],
  [file({ ...MODEL, id: '*' }), 'id: has to be an id as the vendor has it'],
  [file({ ...MODEL, output_max: undefined }), 'output_max: is missing'],
  [file({ ...MODEL, output_max: 0 }), 'output_max: '],
  [file({ ...MODEL, retires: '2026-02-30' }), 'retires: '],
  [file({ ...MODEL, above_tokens: 100 }), 'above_tokens: and above_input_pico and above_output_pico go together'],
  [file({ ...MODEL, above_cache_write_pico: 100 }), 'above_tokens: '],
  [file({ ...MODEL, image_pico: 5 }), 'image_pico'],
  [file(MODEL, MODEL), 'models[1] (gpt-x): id: comes twice'],
] as const)('%s is refused, and %s is said', ([text, said]) => {
  expect(() => readCatalogue(text)).toThrow(said)
})

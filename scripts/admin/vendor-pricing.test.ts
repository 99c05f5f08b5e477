// Vendors' models beside the host's: prices set by hand, what the lists show of them, and keys that are limited to them.
import { afterEach, beforeEach, expect, test } from 'vitest'
import { begin, closedUrl, makeCustomer, makeKey, type TestDatabase, testDatabase } from './testing.ts'
import { catalogueFile, changes, HAIKU, SOL } from './testing-prices.ts'

let t: TestDatabase
beforeEach(async () => {
  t = await testDatabase()
})
afterEach(() => t.close())

const TUNED = ['set-pricing', 'acme-support', '0.001', '0', '--upstream', 'openai', '--upstream-model', 'ft:gpt-6-sol:acme::A1']

test('a price of a model that is in no catalogue has its vendor, its id there and its cache writes', async () => {
  const args = ['--input', '3', '--cached-input', '0.3', '--cache-write', '3.75', '--cache-write-long', '6', '--output', '15']
  const set = await t.admin(...TUNED, ...args)
  expect(set.out.split('\n')).toEqual([
    'acme-support (openai as ft:gpt-6-sol:acme::A1): $0.001 a request, $3 in, $0.3 cached, $3.75 or $6 written to the cache and $15 out per Mtok; output 2048 tokens by default, 8192 at most. In force from now on.',
    "OpenAI's models are offered by a gateway that has OPENAI_API_KEY: here there is none, so put it into .dev.vars, and start the gateway again.",
    '',
  ])
  expect((await t.db.all('SELECT * FROM prices ORDER BY id')).at(-1)).toMatchObject({
    ...{ model: 'acme-support', upstream: 'openai', upstream_model: 'ft:gpt-6-sol:acme::A1', request_nano: 1_000_000 },
    ...{ input_pico: 3_000_000, cached_input_pico: 300_000, cache_write_pico: 3_750_000, cache_write_long_pico: 6_000_000 },
    ...{ output_pico: 15_000_000, gpu_second_nano: 0, variant: '', above_tokens: null },
  })
  expect((await t.admin('list-pricing')).out).toMatch(/^acme-support +openai as ft:gpt-6-sol:acme::A1 +\$0\.001 /m)
  expect((await t.admin('list-pricing', '--json')).json()).toMatchObject([{ upstream: 'openai', upstream_model: 'ft:gpt-6-sol:acme::A1' }])
  const withdrawn = await t.admin('withdraw-pricing', 'acme-support', '--yes')
  expect(withdrawn.out).toContain('The price of acme-support is withdrawn.')
  expect((await t.admin('list-pricing')).out).toContain('No price is in force')
})

test("the name is in small letters, and the vendor's id as it was typed", async () => {
  const set = await t.admin('set-pricing', 'Llama-4', '0', '0', '--upstream', 'openai', '--json')
  expect(set.json()).toMatchObject({ model: 'llama-4', upstream: 'openai', upstream_model: 'Llama-4' })
})

test('an import leaves prices by hand alone, and with a key nothing is said of one', async () => {
  const set = await t.adminIn({ environment: { OPENAI_API_KEY: 'sk-secret' } }, ...TUNED)
  expect(set.out).toMatch(/In force from now on\.\n$/)
  await t.admin('set-pricing', 'deepseek-chat', '0', '0', '--upstream', 'openai', '--input', '1')
  // By a name of Anthropic's, at somebody else who speaks like OpenAI.
  await t.admin('set-pricing', 'routed', '0', '0', '--upstream', 'openai', '--upstream-model', HAIKU.id)
  const file = await catalogueFile(t, SOL, HAIKU)
  const kept = ['acme-support kept', 'deepseek-chat kept', 'routed kept']
  expect(await changes(t, file, '--withdraw-retired')).toEqual(['gpt-6-sol new', 'claude-haiku-5-5 new', ...kept])
  expect((await t.admin('import-prices', '--from', file, '--all')).out).not.toContain('--as routed')
  expect((await t.admin('list-pricing', '--json')).json<object[]>()).toHaveLength(5)
})

test('what does not go together is refused by name, and nothing is changed', async () => {
  const refused = async (said: string | RegExp, ...args: string[]) => {
    const before = await t.dump()
    const ran = await t.admin('set-pricing', ...args)
    expect([ran.code, ran.out, ran.err]).toEqual([2, '', expect.stringMatching(said)])
    expect(await t.dump()).toBe(before)
  }
  await refused(/model: '\*' .* does not go with --upstream/, '*', '0', '0', '--upstream', 'openai')
  for (const name of ['gpt-6:latest', 'gpt-6:1', 'library/gpt-6', 'gpt-cloud']) {
    await refused('model: with --upstream it is a name without a tag', name, '0', '0', '--upstream', 'openai')
  }
  await refused('--gpu-second does not go with --upstream', 'gpt-6', '0', '0', '--upstream', 'openai', '--gpu-second', '0.1')
  await refused(/--upstream.*Allowed choices are openai, anthropic/, 'gpt-6', '0', '0', '--upstream', 'google')
  for (const option of ['--upstream-model', '--cache-write', '--cache-write-long']) {
    await refused(`${option} needs --upstream`, 'gpt-6', '0', '0', option, '1')
  }
  for (const id of ['', 'a b', 'x'.repeat(257), 'ä']) {
    await refused(/--upstream-model.*without spaces/, 'gpt-6', '0', '0', '--upstream', 'openai', '--upstream-model', id)
  }
  await refused('--cache-write', 'gpt-6', '0', '0', '--upstream', 'openai', '--cache-write', '10001')
})

test('list-models has them after those of the host, with who serves them and why one is not offered', async () => {
  await t.admin('set-pricing', 'claude-x', '0', '0', '--upstream', 'anthropic', '--input', '3', '--output', '15')
  await t.admin('set-pricing', 'smart', '0', '0', '--upstream', 'openai', '--upstream-model', 'gpt-6-sol', '--input', '2', '--output', '10')
  await t.admin('set-pricing', 'taken', '0', '0', '--upstream', 'openai')
  await t.admin('set-pricing', 'taken', '1', '0')
  const environment = { OLLAMA_BASE_URL: await closedUrl(), OPENAI_API_KEY: 'sk-secret' }
  const { code, out, err } = await t.adminIn({ environment }, 'list-models')
  expect([code, err]).toEqual([1, expect.stringContaining('refuses the connection')])
  expect(out.split('\n')).toEqual([
    'model     at                   size  price',
    'claude-x  anthropic               -  ANTHROPIC_API_KEY is not set',
    'smart     openai as gpt-6-sol     -  $2 in and $10 out per Mtok',
    "taken     openai                  -  the name is the host's taken:latest, which was priced later",
    '3 models',
    '',
  ])
  const json = (await t.adminIn({ environment }, 'list-models', '--json')).json()
  expect(json).toMatchObject([
    { model: 'claude-x', upstream: 'anthropic', size_bytes: null, offered: false },
    { model: 'smart', upstream: 'openai', upstream_model: 'gpt-6-sol', offered: true, price: { input_usd_per_mtok: '2' } },
    { model: 'taken', upstream: 'openai', offered: false },
  ])
  const remote = (await t.adminIn({ environment }, 'list-models', '--json', '--remote')).json()
  expect(remote).toMatchObject([{ offered: null, note: 'where ANTHROPIC_API_KEY is set' }, { offered: null }, { offered: false }])
})

test("a key limited to a vendor's model gets it and no other, and is shown with its name", async () => {
  await t.admin('set-pricing', 'gpt-6-sol', '0', '0', '--upstream', 'openai')
  await t.admin('set-pricing', 'gpt-6-luna', '0', '0', '--upstream', 'openai')
  await t.admin('set-pricing', '*', '0', '0')
  const customer = await makeCustomer(t)
  const made = await t.admin('generate-key', String(customer), '--models', 'gpt-6-sol,gemma3:270m,qwen3')
  expect(made.out).toContain('Models: gpt-6-sol, gemma3:270m, qwen3:latest.')
  expect((await t.admin('list-keys', String(customer))).out).toContain(' gpt-6-sol,gemma3:270m,qwen3:latest ')
  expect((await t.admin('list-keys', String(customer), '--json')).json()).toMatchObject([
    { models: ['gpt-6-sol:latest', 'gemma3:270m', 'qwen3:latest'] },
  ])

  const key = await makeKey(t, customer, '--models', 'gpt-6-sol')
  const upstreams = ['ollama', 'openai'] as const
  const id = await begin(t, key, { model: 'gpt-6-sol:latest', upstreams })
  expect(await t.db.all('SELECT model, upstream FROM holds WHERE id = ?', [id])).toEqual([{ model: 'gpt-6-sol', upstream: 'openai' }])
  for (const model of ['gpt-6-luna:latest', 'gemma3:270m', 'gpt-6-sol:1b']) {
    await expect(begin(t, key, { model, upstreams }), model).rejects.toThrow('model_not_allowed')
  }

  await t.admin('withdraw-pricing', 'gpt-6-sol', '--yes')
  expect((await t.admin('list-keys', String(customer))).out).toContain(' gpt-6-sol:latest,gemma3:270m')
})

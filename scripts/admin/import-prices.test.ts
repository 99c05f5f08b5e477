// import-prices on a real database: what it says would change is what it writes, and a second run writes nothing.
import { afterEach, beforeEach, expect, test } from 'vitest'
import { type TestDatabase, testDatabase } from './testing.ts'
import { alias, catalogueFile, changes, EMBED, HAIKU, listFile, SOL } from './testing-prices.ts'

let t: TestDatabase
beforeEach(async () => {
  t = await testDatabase()
})
afterEach(() => t.close())

const catalogue = (...models: object[]) => catalogueFile(t, ...models)
const importFrom = (file: string, ...args: string[]) => t.admin('import-prices', '--from', file, ...args)
const rows = () => t.db.all('SELECT * FROM prices ORDER BY id')

test('new models become price rows, column by column', async () => {
  const { code, out, err } = await importFrom(await catalogue(SOL, HAIKU, EMBED), '--yes')
  expect([code, err]).toEqual([0, ''])
  expect(out).toMatch(
    /^by hand 7, 2026-11-24; markup 0%\nchange +model +input +cached +cache write +long write +output +longer input +note\n/,
  )
  expect(out.split('\n').slice(2)).toEqual([
    'new     gpt-6-sol                  $2    $0.2            -           -     $10  -',
    'new     claude-haiku-5-5         $0.1   $0.01       $0.125        $0.2    $0.5  above 100,000: $0.5 / $0.05 / $0.625 / $1 / $2.5',
    'new     text-embedding-3-small  $0.02   $0.02            -           -      $0  -',
    '3 models: 3 new; dollars per million tokens',
    'Wrote 3 prices, in force from now on.',
    "OpenAI's models are offered by a gateway that has OPENAI_API_KEY: here there is none, so put it into .dev.vars, and start the gateway again.",
    "Anthropic's models are offered by a gateway that has ANTHROPIC_API_KEY: here there is none, so put it into .dev.vars, and start the gateway again.",
    '',
  ])
  const [sol, haiku, embed] = await rows()
  expect(haiku).toMatchObject({
    model: 'claude-haiku-5-5',
    upstream: 'anthropic',
    upstream_model: null,
    variant: '',
    request_nano: 0,
    input_pico: 100_000,
    cached_input_pico: 10_000,
    cache_write_pico: 125_000,
    cache_write_long_pico: 200_000,
    output_pico: 500_000,
    above_tokens: 100_000,
    above_input_pico: 500_000,
    above_cached_input_pico: 50_000,
    above_cache_write_pico: 625_000,
    above_cache_write_long_pico: 1_000_000,
    above_output_pico: 2_500_000,
    output_default: 16_384,
    output_max: 128_000,
    withdrawn: 0,
  })
  expect(sol).toMatchObject({ upstream: 'openai', cache_write_pico: null, above_tokens: null, above_input_pico: null })
  expect(embed).toMatchObject({ cached_input_pico: 20_000, output_pico: 0, output_default: 1, output_max: 1 })
})

test('a second run changes nothing and needs nobody to ask', async () => {
  const file = await catalogue(SOL, HAIKU)
  await importFrom(file, '--yes', '--markup', '12.5%')
  const before = await t.dump()
  const { code, out } = await importFrom(file, '--markup', '12.5%')
  expect([code, out]).toEqual([0, expect.stringMatching(/2 the same.*\nNothing to change\.\n$/)])
  expect(await t.dump()).toBe(before)
})

test('dearer, cheaper, changed, the same and retired are told apart', async () => {
  const model = (id: string, more: object = {}) => ({ ...SOL, id, ...more })
  await importFrom(await catalogue(...['dear', 'cheap', 'both', 'limit', 'tier', 'same', 'gone', 'late'].map((id) => model(id))), '--yes')
  const newer = await catalogue(
    model('dear', { output_pico: 10_000_001 }),
    model('cheap', { input_pico: 1_999_999 }),
    model('both', { input_pico: 1, output_pico: 11_000_000 }),
    model('limit', { output_max: 64_000 }),
    model('tier', { above_tokens: 5, above_input_pico: 3_000_000, above_output_pico: 15_000_000 }),
    model('same', { retires: '2999-01-01' }),
    model('late', { retires: '2026-01-01' }),
    model('never', { retires: '2026-01-01' }),
  )
  const { out } = await t.adminIn({ answer: false }, 'import-prices', '--from', newer)
  expect(out).toMatch(/dearer +dear +\$2 +\$0\.2 +- +- +\$10 → \$10\.000001/)
  expect(out).toMatch(/cheaper +cheap +\$2 → \$1\.999999/)
  expect(out).toMatch(/retired +late .* since 2026-01-01/)
  expect(out).toMatch(/retired +gone .* not in the catalogue/)
  expect(out).not.toMatch(/never|same +\$/)
  expect(out).toContain('9 models: 2 dearer, 1 cheaper, 2 changed otherwise, 1 the same, 3 retired (--all lists the other 2, too)')
  const all = await t.adminIn({ answer: false }, 'import-prices', '--from', newer, '--all')
  expect(all.out).toMatch(/retired +never/)
  expect(await changes(t, newer)).toEqual([
    'dear dearer',
    'cheap cheaper',
    'both dearer',
    'limit changed',
    'tier changed',
    'same same',
    'late retired',
    'never retired',
    'gone retired',
  ])
  expect((await changes(t, newer)).filter((line) => !/same|retired/.test(line))).toEqual([])
})

test('retired models are withdrawn only when told, once, and their numbers stay', async () => {
  await importFrom(await catalogue(SOL, HAIKU), '--yes')
  const newer = await catalogue(HAIKU)
  expect((await importFrom(newer)).out).toContain('Nothing to change.')
  const { json } = await importFrom(newer, '--withdraw-retired', '--yes', '--json')
  expect(json()).toMatchObject({ written: 0, withdrawn: 1 })
  expect((await rows()).at(-1)).toMatchObject({ model: 'gpt-6-sol', withdrawn: 1, input_pico: 2_000_000, output_max: 128_000 })
  expect((await importFrom(newer, '--withdraw-retired')).out).toContain('Nothing to change.')
})

test('what the operator withdrew, or priced as another model, is left alone unless it is asked for', async () => {
  const file = await catalogue(SOL, HAIKU)
  await importFrom(file, '--yes')
  await t.admin('withdraw-pricing', 'gpt-6-sol', '--yes')
  await alias(t, 'claude-haiku-5-5', 'openai', 'gpt-6-sol')
  expect(await changes(t, file)).toEqual(['gpt-6-sol kept', 'claude-haiku-5-5 kept'])
  expect((await importFrom(file, '--all')).out).toContain("withdrawn; --model gpt-6-sol takes the vendor's price")
  expect(await changes(t, file, '--model', 'gpt-6-sol', '--model', 'claude-haiku-5-5')).toEqual(['gpt-6-sol new', 'claude-haiku-5-5 new'])
  expect(await changes(t, file)).toEqual(['gpt-6-sol same', 'claude-haiku-5-5 same'])
})

test('an alias retires with its model, and a fee for each request stays', async () => {
  await importFrom(await catalogue(SOL), '--yes')
  await alias(t, 'fast', 'openai', 'gpt-6-sol')
  await t.db.all(
    `INSERT INTO prices (model, upstream, request_nano, input_pico, cached_input_pico, output_pico, output_default, output_max, valid_from_ms, created_ms)
     SELECT model, upstream, 500, input_pico, cached_input_pico, output_pico, output_default, output_max, valid_from_ms, 0 FROM prices WHERE model = 'gpt-6-sol'`,
  )
  expect(await changes(t, await catalogue({ ...SOL, input_pico: 3 }))).toEqual(['gpt-6-sol cheaper', 'fast kept'])
  expect((await rows()).at(-1)).toMatchObject({ model: 'gpt-6-sol', input_pico: 3, request_nano: 500 })
  expect(await changes(t, await catalogue(HAIKU))).toEqual(['claude-haiku-5-5 new', 'fast retired', 'gpt-6-sol retired'])
})

test('how to set a key is said where none is known, and what a key is never', async () => {
  const both = await catalogue(SOL, HAIKU)
  const keys = { OPENAI_API_KEY: 'sk-secret', ANTHROPIC_API_KEY: ' ' }
  const local = await t.adminIn({ environment: keys }, 'import-prices', '--from', both, '--yes')
  expect(local.out).toMatch(/in force from now on\.\nAnthropic's models are offered by a gateway that has ANTHROPIC_API_KEY/)
  expect(local.out + local.err).not.toMatch(/secret|OPENAI_API_KEY/)
  const dearer = await catalogue({ ...SOL, input_pico: 3_000_000 }, HAIKU)
  const remote = await t.adminIn({ environment: keys }, 'import-prices', '--from', dearer, '--yes', '--remote')
  expect(remote.out).toContain(
    "OpenAI's models are offered where the Worker has the secret OPENAI_API_KEY; if it has none yet: wrangler secret put OPENAI_API_KEY\n",
  )
  expect(remote.out).not.toContain('ANTHROPIC')
})

test('a markup is on every price, rounded up', async () => {
  await importFrom(await catalogue({ ...HAIKU, output_pico: 333_333 }), '--yes', '--markup', '20%')
  expect((await rows())[0]).toMatchObject({
    input_pico: 120_000,
    cached_input_pico: 12_000,
    cache_write_pico: 150_000,
    cache_write_long_pico: 240_000,
    // 333,333 × 1.2 = 399,999.6
    output_pico: 400_000,
    above_tokens: 100_000,
    above_output_pico: 3_000_000,
  })
})

test('--vendor and --model choose', async () => {
  const file = await catalogue(SOL, HAIKU, EMBED)
  expect(await changes(t, file, '--vendor', 'anthropic')).toEqual(['claude-haiku-5-5 new'])
  expect(await changes(t, file, '--model', 'gpt-6-sol')).toEqual(['gpt-6-sol new'])
  expect(await changes(t, file, '--vendor', 'openai')).toEqual(['gpt-6-sol same', 'text-embedding-3-small new'])
})

test("LiteLLM's own file is taken, too, and what it holds beyond a row is said", async () => {
  const sol = {
    litellm_provider: 'openai',
    mode: 'chat',
    input_cost_per_token: 2e-6,
    output_cost_per_token: 1e-5,
    max_output_tokens: 128_000,
  }
  const file = await listFile(t, { 'gpt-6-sol': sol, 'ft:gpt-6-sol': sol, 'gemini-9': { ...sol, litellm_provider: 'vertex_ai' } })
  const { json } = await importFrom(file, '--yes', '--json')
  expect(json()).toMatchObject({
    written: 1,
    markup: '0%',
    version: null,
    models: [{ model: 'gpt-6-sol', change: 'new', before: null, after: { input_usd_per_mtok: '2', output_usd_per_mtok: '10' } }],
    left_out: [{ id: 'ft:gpt-6-sol', why: 'no plain id of the vendor' }],
  })
})

test('the kept catalogue is imported whole', async () => {
  const { code, err, json } = await t.admin('import-prices', '--yes', '--json')
  expect([code, err]).toEqual([0, ''])
  expect(json<{ written: number }>().written).toBe((await rows()).length)
  const listed = (await t.admin('list-pricing', '--json')).json<{ model: string }[]>()
  expect(listed.find(({ model }) => model === 'gpt-6-sol')).toMatchObject({
    upstream: 'openai',
    input_usd_per_mtok: '2',
    cache_write_long_usd_per_mtok: '5',
    above_tokens: 272_000,
    above_output_usd_per_mtok: '15',
    state: 'in force',
  })
  expect((await t.admin('list-pricing')).out).toMatch(/^model +at +request .* cache write +long write +output +longer input/)
  const again = await t.admin('import-prices')
  expect([again.code, again.out]).toEqual([0, expect.stringContaining('Nothing to change.')])
})

test('an imported price is withdrawn by its id, and a local model of that name by its own', async () => {
  await importFrom(await catalogue(SOL), '--yes')
  await t.admin('set-pricing', 'gpt-6-sol', '1', '0')
  const vendors = await t.admin('withdraw-pricing', 'gpt-6-sol', '--yes')
  expect(vendors.out).toBe('The price of gpt-6-sol is withdrawn. It is offered again after import-prices --model gpt-6-sol.\n')
  expect((await t.admin('withdraw-pricing', 'gpt-6-sol:latest', '--yes')).out).toContain('The price of gpt-6-sol:latest is withdrawn')
})

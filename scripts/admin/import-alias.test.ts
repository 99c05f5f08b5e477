// Names: an alias of a vendor's model, and a name that the host's model has, too.
import { afterEach, beforeEach, expect, test } from 'vitest'
import { begin, makeCustomer, makeKey, type TestDatabase, testDatabase } from './testing.ts'
import { catalogueFile, changes, HAIKU, SOL } from './testing-prices.ts'

let t: TestDatabase
beforeEach(async () => {
  t = await testDatabase()
})
afterEach(() => t.close())

const rows = () => t.db.all('SELECT * FROM prices ORDER BY id')
/** Whose the model is that a request comes to. */
const served = async (model: string) => {
  const id = await begin(t, await makeKey(t, await makeCustomer(t)), { model, upstreams: ['ollama', 'openai'] })
  return (await t.db.all('SELECT upstream, model FROM holds WHERE id = ?', [id]))[0]
}

test('an alias is shown, written once, and brought up to date by the same command', async () => {
  const file = await catalogueFile(t, SOL, HAIKU)
  const as = ['--model', 'gpt-6-sol', '--as', 'smart']
  const first = await t.admin('import-prices', '--from', file, '--yes', '--markup', '50%', ...as)
  expect(first.out).toMatch(/\nnew +smart +\$3 .* another name of gpt-6-sol\n1 model: 1 new;/)
  expect(await rows()).toMatchObject([
    { model: 'smart', upstream: 'openai', upstream_model: 'gpt-6-sol', input_pico: 3_000_000, withdrawn: 0 },
  ])
  expect(await served('smart:latest')).toEqual({ upstream: 'openai', model: 'smart' })

  const before = await t.dump()
  expect((await t.admin('import-prices', '--from', file, '--markup', '50%', ...as)).out).toContain('Nothing to change.')
  expect(await t.dump()).toBe(before)

  const newer = await catalogueFile(t, { ...SOL, output_pico: 12_000_000 }, HAIKU)
  // An import of all leaves it as it is, and says what would not.
  expect(await changes(t, newer)).toEqual(['gpt-6-sol new', 'claude-haiku-5-5 new', 'smart kept'])
  expect((await t.admin('import-prices', '--from', newer, '--all')).out).toContain(
    '--model gpt-6-sol --as smart brings its price up to date',
  )
  expect(await changes(t, newer, ...as)).toEqual(['smart cheaper'])
  const { models } = (await t.admin('import-prices', '--from', newer, ...as, '--json')).json<{ models: object[] }>()
  expect(models).toMatchObject([{ model: 'smart', upstream_model: 'gpt-6-sol', change: 'same' }])
})

test('an alias goes to another model when it is told, and is withdrawn by its name', async () => {
  const file = await catalogueFile(t, SOL, HAIKU)
  await changes(t, file, '--model', 'gpt-6-sol', '--as', 'smart')
  expect(await changes(t, file, '--model', 'claude-haiku-5-5', '--as', 'smart')).toEqual(['smart new'])
  expect((await rows()).at(-1)).toMatchObject({ model: 'smart', upstream: 'anthropic', upstream_model: 'claude-haiku-5-5' })
  expect((await t.admin('withdraw-pricing', 'smart', '--yes')).out).toBe(
    'The price of smart is withdrawn. It is offered again after import-prices --model claude-haiku-5-5 --as smart, or set-pricing smart --upstream anthropic.\n',
  )
  expect((await t.admin('list-pricing')).out).toContain('No price is in force')
})

test('an alias that is the id of another model keeps that name', async () => {
  const file = await catalogueFile(t, SOL, HAIKU)
  expect(await changes(t, file, '--model', 'gpt-6-sol', '--as', 'claude-haiku-5-5')).toEqual(['claude-haiku-5-5 new'])
  expect(await changes(t, file)).toEqual(['gpt-6-sol new', 'claude-haiku-5-5 kept'])
})

test('what cannot be an alias is refused by name, and nothing is written', async () => {
  const file = await catalogueFile(t, SOL, HAIKU)
  const refused = async (said: string | RegExp, ...args: string[]) => {
    const ran = await t.admin('import-prices', '--from', file, '--yes', ...args)
    expect([ran.code, ran.out, ran.err]).toEqual([2, '', expect.stringMatching(said)])
    expect(await rows()).toEqual([])
  }
  for (const bad of ['Smart', 'smart:latest', 'smart:1', 'a b', '', '*', 'a..b', 'smart-cloud', 'library/smart', ' smart']) {
    await refused("'--as <name>'.*without a tag", '--model', 'gpt-6-sol', '--as', bad)
  }
  await refused('--as needs one --model', '--as', 'smart')
  await refused('--as needs one --model', '--as', 'smart', '--model', 'gpt-6-sol', '--model', 'claude-haiku-5-5')
  await refused('its own name already', '--as', 'gpt-6-sol', '--model', 'gpt-6-sol')
  await refused('smart is not in the catalogue', '--as', 'clever', '--model', 'smart')
})

test("a name that the host's model has is kept, and given to the vendor by --model", async () => {
  const file = await catalogueFile(t, SOL, HAIKU)
  await t.admin('set-pricing', 'gpt-6-sol', '1', '0')
  expect(await changes(t, file)).toEqual(['gpt-6-sol kept', 'claude-haiku-5-5 new'])
  expect((await t.admin('import-prices', '--from', file, '--all')).out).toContain(
    "the name is the host's gpt-6-sol:latest; --model gpt-6-sol",
  )
  expect(await served('gpt-6-sol:latest')).toMatchObject({ upstream: 'ollama' })

  const told = await t.admin('import-prices', '--from', file, '--yes', '--model', 'gpt-6-sol')
  expect(told.out).toContain("takes the name from the host's gpt-6-sol:latest")
  expect(await served('gpt-6-sol:latest')).toMatchObject({ upstream: 'openai', model: 'gpt-6-sol' })
  expect(await changes(t, file, '--model', 'gpt-6-sol')).toEqual(['gpt-6-sol same'])

  // Priced again, the host's has it again, however the vendor's price changes.
  await t.admin('set-pricing', 'gpt-6-sol', '2', '0')
  expect(await changes(t, await catalogueFile(t, { ...SOL, input_pico: 1 }, HAIKU))).toEqual(['gpt-6-sol kept', 'claude-haiku-5-5 same'])
  expect(await served('gpt-6-sol:latest')).toMatchObject({ upstream: 'ollama' })
  expect(await changes(t, file, '--model', 'gpt-6-sol')).toEqual(['gpt-6-sol new'])
  expect(await served('gpt-6-sol:latest')).toMatchObject({ upstream: 'openai' })
})

// import-prices where it must write nothing: nobody has said yes, what it was given cannot be used, or the prices are others by now.
import { afterEach, beforeEach, expect, test } from 'vitest'
import { prices } from '../../worker/schema.ts'
import { appendPrices } from './append-prices.ts'
import { type TestDatabase, testDatabase } from './testing.ts'
import { catalogueFile, changes, HAIKU, listFile, SOL } from './testing-prices.ts'

let t: TestDatabase
beforeEach(async () => {
  t = await testDatabase()
})
afterEach(() => t.close())

const catalogue = (...models: object[]) => catalogueFile(t, ...models)
const importFrom = (file: string, ...args: string[]) => t.admin('import-prices', '--from', file, ...args)
const rows = () => t.db.all('SELECT * FROM prices ORDER BY id')

test('it asks, and shows the change before; a no, and nobody, change nothing', async () => {
  const file = await catalogue(SOL)
  const before = await t.dump()
  const no = await t.adminIn({ answer: false }, 'import-prices', '--from', file)
  expect([no.code, no.out, no.err]).toEqual([
    1,
    expect.stringContaining('new     gpt-6-sol'),
    'error: not confirmed: nothing was changed.\n',
  ])
  const nobody = await importFrom(file)
  expect([nobody.code, nobody.err]).toEqual([2, expect.stringContaining('--yes is missing')])
  const json = await t.adminIn({ answer: false }, 'import-prices', '--from', file, '--json')
  expect([json.out, json.err]).toEqual(['', expect.stringContaining('new     gpt-6-sol')])
  expect(await t.dump()).toBe(before)
  expect((await t.adminIn({ answer: true }, 'import-prices', '--from', file)).out).toContain('Wrote 1 price, in force from now on.')
})

test('what cannot be used is named, and nothing is written', async () => {
  const file = await catalogue(SOL, HAIKU)
  const before = await t.dump()
  const refused = async (code: number, said: string | RegExp, ...args: string[]) => {
    const ran = await t.admin('import-prices', '--yes', ...args)
    expect([ran.code, ran.out, ran.err]).toEqual([code, '', expect.stringMatching(said)])
    expect(await t.dump()).toBe(before)
  }
  await refused(2, /--vendor.*Allowed choices are openai, anthropic/, '--vendor', 'google')
  await refused(2, /--model: gtp-6-sol is not in the catalogue; near it: gpt-6-sol\./, '--from', file, '--model', 'gtp-6-sol')
  await refused(2, /--model: nonsense is not in the catalogue\. Ids are/, '--from', file, '--model', 'nonsense')
  await refused(
    2,
    /claude-haiku-5-5 is a model of anthropic, not of openai/,
    '--from',
    file,
    '--vendor',
    'openai',
    '--model',
    'claude-haiku-5-5',
  )
  for (const bad of ['20', '-1%', '1000.1%', 'much', '1.23456%', '']) await refused(2, '--markup', '--markup', bad)
  await refused(1, /--from: nowhere\.json cannot be read \(ENOENT\)/, '--from', 'nowhere.json')
  await refused(1, /--from: .*is not JSON.*Nothing was written/, '--from', await listFile(t, 'hello'))
  await refused(1, /models\[0\] \(gpt-6-sol\): input_pico: .*int.*1\.5/, '--from', await catalogue({ ...SOL, input_pico: 1.5 }))
  await refused(1, /output_pico: .*10000000000/, '--from', await catalogue({ ...SOL, output_pico: 10_000_000_001 }))
  await refused(1, /--markup: .*gpt-6-sol.*output/, '--markup', '1%', '--from', await catalogue({ ...SOL, output_pico: 10_000_000_000 }))
})

test('a price that somebody else changed meanwhile is not written over', async () => {
  const file = await catalogue(SOL, HAIKU)
  await importFrom(file, '--yes', '--model', 'gpt-6-sol')
  const newer = await catalogue({ ...SOL, input_pico: 5 }, HAIKU)
  const [sol] = await t.db.orm.select().from(prices)
  if (sol === undefined) throw new Error('no row')
  expect(
    await appendPrices(t.db, 'ada', [
      { seen: null, row: sol },
      { seen: null, row: { ...sol, model: 'other' } },
    ]),
  ).toBe(false)
  expect(await rows()).toHaveLength(1)
  expect(await changes(t, newer)).toEqual(['gpt-6-sol cheaper', 'claude-haiku-5-5 new'])
})

// Keys that are changed while customers ask: a vendor's, at the deployed gateway and here; and a customer's own.
import { mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { startVendor, type VendorServer } from '../../e2e/vendors/server.ts'
import { runCommand } from '../admin/run-command.ts'
import { testDatabase } from '../admin/testing.ts'
import { deployWorker } from '../deploy/deploy-worker.ts'
import { type TestDeployment, testDeployment } from '../doctor/testing.ts'
import { withSetting } from './dev-vars.ts'
import { startLoad } from './testing.ts'
import { judgeProviderKey } from './try-provider-key.ts'

const OLD = 'sk-proj-the-old-key-of-the-operator'
const NEW = 'sk-proj-the-new-key-of-the-operator'

let t: TestDeployment
let vendor: VendorServer
let folder: string
const keys: string[] = [OLD]

beforeAll(async () => {
  t = await testDeployment()
  folder = await mkdtemp(join(tmpdir(), 'gateway-rotation-'))
  vendor = await startVendor('openai', { apiKey: keys })
  const secrets = { OPENAI_API_KEY: OLD, OPENAI_BASE_URL: `${vendor.url}/v1` }
  await deployWorker({ deployment: t.deployment, plan: 'free', environment: t.environment, say() {}, secrets })
  await t.admin('set-pricing', 'gpt-4.1-test', '0', '0', '--input', '2', '--output', '8', '--upstream', 'openai')
})
afterAll(async () => {
  await vendor.close()
  await t.close()
  await rm(folder, { recursive: true, force: true })
})

async function customerKey(): Promise<{ id: number; key: string }> {
  const { id } = await t.admin<{ id: number }>('create-customer', 'Ada', `${crypto.randomUUID()}@example.com`, '--unlimited')
  return t.admin<{ id: number; key: string }>('generate-key', String(id))
}

async function command(input: string, ...args: string[]) {
  const environment = {
    ...t.environment,
    ...{ CLOUDFLARE_ACCOUNT_ID: t.accountId, D1_DATABASE_ID: t.deployment.database?.id, OPENAI_BASE_URL: `${vendor.url}/v1` },
  }
  const io = { input: async () => input, directory: folder, project: t.directory, environment }
  const ran = await runCommand(['rotate-provider-key', ...args], io)
  expect(`${ran.out}${ran.err}${ran.progress}`).not.toMatch(/sk-proj-the|operator$/)
  return ran
}

test("a vendor's key is changed at the deployed gateway, and not one request is refused", async () => {
  const { key } = await customerKey()
  const load = startLoad(t.ask, 'https://api.example.com', () => key, 'gpt-4.1-test')
  await expect.poll(load.answered).toBeGreaterThan(8)
  // The vendor takes both until the old one is deleted there.
  keys.push(NEW)
  const { code, out } = await command(`${NEW}\n`, 'openai', '--remote')
  expect([code, out]).toEqual([
    0,
    expect.stringMatching(
      /^OpenAI takes the new key, and shows it \d+ models\. The Worker serves with it\.\nNow delete the old one at https:\/\/platform\.openai\.com/,
    ),
  ])
  keys.splice(0, keys.length, NEW)
  const before = load.answered()
  await expect.poll(load.answered).toBeGreaterThan(before + 20)
  expect(await load.stop()).toEqual([])
  const used = vendor.requests.map((request) => request.header('authorization'))
  expect([used.filter((one) => one === `Bearer ${OLD}`).length > 8, used.at(-1)]).toEqual([true, `Bearer ${NEW}`])
  const audit = JSON.stringify(await t.admin('audit'))
  expect(audit).toContain('rotate-provider-key')
  expect(audit).not.toContain('sk-proj')
})

test('a key that the vendor does not take is not set, and neither is what is no key', async () => {
  const versions = () => t.cloudflare.calls.filter(({ path }) => /secrets-bulk/.test(path)).length
  const before = versions()
  const unknown = 'sk-proj-nobody-has-this-one-at-all'
  expect(await command(unknown, 'openai', '--remote')).toMatchObject({
    code: 1,
    err: expect.stringMatching(/does not know this key \(401\).*Nothing was changed/),
  })
  expect(await command('two words', 'openai', '--remote')).toMatchObject({ code: 2 })
  expect(await command('', 'openai', '--remote', '--key-file', 'nowhere')).toMatchObject({
    code: 2,
    err: expect.stringMatching(/nowhere cannot be read \(ENOENT\)/),
  })
  expect(await command(NEW, 'nobody', '--remote')).toMatchObject({ code: 2 })
  expect(versions()).toBe(before)
})

test('here it goes into .dev.vars, where all else stays, and only its owner may read it', async () => {
  const local = await testDatabase()
  await writeFile(join(folder, '.dev.vars'), '# mine\nPORT=8790\nOPENAI_API_KEY="old"\n')
  await writeFile(join(folder, 'new-key'), `${NEW}\n`)
  const environment = { OPENAI_BASE_URL: `${vendor.url}/v1` }
  const ran = await local.adminIn(
    { environment, directory: folder, project: folder },
    'rotate-provider-key',
    'openai',
    '--key-file',
    'new-key',
  )
  expect(ran).toMatchObject({ code: 0, out: expect.stringMatching(/It is in \.dev\.vars/) })
  expect(await readFile(join(folder, '.dev.vars'), 'utf8')).toBe(`# mine\nPORT=8790\nOPENAI_API_KEY=${NEW}\n`)
  expect((await stat(join(folder, '.dev.vars'))).mode & 0o077).toBe(0)
  await local.close()
})

test('a setting is put in its place, or at the end', () => {
  expect(withSetting('', 'A', '1')).toBe('A=1\n')
  expect(withSetting('B=2', 'A', '1')).toBe('B=2\nA=1\n')
  expect(withSetting('# A=0\nexport A = "x"\nAA=3\n', 'A', '$&')).toBe('# A=0\nA=$&\nAA=3\n')
})

test('what a vendor answers to a key has its remedy', () => {
  const answer = (status: number, text = '') => ({ status, text, headers: new Headers(), atMs: 0, tookMs: 0 })
  expect(judgeProviderKey(answer(200, '{"data":[{},{}]}'), 'anthropic')).toBe(2)
  for (const [status, words] of [
    [401, /does not know/],
    [403, /may not list/],
    [429, /no credit/],
    [500, /Try again/],
    [200, /not with its models/],
  ] as const) {
    expect(() => judgeProviderKey(answer(status), 'anthropic')).toThrow(words)
  }
  expect(() => judgeProviderKey({ silent: 'ENOTFOUND' }, 'openai')).toThrow(/OpenAI does not answer \(ENOTFOUND\)/)
})

test("a customer's key is rotated while they ask: the old one works on, the new one at once, and one that leaked is revoked", async () => {
  const { id, key } = await customerKey()
  let current = key
  const load = startLoad(t.ask, 'https://api.example.com', () => current)
  await expect.poll(load.answered).toBeGreaterThan(8)
  const made = await t.admin<{ id: number; key: string }>('rotate-key', String(id))
  let before = load.answered()
  await expect.poll(load.answered).toBeGreaterThan(before + 8)
  current = made.key
  before = load.answered()
  await expect.poll(load.answered).toBeGreaterThan(before + 8)
  const ask = (bearer: string) => t.ask('https://api.example.com/v1/models', { headers: { authorization: `Bearer ${bearer}` } })
  expect((await ask(key)).status).toBe(200)
  // It leaked: its customer has changed to the new one, and it ends now.
  await t.admin('revoke-key', String(id), '--yes')
  const again = await t.admin<{ key: string }>('rotate-key', String(made.id), '--overlap', '24h')
  current = again.key
  before = load.answered()
  await expect.poll(load.answered).toBeGreaterThan(before + 8)
  expect(await load.stop()).toEqual([])
  expect([(await ask(key)).status, (await ask(again.key)).status]).toEqual([401, 200])
})

// A new Access token for a gateway that serves all the while: whole, kept for a while, and stopped at each of its calls.
import { spawn } from 'node:child_process'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from 'vitest'
import { letIn } from '../../e2e/cloudflare/let-in.ts'
import { runCommand } from '../admin/run-command.ts'
import { type Deployment, readDeployment, writeDeployment } from '../cloudflare/deployment.ts'
import { cloudflareClient } from '../deploy/running.ts'
import { type TestDeployment, testDeployment } from '../doctor/testing.ts'
import { addSecrets, forgetSecrets } from '../setup/secrets-file.ts'
import { PROJECT_ROOT } from '../start/project.ts'
import { type AccessLink, rotateAccess } from './access-token.ts'
import { type Load, startLoad } from './testing.ts'
import { putSecretsBy } from './worker-secrets.ts'

let t: TestDeployment
let key: string
let load: Load
let said: string[] = []

beforeAll(async () => {
  t = await testDeployment()
  const { id } = await t.admin<{ id: number }>('create-customer', 'Ada', 'ada@example.com', '--unlimited')
  key = (await t.admin<{ key: string }>('generate-key', String(id))).key
})
beforeEach(() => {
  said = []
  load = startLoad(t.ask, 'https://api.example.com', () => key)
})
afterEach(async () => {
  t.cloudflare.faults.clear()
  t.ollama.reset()
  await load.stop()
})
afterAll(() => t.close())

async function stored() {
  return (await readDeployment(t.directory)) as Deployment & { host: AccessLink }
}

/** From what deployment.json says, as a new process would. Waits are short. */
async function rotate(more: { keepMs?: number; nowMs?: () => number } = {}) {
  const deployment = await stored()
  const client = cloudflareClient(t.environment)
  return rotateAccess({
    client,
    deployment,
    save: () => writeDeployment(t.directory, deployment),
    put: putSecretsBy(client, deployment),
    fetch: t.ask,
    say: (line) => said.push(line),
    sleep: (ms) => new Promise((resolve) => setTimeout(resolve, Math.min(ms, 20))),
    nowMs: more.nowMs ?? Date.now,
    keepMs: more.keepMs ?? null,
  })
}

/** Some requests more are answered, and none was refused. */
async function expectNoneRefused() {
  const before = load.answered()
  await expect.poll(load.answered).toBeGreaterThan(before + 8)
  expect(await load.stop()).toEqual([])
}

const valid = () => letIn(t.cloudflare.state, t.accountId).map(({ clientId }) => clientId)
const atCloudflare = () => [...t.cloudflare.state.of('access_service_tokens', t.accountId).keys()]

test('a new token takes over, the old one is gone, and not one request was refused', async () => {
  const [before] = (await stored()).host.serviceTokens
  const rotated = await rotate()
  const { host } = await stored()
  expect(rotated).toMatchObject({ made: true, removed: 1, keptUntil: null })
  expect(host.serviceTokens.map(({ id }) => id)).toEqual([rotated.token.id])
  expect([valid(), atCloudflare()]).toEqual([[rotated.token.clientId], [rotated.token.id]])
  expect(rotated.token.id).not.toBe(before?.id)
  await expectNoneRefused()
  // Whoever was let in last was let in by the new one.
  expect(t.ollama.requests.at(-1)?.headers['cf-access-client-id']).toBe(rotated.token.clientId)
})

test('with --keep both are let in until the time is over and it is run again', async () => {
  const first = await rotate({ keepMs: 3_600_000 })
  expect(first).toMatchObject({ made: true, removed: 0, keptUntil: expect.any(String) })
  expect(valid()).toHaveLength(2)
  expect(await rotate()).toMatchObject({ made: false, removed: 0, token: { id: first.token.id } })
  const late = await rotate({ nowMs: () => Date.now() + 3_600_001 })
  expect(late).toMatchObject({ made: false, removed: 1, keptUntil: null })
  expect(valid()).toEqual([first.token.clientId])
  await expectNoneRefused()
})

const CALLS: [method: string, path: RegExp, skip?: number][] = [
  ['POST', /service_tokens$/],
  ['GET', /policies\//],
  ['PUT', /policies\//],
  ['PATCH', /secrets-bulk/],
  ['GET', /deployments/],
  ['GET', /service_tokens\?|service_tokens$/],
  ['GET', /policies\//, 1],
  ['PUT', /policies\//, 1],
  ['DELETE', /service_tokens/],
]

test.for(CALLS)('stopped at %s %s, with the call done and its answer lost, it can be run again', async ([method, path, skip = 0]) => {
  // As often as the SDK tries.
  t.cloudflare.faults.add(method, path, 'lost', { skip, times: 3 })
  await expect(rotate()).rejects.toThrow(/Cloudflare cannot be reached/)
  t.cloudflare.faults.clear()
  const { token } = await rotate()
  expect((await stored()).host.serviceTokens.map(({ id }) => id)).toEqual([token.id])
  expect([valid(), atCloudflare()]).toEqual([[token.clientId], [token.id]])
  await expectNoneRefused()
})

test('a token that Access does not let in is not given to the Worker', async () => {
  const [before] = (await stored()).host.serviceTokens
  const only = letIn(t.cloudflare.state, t.accountId)
  t.ollama.edge({ tokens: only })
  await expect(rotate()).rejects.toThrow(/not let in at ollama.example.com: Access answers 403. The Worker goes on with the one it has/)
  await expectNoneRefused()
  expect(t.ollama.requests.at(-1)?.headers['cf-access-client-id']).toBe(before?.clientId)
  t.ollama.edge({ tokens: () => letIn(t.cloudflare.state, t.accountId) })
  await rotate()
  expect(atCloudflare()).toHaveLength(1)
})

test('where the token has ended already, a rotation brings the box back', async () => {
  await load.stop()
  const [token] = (await stored()).host.serviceTokens
  const atAccess = t.cloudflare.state.of('access_service_tokens', t.accountId).get(token?.id ?? '')
  if (atAccess) atAccess.expires_at = '2020-01-01T00:00:00Z'
  const ask = async () => {
    const headers = { authorization: `Bearer ${key}` }
    const body = JSON.stringify({ model: 'gemma3:270m', messages: [{ role: 'user', content: 'Hi' }], stream: false })
    return (await t.ask('https://api.example.com/api/chat', { method: 'POST', headers, body })).status
  }
  expect(await ask()).toBe(502)
  expect(await rotate()).toMatchObject({ made: true, removed: 1 })
  expect(await ask()).toBe(200)
})

function command(...args: string[]) {
  const environment = { ...t.environment, CLOUDFLARE_ACCOUNT_ID: t.accountId, D1_DATABASE_ID: t.deployment.database?.id }
  return runCommand(['rotate-access', ...args], { directory: t.directory, project: t.directory, environment })
}

test('the command asks, tells what it does, is in the audit log, and shows no secret', async () => {
  expect(await command()).toMatchObject({ code: 2, err: expect.stringMatching(/--yes is missing/) })
  const { code, out, err, progress } = await command('--yes', '--keep', '24h')
  expect([code, out]).toEqual([0, expect.stringMatching(/^The gateway is let in by the new token, .*\. The old one is let in, too: run/)])
  expect(progress).toMatch(/Making a second service token …\n.*\n.*\nGiving it to the Worker …/)
  const audit = JSON.stringify(await t.admin('audit'))
  expect(audit).toContain('rotate-access')
  const secrets = [...t.cloudflare.state.secretsOf(t.accountId).values()]
  expect(secrets.filter((secret) => `${out}${err}${progress}${audit}`.includes(secret))).toEqual([])
  // 0 ends it at once.
  // Whoever runs it without a word does not end what was kept.
  expect(JSON.parse((await command('--yes', '--json')).out)).toMatchObject({ made: false, removed: 0, old_kept_until: expect.any(String) })
  expect(await rotate({ keepMs: 0 })).toMatchObject({ made: false, removed: 1, keptUntil: null })
  await expectNoneRefused()
})

test('a token that is taken away too early would be seen: these callers are refused', async () => {
  t.ollama.edge({ tokens: [] })
  const before = load.answered()
  await expect.poll(load.answered).toBeGreaterThan(before + 8)
  expect((await load.stop()).length).toBeGreaterThan(0)
  t.ollama.edge({ tokens: () => letIn(t.cloudflare.state, t.accountId) })
})

test('a secret that still waits for a deploy would bring the old token back: refused', async () => {
  await addSecrets(t.directory, { CF_ACCESS_CLIENT_ID: 'x', CF_ACCESS_CLIENT_SECRET: 'y' })
  expect(await command('--yes')).toMatchObject({ code: 1, err: expect.stringMatching(/npm run deploy first/) })
  await forgetSecrets(t.directory)
})

test('Ctrl-C says that it was stopped, and the next run goes on', { timeout: 60_000 }, async () => {
  const script = `import { runAdmin } from './scripts/admin/program.ts'
import { terminalIo } from './scripts/admin/terminal-io.ts'
process.exitCode = await runAdmin(['rotate-access', '--yes'], { ...terminalIo(), project: process.env.TEST_PROJECT })`
  const ids = { CLOUDFLARE_ACCOUNT_ID: t.accountId, D1_DATABASE_ID: t.deployment.database?.id, TEST_PROJECT: t.directory }
  const child = spawn(process.execPath, ['--disable-warning=ExperimentalWarning', '--input-type=module-typescript', '-e', script], {
    cwd: PROJECT_ROOT,
    env: { ...process.env, ...t.environment, ...ids },
    stdio: ['ignore', 'ignore', 'pipe'],
  })
  let err = ''
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    err += text
  })
  const exit = new Promise<number | null>((resolve) => child.once('close', resolve))
  await expect.poll(() => err, { timeout: 40_000 }).toMatch(/for the last places/)
  child.kill('SIGINT')
  expect([await exit, err]).toEqual([130, expect.stringMatching(/\nStopped\..* run the same command again, and it goes on/)])
  expect(valid()).toHaveLength(2)
  expect(await rotate()).toMatchObject({ made: false, removed: 1 })
  await expectNoneRefused()
})

test('before set-up, and without an API token, it says what is needed before it asks', async () => {
  const nothing = await mkdtemp(join(tmpdir(), 'gateway-rotation-'))
  const before = await runCommand(['rotate-access', '--yes'], { directory: nothing, project: nothing, environment: t.environment })
  expect(before).toMatchObject({
    code: 1,
    err: expect.stringMatching(/^error: There is no deployment\.json here: run npm run setup first/),
  })
  await rm(nothing, { recursive: true })
  const { CLOUDFLARE_API_TOKEN: _token, ...environment } = t.environment
  const { code, err } = await runCommand(['rotate-access'], { directory: t.directory, project: t.directory, environment })
  expect([code, err]).toEqual([
    1,
    expect.stringMatching(
      /^error: rotate-access needs CLOUDFLARE_API_TOKEN.* Service Tokens > .* Policies > .* Workers Scripts > .* D1 > Edit\.\n$/,
    ),
  ])
  const cut = { ...t.environment, CLOUDFLARE_API_TOKEN: 'cut' }
  const ran = await runCommand(['rotate-access', '--yes'], {
    directory: t.directory,
    project: t.directory,
    environment: { ...cut, CLOUDFLARE_ACCOUNT_ID: t.accountId, D1_DATABASE_ID: t.deployment.database?.id },
  })
  expect(ran).toMatchObject({ code: 1, err: expect.stringMatching(/^error: Cloudflare does not know this API token/) })
})

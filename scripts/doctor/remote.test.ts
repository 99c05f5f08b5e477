// The doctor of a deployed gateway, against the stand-ins of Cloudflare, its edge and Ollama: all well, and each thing broken once.
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest'
import { useRows } from '../../e2e/cloudflare/resources/analytics.ts'
import { connect } from '../../e2e/cloudflare/resources/tunnels.ts'
import { workersOf } from '../../e2e/cloudflare/resources/workers.ts'
import { doctor } from './command.ts'
import type { Level } from './finding.ts'
import { type TestDeployment, testDeployment } from './testing.ts'

let t: TestDeployment

beforeAll(async () => {
  t = await testDeployment()
  await t.admin('verify-ledger')
})
beforeEach(() => t.ollama.reset())
afterAll(() => t.close())

interface Told {
  check: string
  level: Level
  text: string
  remedy: string | null
}

/** What it says, with its exit code; and that no secret is in it. */
async function examine(
  more: { environment?: object; resolve?: (name: string) => Promise<string[]>; args?: string[]; nowMs?: number } = {},
) {
  let out = ''
  let err = ''
  const environment = { ...t.environment, ...more.environment }
  const code = await doctor([...(more.args ?? []), '--json'], {
    out: (text) => {
      out += text
    },
    err: (text) => {
      err += text
    },
    colour: false,
    project: t.directory,
    directory: t.directory,
    environment,
    settings: environment,
    resolve: more.resolve ?? (async () => ['104.16.1.1']),
    fetch,
    nowMs: () => more.nowMs ?? Date.now(),
    nodeVersion: process.versions.node,
  })
  const secrets = [t.environment.CLOUDFLARE_API_TOKEN ?? '', ...t.cloudflare.state.secretsOf(t.accountId).values()]
  expect(secrets.filter((secret) => `${out}${err}`.includes(secret))).toEqual([])
  expect(`${out}${err}`).not.toMatch(/sk_[0-9a-f]{8}/)
  const { checks } = JSON.parse(out) as { checks: Told[] }
  const of = (check: string) => checks.filter((one) => one.check === check)
  return { code, checks, of, notWell: checks.filter(({ level }) => level !== 'ok').map(({ check, level }) => [check, level]) }
}

test('a deployment that is well is green', async () => {
  useRows(t.cloudflare.state, t.accountId, new Date().toISOString().slice(0, 10), { rowsRead: 1234, rowsWritten: 567 })
  const { code, of, notWell, checks } = await examine()
  expect(notWell).toEqual([])
  expect(code).toBe(0)
  expect(of('access').map(({ text }) => text)).toEqual([
    expect.stringMatching(/no token .* 302/),
    expect.stringMatching(/wrong token .* 403/),
  ])
  expect(of('tokens').map(({ text }) => text)).toEqual([
    expect.stringMatching(/^Ollama's: 1 token in \d+ ms, charged \$0\.0001/),
    expect.stringMatching(/^OpenAI's: 1 token/),
    expect.stringMatching(/^Anthropic's: 1 token/),
    'all by chat-small:latest',
  ])
  expect(of('quota')[0]?.text).toBe('1,234 of 5,000,000 rows read, 567 of 100,000 written today')
  expect(of('tunnel')[0]?.text).toBe('box: healthy, cloudflared 2026.9.1')
  expect(of('agents').map(({ text }) => text)).toEqual(['curl is let in', 'openai-python is let in', 'ollama is let in'])
  expect(checks.length).toBeGreaterThan(20)
})

test('the key that it made for itself works no more, and what it spent is in the ledger and the audit log', async () => {
  const keys = await t.admin<{ name: string; status: string }[]>('list-keys')
  expect(keys.filter(({ name }) => name === 'doctor').map(({ status }) => status)).toEqual(['revoked'])
  const audit = JSON.stringify(await t.admin('audit'))
  expect(audit).toContain('npm run doctor')
})

test('with the token of the box in the environment its models are compared with the prices', async () => {
  const [[clientId, clientSecret] = ['', '']] = t.cloudflare.state.secretsOf(t.accountId)
  const { of } = await examine({ environment: { CF_ACCESS_CLIENT_ID: clientId, CF_ACCESS_CLIENT_SECRET: clientSecret } })
  expect(of('prices')).toMatchObject([{ level: 'ok', text: expect.stringMatching(/^4 models on the host/) }])
})

test('half a token of the box is told', async () => {
  const { code, of } = await examine({ environment: { CF_ACCESS_CLIENT_ID: 'the-half-of-it' } })
  expect([code, of('settings')]).toMatchObject([0, [{ level: 'warning', text: expect.stringMatching(/only one is set/) }]])
})

test('a key file and GATEWAY_KEY are used in place of one of its own; a mistyped one is told', async () => {
  const { id } = await t.admin<{ id: number }>('create-customer', 'Ada', 'ada@example.com', '--budget', '5')
  const { key } = await t.admin<{ key: string }>('generate-key', String(id))
  const before = await t.admin<unknown[]>('list-keys')
  await writeFile(join(t.directory, 'key'), `${key}\n`)
  expect((await examine({ args: ['--key-file', 'key'] })).of('key')).toMatchObject([{ level: 'ok', text: 'the one that was given' }])
  expect((await examine({ environment: { GATEWAY_KEY: key } })).of('tokens').map(({ level }) => level)).toEqual(['ok', 'ok', 'ok', 'ok'])
  expect(await t.admin<unknown[]>('list-keys')).toHaveLength(before.length)
  const wrong = await examine({ environment: { GATEWAY_KEY: key.slice(0, -1) } })
  expect(wrong.of('key')).toMatchObject([{ level: 'error', text: expect.stringMatching(/mistyped/) }])
  expect(wrong.of('tokens')).toMatchObject([{ level: 'skipped' }])
})

test('without a network it says so at once, and looks at nothing', async () => {
  const calls = t.cloudflare.calls.length
  const { code, checks } = await examine({ resolve: () => Promise.reject(Object.assign(new Error('x'), { code: 'EAI_AGAIN' })) })
  expect([code, checks[0]?.level, new Set(checks.slice(1).map(({ level }) => level))]).toEqual([1, 'error', new Set(['skipped'])])
  expect(t.cloudflare.calls.length).toBe(calls)
})

test('a box that lets anybody in is red, with what to do first', async () => {
  const app = t.deployment.host.applicationId ?? ''
  const apps = t.cloudflare.state.of('access_apps', t.accountId)
  const kept = apps.get(app) as object
  apps.delete(app)
  t.ollama.edge({ open: true })
  const { code, of } = await examine()
  expect(code).toBe(1)
  expect(of('access')).toMatchObject([
    {
      level: 'error',
      text: expect.stringMatching(/no token ANYBODY REACHES OLLAMA/),
      remedy: expect.stringMatching(/DNS record of ollama.example.com away at once/),
    },
    { level: 'error' },
  ])
  apps.set(app, kept as never)
})

test.for([
  ['tunnel-down', 'tunnel'],
  ['ollama-stopped', 'ollama'],
  ['answer-timeout', 'timeout'],
] as const)('%s: the gateway names the cause, and what needs the host is skipped', async ([trouble, cause]) => {
  t.ollama.edge({ trouble })
  const find = async () => {
    const { code, of } = await examine()
    return { code, host: of('host'), tokens: of('tokens') }
  }
  await expect
    .poll(find, { interval: 500 })
    .toMatchObject({ host: [{ level: 'error', text: expect.stringContaining(`(${cause})`) }], tokens: [{ level: 'skipped' }], code: 1 })
})

test('what the API says is told: a tunnel without cloudflared, workers.dev, a day that is used up, a token near its end', async () => {
  const { state } = t.cloudflare
  connect(state, t.accountId, t.deployment.tunnel.id, false)
  const worker = workersOf(state, t.accountId).get('ollama-edge-gateway')
  if (worker) worker.subdomain = { enabled: true, previews_enabled: true }
  useRows(state, t.accountId, new Date().toISOString().slice(0, 10), { rowsRead: 10, rowsWritten: 99_000 })
  const service = state.of('access_service_tokens', t.accountId).get(t.deployment.host.serviceTokens[0]?.id ?? '')
  const end = service?.expires_at
  if (service) service.expires_at = new Date(Date.now() + 5.5 * 86_400_000).toISOString()
  const { of } = await examine()
  expect(of('tunnel')).toMatchObject([{ level: 'error', text: 'box: cloudflared is not connected' }])
  expect(of('addresses')).toMatchObject([{ level: 'error', text: expect.stringMatching(/workers\.dev and preview/) }])
  expect(of('quota')).toMatchObject([{ level: 'warning', text: expect.stringMatching(/99,000/) }])
  expect(of('service-token')).toMatchObject([{ level: 'warning', text: expect.stringMatching(/in 5 days/) }])
  connect(state, t.accountId, t.deployment.tunnel.id, true)
  if (worker) worker.subdomain = { enabled: false, previews_enabled: false }
  if (service) service.expires_at = end
})

test('what the token may not ask is yellow, and without a token the rest is looked at all the same', async () => {
  const { state } = t.cloudflare
  const few = state.addToken([t.accountId], ['D1 Write'])
  const { of } = await examine({ environment: { CLOUDFLARE_API_TOKEN: few } })
  for (const check of ['tunnel', 'addresses', 'quota']) {
    expect(of(check)).toMatchObject([{ level: 'warning', remedy: expect.stringMatching(/^Give the token the permission Account/) }])
  }
  const other = state.addToken([t.accountId], ['Workers Scripts Write'])
  const noDatabase = await examine({ environment: { CLOUDFLARE_API_TOKEN: other } })
  expect(noDatabase.of('database')).toMatchObject([{ level: 'warning', remedy: expect.stringMatching(/Account > D1 > Edit/) }])
  // Once the host, which was down a moment ago, is asked again.
  const key = async () => (await examine({ environment: { CLOUDFLARE_API_TOKEN: other } })).of('key')
  await expect.poll(key, { interval: 500 }).toMatchObject([{ level: 'warning', remedy: expect.stringMatching(/--key-file/) }])
  const none = await examine({ environment: { CLOUDFLARE_API_TOKEN: '' } })
  expect(none.code).toBe(2)
  expect(none.of('api')).toMatchObject([{ level: 'warning' }])
  expect(none.of('access').map(({ level }) => level)).toEqual(['ok', 'ok'])
  expect([none.of('tunnel'), none.of('database')]).toMatchObject([[{ level: 'skipped' }], [{ level: 'skipped' }]])
  const wrong = await examine({ environment: { CLOUDFLARE_API_TOKEN: 'x'.repeat(40) } })
  expect(wrong.of('api')).toMatchObject([{ level: 'error' }])
})

test('clients that Cloudflare takes for bots are red, each by its name; and so is a machine that is taken for one itself', async () => {
  t.edge.bots = /python/i
  const { of } = await examine()
  expect(of('agents')).toMatchObject([
    { level: 'ok' },
    { level: 'error', text: expect.stringMatching(/^openai-python gets a page/) },
    { level: 'ok' },
  ])
  t.edge.bots = /./
  expect((await examine()).of('gateway')).toMatchObject([{ level: 'error', remedy: expect.stringMatching(/Bot Fight Mode/) }])
  t.edge.bots = null
})

test('a migration that is missing is red', async () => {
  const d1 = `/accounts/${t.accountId}/d1/database/${t.deployment.database?.id}/raw`
  const last = await t.call<{ results: { rows: string[][] } }[]>('POST', d1, {
    sql: 'SELECT name FROM d1_migrations ORDER BY id DESC LIMIT 1',
  })
  const name = last[0]?.results.rows[0]?.[0]
  await t.call('POST', d1, { sql: 'DELETE FROM d1_migrations WHERE name = ?', params: [name] })
  const { of } = await examine()
  expect(of('database')).toMatchObject([
    { level: 'error', text: expect.stringContaining(String(name)), remedy: 'npm run deploy applies them.' },
  ])
  expect(of('ledger')).toMatchObject([{ level: 'skipped' }])
  await t.call('POST', d1, { sql: 'INSERT INTO d1_migrations (name) VALUES (?)', params: [name] })
})

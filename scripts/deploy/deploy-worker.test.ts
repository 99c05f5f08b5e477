import { execFile } from 'node:child_process'
import { promisify } from 'node:util'
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest'
import { closedUrl } from '../admin/testing.ts'
import { type Deployed, type DeployOptions, deployWorker } from './deploy-worker.ts'
import { ACCESS, HOSTNAME, type TestCloudflare, testCloudflare } from './testing.ts'

let t: TestCloudflare
let first: Deployed
let key: string
let said: string[] = []

const deploy = (more: Partial<DeployOptions> = {}) =>
  deployWorker({ deployment: t.deployment, plan: 'paid', environment: t.environment, say: (line) => void said.push(line), ...more })
const failure = (more: Partial<DeployOptions> = {}) =>
  deploy(more).then(
    () => 'no failure',
    (error: Error) => error.message,
  )

interface Health {
  deployment: string
  [field: string]: unknown
}
const health = async (): Promise<Health> => (await t.ask(`https://${HOSTNAME}/health`)).json() as Promise<Health>

/** One metered request from outside. */
const chat = () =>
  t.ask(`https://${HOSTNAME}/api/chat`, {
    method: 'POST',
    headers: { authorization: `Bearer ${key}` },
    body: JSON.stringify({ model: 'gemma3:270m', messages: [{ role: 'user', content: 'Hi' }], stream: false }),
  })

/** What stands in every command line of this machine while `work` runs. */
async function argumentsDuring<T>(work: Promise<T>): Promise<{ result: T; seen: string }> {
  let seen = ''
  let done = false
  const finished = work.finally(() => {
    done = true
  })
  while (!done) seen += (await promisify(execFile)('ps', ['-eww', '-o', 'args'])).stdout
  return { result: await finished, seen }
}

beforeAll(async () => {
  t = await testCloudflare()
})
afterAll(() => t.close())
afterEach(() => {
  t.cloudflare.faults.clear()
  t.edge.outage = null
  said = []
})

test('the first deploy answers at its public hostname and meters a request, and its secrets are seen nowhere', async () => {
  const secrets = { CF_ACCESS_CLIENT_ID: ACCESS.clientId, CF_ACCESS_CLIENT_SECRET: ACCESS.clientSecret }
  const { result, seen } = await argumentsDuring(deploy({ secrets }))
  first = result
  expect(first).toMatchObject({ url: `https://${HOSTNAME}`, previousVersionId: null, plan: 'paid' })
  expect(first.migrations).toHaveLength(8)
  expect(await health()).toMatchObject({ database: 'ok', schema: 'ok', ledger: 'agrees', deployment: first.versionId })

  expect(seen).toMatch(/wrangler.js deploy/)
  for (const shown of [seen, said.join('\n'), JSON.stringify(t.cloudflare.calls), t.edge.logs.join('\n')]) {
    expect(shown).not.toContain(ACCESS.clientSecret)
    expect(shown).not.toContain(t.environment.CLOUDFLARE_API_TOKEN)
  }

  const { id } = await t.admin<{ id: number }>('create-customer', 'Ada', 'ada@example.com', '--budget', '5')
  key = (await t.admin<{ key: string }>('generate-key', String(id))).key
  await t.admin('set-pricing', '*', '0', '0', '--input', '1', '--output', '2')
  const answer = await chat()
  expect([answer.status, await answer.text()]).toEqual([200, expect.stringContaining('"done":true')])
  await expect.poll(async () => (await t.admin<{ totals: object }>('usage-report', String(id))).totals).toMatchObject({ requests: 1 })
})

test('what is uploaded has the plan, the box, the database, and no address beside its own', async () => {
  const { worker, version } = t.uploaded()
  expect(version.limits).toEqual({ cpu_ms: 30_000 })
  expect(version.annotations).toMatchObject({ 'workers/tag': first.release })
  const { CF_ACCESS_TOKEN_EXPIRES: expires, ...texts } = t.texts(version)
  expect(texts).toEqual({ BODY_LIMIT_BYTES: '10000000', CHECKPOINT_SECONDS: '10', OLLAMA_BASE_URL: 'https://ollama.example.com' })
  expect(Date.parse(expires ?? '')).toBeGreaterThan(Date.now())
  expect(version.bindings).toContainEqual({ name: 'DB', type: 'd1', id: t.deployment.database?.id })
  expect(worker.subdomain).toEqual({ enabled: false, previews_enabled: false })
  expect(worker.schedules).toEqual(['* * * * *', '45 23 * * *'])
})

test('a second deploy keeps the secrets, and tells which version was before', async () => {
  const second = await deploy()
  expect(second).toMatchObject({ previousVersionId: first.versionId, migrations: [] })
  expect(await health()).toMatchObject({ deployment: second.versionId })
  expect((await chat()).status).toBe(200)
  first = second
})

test('an upload that is refused leaves what runs, and says which right the token lacks', async () => {
  t.cloudflare.faults.add('POST', /\/versions/, 403, { times: 5 })
  const message = await failure()
  expect(message).toMatch(/^The upload failed\.\nCLOUDFLARE_API_TOKEN lacks a right: Account > Workers Scripts > Edit/)
  expect(message).toMatch(/The version that was running \(\d+\.\d+\.\d+\) still runs\.$/)
  expect(message).not.toContain(t.environment.CLOUDFLARE_API_TOKEN)
  expect((await health()).deployment).toBe(first.versionId)
})

test('an upload that went live and failed after that is taken back', async () => {
  t.cloudflare.faults.add('PUT', /\/domains\/records/, 500, { times: 9 })
  const message = await failure()
  expect(message).toMatch(/Back to the version before: .* runs again, and answers\. The schema stays as it is; that version works on it\.$/)
  expect((await health()).deployment).toBe(first.versionId)
  expect((await chat()).status).toBe(200)
})

test('a version that does not answer at the public hostname is taken back', async () => {
  t.edge.outage = ({ id }) => (id === first.versionId ? null : 522)
  const message = await failure({ waitMs: 3_000 })
  expect(message).toMatch(
    /did not tell of the new version within 3 s\. Last: HTTP 522, not from the gateway\. npm run doctor finds out why\./,
  )
  expect(message).toMatch(/Back to the version before: .* runs again, and answers/)
  expect(said).toContainEqual(expect.stringMatching(/^ {2}https:\/\/api\.example\.com\/health, \d+ s: HTTP 522, not from the gateway …$/))
  expect((await health()).deployment).toBe(first.versionId)
})

test('where going back fails, too, the command for it is told', async () => {
  t.edge.outage = ({ id }) => (id === first.versionId ? null : 522)
  // The upload's own comes first.
  t.cloudflare.faults.add('POST', /\/deployments/, 403, { skip: 1, times: 9 })
  expect(await failure({ waitMs: 100 })).toMatch(
    new RegExp(
      `The new version still runs, since going back failed, too: .*By hand: npx wrangler rollback ${first.versionId} --name ollama-edge-gateway$`,
      's',
    ),
  )
  t.cloudflare.faults.clear()
  t.edge.outage = null
  first = await deploy()
})

test('with a version under which the ledger disagrees, the one before comes back; a ledger that disagrees already is not deployed on', async () => {
  const wrong = "INSERT INTO spend (owner, period, spent_nano) VALUES ('c99', 0, 7)"
  let state: 'sound' | 'breaking' | 'broken' = 'sound'
  t.edge.outage = ({ id }) => {
    if (id === first.versionId || state === 'broken') return null
    if (state === 'sound') {
      state = 'breaking'
      void t.sql(wrong).then(() => {
        state = 'broken'
      })
    }
    return 522
  }
  expect(await failure()).toMatch(/^With the new version the ledger disagrees: .+ \(1\)\.\nBack to the version before/)
  expect((await health()).deployment).toBe(first.versionId)
  t.edge.outage = null

  const before = t.uploaded().worker.versions.length
  expect(await failure()).toMatch(
    /^The ledger disagrees: .+ \(1\)\. Nothing was changed\. npm run admin -- verify-ledger --remote names every row/,
  )
  expect(t.uploaded().worker.versions).toHaveLength(before)
  first = await deploy({ despiteFindings: true })
  await t.sql("DELETE FROM spend WHERE owner = 'c99'")
})

test('one that is stopped while it waits goes back, and before the upload changes nothing', async () => {
  const stop = new AbortController()
  t.edge.outage = ({ id }) => {
    if (id === first.versionId) return null
    stop.abort()
    return 522
  }
  expect(await failure({ signal: stop.signal })).toMatch(/^Stopped\.\nBack to the version before: .* runs again, and answers/)
  t.edge.outage = null
  const before = t.uploaded().worker.versions.length
  expect(await failure({ signal: stop.signal })).toBe('Stopped. Nothing was changed.')
  expect(t.uploaded().worker.versions).toHaveLength(before)
})

test('an upload that is ended with the deploy was stopped, one that is ended by itself names the signal, and neither is overdue', async () => {
  for (const [signal, stops, told] of [
    ['SIGKILL', true, /^Stopped\.\nThe version that was running \(.+\) still runs\.$/],
    ['SIGTERM', true, /^Stopped\.\nThe version that was running \(.+\) still runs\.$/],
    ['SIGKILL', false, /ERROR: it was ended by SIGKILL before it was done\.\nThe version/],
  ] as const) {
    const stop = new AbortController()
    t.cloudflare.faults.add('GET', /workers\/services\//, 'hang', { times: 9 })
    const { calls } = t.cloudflare
    calls.push = (...added) => {
      if (added.some(({ path }) => path.includes('/workers/services/'))) {
        if (stops) stop.abort()
        void endWrangler(signal)
      }
      return Array.prototype.push.apply(calls, added)
    }
    expect(await failure({ signal: stop.signal })).toMatch(told)
    calls.push = Array.prototype.push
    t.cloudflare.faults.clear()
  }
})

/** The wrangler that this process has started, with all that it has started. */
async function endWrangler(signal: NodeJS.Signals): Promise<void> {
  const { stdout } = await promisify(execFile)('ps', ['-eo', 'pid,ppid,args'])
  const line = stdout.split('\n').find((one) => one.includes('wrangler.js deploy') && one.trim().split(/\s+/)[1] === String(process.pid))
  const pid = Number(line?.trim().split(/\s+/)[0])
  // It leads a group of its own; Ctrl-C may reach only its start script.
  process.kill(signal === 'SIGKILL' ? -pid : pid, signal)
}

test('a version that no deploy has tagged, as a change of secrets makes it, is known by its own word', async () => {
  const { version } = t.uploaded()
  version.annotations = {}
  said = []
  first = await deploy()
  expect(said[1]).toMatch(/; \d+\.\d+\.\d+ runs$/)
})

test('a database that is newer than this checkout, and a hostname of another Worker, are refused before anything is changed', async () => {
  await t.sql("INSERT INTO d1_migrations (name) VALUES ('9999_later.sql')")
  expect(await failure()).toBe(
    'The deployed database is newer than this checkout: it has the migration 9999_later.sql. Update the checkout (git pull), then deploy.',
  )
  await t.sql("DELETE FROM d1_migrations WHERE name = '9999_later.sql'")
  const [domain] = t.cloudflare.state.of<{ service: string }>('worker_domains', t.deployment.accountId).values()
  if (domain !== undefined) domain.service = 'shop'
  expect(await failure()).toMatch(/^api\.example\.com is the address of another Worker, shop: remove it there/)
  if (domain !== undefined) domain.service = 'ollama-edge-gateway'
  const { public: address } = t.deployment
  if (address.kind !== 'domain') throw new Error('the test needs a domain')
  t.cloudflare.state
    .of('dns_records', address.zoneId)
    .set('r1', { id: 'r1', name: 'www.example.com', type: 'CNAME', content: 'shop.example' })
  const www = { ...t.deployment, public: { ...address, hostname: 'www.example.com' } }
  expect(await failure({ deployment: www })).toBe(
    "www.example.com has a DNS record (CNAME) that is not this Worker's: remove it, or set up another hostname.",
  )
})

test('a token without a right is told by the right, one of nobody as such, and nothing is changed', async () => {
  const { state } = t.cloudflare
  const withRights = (...rights: `${string} Write`[]) => ({
    ...t.environment,
    CLOUDFLARE_API_TOKEN: state.addToken([t.deployment.accountId], rights),
  })
  expect(await failure({ environment: withRights('D1 Write') })).toMatch(
    /^Cloudflare refuses CLOUDFLARE_API_TOKEN \(403\).*Workers Scripts > Edit/,
  )
  expect(await failure({ environment: withRights('Workers Scripts Write') })).toMatch(/^Cloudflare refuses CLOUDFLARE_API_TOKEN.*D1 > Edit/)
  expect(await failure({ environment: { ...t.environment, CLOUDFLARE_API_TOKEN: '' } })).toMatch(/^CLOUDFLARE_API_TOKEN is missing/)
  expect(await failure({ environment: { ...t.environment, CLOUDFLARE_API_BASE_URL: await closedUrl() } })).toMatch(
    /^Cloudflare cannot be reached \(ECONNREFUSED\)\. Look at the network/,
  )
  for (const token of ['a-token-of-nobody-at-all', 'short']) {
    expect(await failure({ environment: { ...t.environment, CLOUDFLARE_API_TOKEN: token } })).toMatch(
      /^Cloudflare does not know this API token: was all of it copied\? Make one at/,
    )
  }
  const elsewhere = state.addToken([state.addAccount('Bob')], ['Account Settings Read', 'Workers Scripts Write'])
  expect(await failure({ environment: { ...t.environment, CLOUDFLARE_API_TOKEN: elsewhere } })).toMatch(
    /^The API token does not reach the account [0-9a-f]{32}, which .+ It reaches Bob\./,
  )
  const { database: _, ...without } = t.deployment
  expect(await failure({ deployment: without })).toMatch(/^deployment\.json names no database: run npm run setup/)
  expect((await health()).deployment).toBe(first.versionId)
})

test('without a domain it is served below workers.dev, and reaches the box by its VPC service', async () => {
  const { accountId } = t.deployment
  t.cloudflare.state.of('workers_subdomain', accountId).set('name', { subdomain: 'ada' })
  const hostname = 'other-gateway.ada.workers.dev'
  const deployment: DeployOptions['deployment'] = {
    ...{ ...t.deployment, worker: 'other-gateway', public: { kind: 'workers.dev', hostname } },
    host: { kind: 'vpc', serviceId: 'a-service' },
  }
  const { versionId } = await deploy({ deployment })
  const { worker, version } = t.uploaded('other-gateway')
  expect(worker.subdomain).toEqual({ enabled: true, previews_enabled: false })
  expect(version.bindings).toContainEqual({ name: 'OLLAMA', type: 'vpc_service', service_id: 'a-service' })
  expect(t.texts(version)).not.toHaveProperty('OLLAMA_BASE_URL')
  expect(versionId).toBe(version.id)
  expect(await (await t.ask(`https://${hostname}/health/ollama`)).json()).toMatchObject({ cause: expect.stringMatching(/access/) })
})

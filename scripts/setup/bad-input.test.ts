import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { SETUP_RIGHTS } from '../../e2e/cloudflare/rights.ts'
import { closedUrl } from '../admin/testing.ts'
import { likelyLocation } from './location.ts'
import { answers, newWorld, type Ran, type World } from './testing.ts'

let world: World
beforeEach(async () => {
  world = await newWorld()
})
afterEach(() => world.close())

/** It ends with this, and nothing was made. */
async function expectRefused(ran: Promise<Ran>, code: number, message: RegExp | string): Promise<void> {
  const { code: actual, err } = await ran
  expect({ code: actual, err }).toEqual({
    code,
    err: typeof message === 'string' ? expect.stringContaining(message) : expect.stringMatching(message),
  })
  expect(world.writes()).toEqual([])
  expect(await world.files()).not.toContain('deployment.json')
  for (const secret of await world.secrets()) expect(err).not.toContain(secret)
}

test('without a token it says where to make one, with which rights', async () => {
  const { code, err } = await world.setupIn({ environment: {} }, '--yes')
  expect(code).toBe(1)
  expect(err).toContain('Make one at https://dash.cloudflare.com/profile/api-tokens')
  expect(err).toContain('Account > Access: Service Tokens > Edit')
  expect(err).toContain('read -rs CLOUDFLARE_API_TOKEN && export CLOUDFLARE_API_TOKEN')
})

test('a token that is wrong, short, expired, disabled or broken over two lines is told so', async () => {
  const { state } = world.cloudflare
  const tokens: [string, RegExp][] = [
    ['a-token-of-nobody-at-all', /^error: Cloudflare does not know this API token: was all of it copied\?/],
    ['short', /^error: Cloudflare does not know this API token/],
    [state.addToken([world.account], SETUP_RIGHTS, { status: 'expired' }), /^error: The API token has expired\. Make one at/],
    [state.addToken([world.account], SETUP_RIGHTS, { status: 'disabled' }), /^error: The API token is disabled\. Enable it/],
    ['two\nlines', /^error: CLOUDFLARE_API_TOKEN has characters/],
  ]
  for (const [token, message] of tokens) {
    await expectRefused(world.setupIn({ token }, '--yes'), 1, message)
    expect((await world.setupIn({ token }, '--yes')).err).not.toContain(token)
  }
})

test("an account's own token works with --account, and says that it needs it", async () => {
  const token = world.cloudflare.state.addToken([world.account], SETUP_RIGHTS, { owner: 'account' })
  await expectRefused(world.setupIn({ token }, '--yes'), 1, /token of the account and not of a user, give --account/)
  expect(await world.setupIn({ token }, '--yes', '--account', world.account)).toMatchObject({ code: 0, err: '' })
})

test('each right that the token lacks is named as the dashboard names it, before anything is made', async () => {
  const names: Record<string, string> = {
    'D1 Write': 'Account > D1 > Edit',
    'Cloudflare Tunnel Write': 'Account > Cloudflare Tunnel > Edit',
    'Workers Scripts Write': 'Account > Workers Scripts > Edit',
    'Access: Service Tokens Write': 'Account > Access: Service Tokens > Edit',
    'Access: Apps and Policies Write': 'Account > Access: Apps and Policies > Edit',
    'Access: Organizations, Identity Providers, and Groups Read': 'Account > Access: Organizations, Identity Providers, and Groups > Read',
    'DNS Write': 'Zone > DNS > Edit',
    'Workers Routes Write': 'Zone > Workers Routes > Edit',
    'Zone Read': 'Zone > Zone > Read',
  }
  for (const [right, name] of Object.entries(names)) {
    const token = world.cloudflare.state.addToken(
      [world.account],
      SETUP_RIGHTS.filter((one) => one !== right),
    )
    const ask = answers({ 'without a domain': false })
    const { code, out, err } = await world.setupIn({ token, ask })
    expect({ right, code, said: out + err }).toMatchObject({ right, code: 1, said: expect.stringContaining(name) })
  }
  const token = world.cloudflare.state.addToken(
    [world.account],
    SETUP_RIGHTS.filter((one) => !one.startsWith('Access') && !one.startsWith('D1')),
  )
  await expectRefused(world.setupIn({ token }, '--yes'), 1, /^error: The API token lacks 4 rights:\n {2}Account > D1 > Edit +the ledger\n/)
  const noVpc = world.cloudflare.state.addToken(
    [world.account],
    SETUP_RIGHTS.filter((one) => !one.startsWith('Conn')),
  )
  await expectRefused(world.setupIn({ token: noVpc }, '--yes', '--no-domain'), 1, 'Account > Connectivity Directory > Admin')
})

test("without the right to a zone's switches it goes on, and says where they are", async () => {
  const token = world.cloudflare.state.addToken(
    [world.account],
    SETUP_RIGHTS.filter((one) => !/^(Zone Settings|Bot)/.test(one)),
  )
  const { code, out } = await world.setupIn({ token }, '--yes')
  expect(code).toBe(0)
  expect(out).toContain('It lacks Zone > Zone Settings > Edit (Browser Integrity Check), Zone > Bot Management > Edit (Bot Fight Mode)')
  expect(out).toContain('Look at dash.cloudflare.com > example.com > Security > Settings > Bot fight mode, and turn it off.')
})

test('a zone that is not theirs, not in this account or not active yet', async () => {
  const { state } = world.cloudflare
  await expectRefused(
    world.setup('--zone', 'google.com'),
    2,
    /^error: --zone google\.com: the account Ada has example\.com\. Add the domain at/,
  )
  const bob = state.addAccount('Bob')
  state.addZone(bob, 'bob.example')
  await expectRefused(world.setup('--zone', 'bob.example'), 2, /^error: --zone bob\.example: the account Ada has example\.com/)
  state.addZone(world.account, 'new.example', 'Free Website', 'pending')
  await expectRefused(
    world.setup('--zone', 'new.example'),
    1,
    /^error: new\.example is not active at Cloudflare yet \(pending\): set its name servers/,
  )
  await expectRefused(world.setup(), 2, '--zone is needed: the account Ada has example.com, new.example.')
  expect(await world.setup('--zone', 'EXAMPLE.com.')).toMatchObject({ code: 0 })
})

test('an account that the token does not reach, or one of several', async () => {
  await expectRefused(world.setup('--account', '0123456789abcdef0123456789abcdef'), 2, 'the API token does not reach it. It reaches Ada.')
  const { state } = world.cloudflare
  const token = state.addToken([world.account, state.addAccount('Work')], SETUP_RIGHTS)
  await expectRefused(world.setupIn({ token }, '--yes'), 2, '--account is needed: the API token reaches Ada, Work.')
  const blind = state.addToken(
    [world.account],
    SETUP_RIGHTS.filter((one) => one !== 'Account Settings Read'),
  )
  await expectRefused(
    world.setupIn({ token: blind }, '--yes'),
    1,
    'it lacks Account > Account Settings > Read. Add that, or give --account',
  )
  expect(await world.setupIn({ token: blind }, '--yes', '--account', world.account)).toMatchObject({ code: 0 })
})

test('a hostname that is taken by another record is named with what it is', async () => {
  const records = world.cloudflare.state.of('dns_records', world.zone)
  records.set('r', { id: 'r', type: 'A', name: 'ollama.example.com', content: '192.0.2.7' })
  await expectRefused(
    world.setup(),
    1,
    /^error: ollama\.example\.com has a DNS record already \(A 192\.0\.2\.7\), which set-up did not make\. Give the box another hostname/,
  )
  records.set('r', { id: 'r', type: 'CNAME', name: 'api.example.com', content: 'other.example.net' })
  await expectRefused(
    world.setup(),
    1,
    /^error: api\.example\.com has a DNS record already \(CNAME other\.example\.net\)\. Give the gateway another hostname/,
  )
  expect(await world.setup('--hostname', 'llm.example.com')).toMatchObject({ code: 0, err: '' })
})

test('names that are in use by something else: tunnel, application, policy, database, VPC service', async () => {
  const { state } = world.cloudflare
  const put = (kind: string, value: Record<string, unknown>) => state.of(kind, world.account).set('x', { id: 'x', ...value })
  const ingress = [{ hostname: 'home.example.com', service: 'http://localhost:8123' }, { service: 'http_status:404' }]
  put('cfd_tunnel', { name: 'ollama-edge-gateway', connections: [], config: { ingress } })
  await expectRefused(
    world.setup(),
    1,
    /^error: There is a tunnel ollama-edge-gateway that set-up did not make \(it leads home\.example\.com to http:\/\/localhost:8123\)/,
  )
  put('cfd_tunnel', { name: 'ollama-edge-gateway', connections: [{}], config: null })
  await expectRefused(
    world.setup(),
    1,
    /^error: There is a tunnel ollama-edge-gateway that set-up did not make \(it is in use\)\. Give this set-up another name/,
  )
  put('cfd_tunnel', { name: 'another' })
  put('access_apps', { name: 'Wiki', domain: 'ollama.example.com', policies: [] })
  await expectRefused(world.setup(), 1, /^error: Cloudflare Access has an application Wiki for ollama\.example\.com already/)
  state.of('access_apps', world.account).clear()
  put('access_policies', { name: 'ollama-edge-gateway: the gateway alone', decision: 'bypass', include: [{ everyone: {} }] })
  await expectRefused(
    world.setup(),
    1,
    /^error: There is an Access policy ollama-edge-gateway: the gateway alone that lets others through, too/,
  )
  expect(await world.setup('--name', 'gpu-two')).toMatchObject({ code: 0, err: '' })
})

test('a D1 database of the name with other tables is not touched', async () => {
  const { state } = world.cloudflare
  state.of('d1', world.account).set('u', { uuid: 'u', name: 'ollama-edge-gateway' })
  const engine = state.openEngine('u')
  state.engines.set('u', engine)
  await engine.run([{ sql: 'CREATE TABLE recipes (id)' }])
  await expectRefused(
    world.setup(),
    1,
    /^error: There is a D1 database ollama-edge-gateway that is not this gateway's \(it has the tables recipes\)/,
  )
})

test('a name below workers.dev that is taken is asked for again', async () => {
  const { state } = world.cloudflare
  const name = `ollama-edge-gateway-${world.account.slice(0, 6)}`
  state.of('workers_subdomain', state.addAccount('Bob')).set('name', { subdomain: name })
  const asked: string[] = []
  const { code } = await world.setupIn({ ask: answers({ Another: 'ada-llm' }, asked) }, '--no-domain')
  expect({ code, question: asked.at(-1) }).toEqual({
    code: 0,
    question: `Cloudflare does not give the name ${name}: it may be taken. Another?`,
  })
  expect(JSON.parse(await world.file('deployment.json')).public.hostname).toBe('ollama-edge-gateway.ada-llm.workers.dev')
})

test('an account without Zero Trust is sent there first', async () => {
  const bare = await newWorld({ team: null })
  const { code, err } = await bare.setup()
  expect(code).toBe(1)
  expect(err).toContain('This account has no Zero Trust yet')
  expect(bare.counts()).toEqual({})
  await bare.close()
})

test('a token that may not be used from here is told so, not that it lacks rights', async () => {
  const errors = [{ code: 9109, message: 'Cannot use the access token from location: 192.0.2.1' }]
  const refusal = JSON.stringify({ success: false, errors, messages: [], result: null })
  const server = createServer((_, response) => response.writeHead(403, { 'content-type': 'application/json' }).end(refusal))
  await new Promise<void>((ready) => server.listen(0, '127.0.0.1', ready))
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  const { err } = await world.setupIn({ environment: { CLOUDFLARE_API_TOKEN: world.token, CLOUDFLARE_API_BASE_URL: url } }, '--yes')
  expect(err).toMatch(
    /^error: The API token may not be used from this address: Cannot use the access token from location: 192\.0\.2\.1 \(9109\)\. Change its IP filter/,
  )
  server.close()
})

test('no network: the cause, and that a second run goes on', async () => {
  const environment = { CLOUDFLARE_API_TOKEN: world.token, CLOUDFLARE_API_BASE_URL: await closedUrl() }
  await expectRefused(world.setupIn({ environment }, '--yes'), 1, "Cloudflare's API cannot be reached: ECONNREFUSED. Check the network")
  // fetch refuses this port itself: there is no code, only words.
  const blocked = { CLOUDFLARE_API_TOKEN: world.token, CLOUDFLARE_API_BASE_URL: 'http://127.0.0.1:9' }
  const { err } = await world.setupIn({ environment: blocked }, '--yes')
  expect(err).toContain("Cloudflare's API cannot be reached: bad port. Check the network")
  expect(err).toContain('Run the same command again')
})

test('without anybody to ask, the token is told of first', async () => {
  expect(await world.setupIn({ environment: {} })).toMatchObject({
    code: 1,
    err: expect.stringMatching(/^error: Set-up needs an API token/),
  })
  await expectRefused(world.setupIn({ token: 'a-token-of-nobody-at-all' }), 1, /^error: Cloudflare does not know this API token/)
})

test("a token of another account than deployment.json's is told so, for an undo, too", async () => {
  await world.setup()
  const { state } = world.cloudflare
  const token = state.addToken([state.addAccount('Bob')], SETUP_RIGHTS)
  world.writes()
  for (const args of [[], ['--undo']]) {
    const { code, err } = await world.setupIn({ token }, '--yes', ...args)
    expect(code).toBe(1)
    expect(err).toMatch(
      new RegExp(`^error: The API token does not reach the account ${world.account}, which this directory's .+ It reaches Bob\\.`),
    )
  }
  expect(world.writes()).toEqual([])
})

test('a .dev.vars that is half filled is told before anything is made', async () => {
  const files: [string, RegExp][] = [
    ['CF_ACCESS_CLIENT_ID=x.access\nCF_ACCESS_CLIENT_SECRET=\n', /^error: \.dev\.vars: .*CF_ACCESS_CLIENT_/],
    ['OPENAI_API_KEY=sk-…\n', /^error: \.dev\.vars: OPENAI_API_KEY is not a whole key \(4 characters\)/],
    ['ANTHROPIC_API_KEY="sk-ant-0123 456789abcdef"\n', /^error: \.dev\.vars: ANTHROPIC_API_KEY is not a whole key/],
    ['HOST_CONCURRENCY=many\n', /^error: \.dev\.vars: .*HOST_CONCURRENCY/],
  ]
  for (const [text, message] of files) {
    await world.write('.dev.vars', text)
    await expectRefused(world.setup(), 1, message)
  }
  await world.write('.dev.vars', 'OPENAI_API_KEY=\nANTHROPIC_API_KEY=sk-ant-0123456789abcdef\n')
  expect(await world.setup()).toMatchObject({ code: 0, err: '' })
})

test('arguments that cannot be are named', async () => {
  const bad: [string[], string][] = [
    [['--zones', 'x'], "Unknown option '--zones'"],
    [['--location', 'mars'], '--location mars: one of weur, eeur, enam, wnam, apac, oc is needed.'],
    [['--name', 'My Gateway'], '--name My Gateway: small letters, digits and dashes'],
    [['--no-domain', '--zone', 'example.com'], '--zone and --no-domain exclude each other.'],
    [['--hostname', 'api.example.org'], '--hostname api.example.org: it has to be in example.com'],
    [['--hostname', 'api'], '--hostname api: that is not a hostname'],
    [['--hostname', 'a.b.example.com'], "Cloudflare's certificate covers one level below example.com"],
    [['--box-hostname', 'api.example.com'], '--hostname and --box-hostname are both api.example.com'],
  ]
  for (const [args, message] of bad) await expectRefused(world.setup(...args), 2, message)
  await expectRefused(world.setupIn({}), 2, 'Nobody is there to be asked: give --yes')
  expect((await world.setup('--help')).out).toContain('Usage: npm run setup')
})

test('another choice than that of deployment.json is refused, and a broken deployment.json named', async () => {
  await world.setup()
  for (const args of [['--hostname', 'x.example.com'], ['--no-domain'], ['--name', 'other'], ['--zone', 'example.org']]) {
    const { code, err } = await world.setup(...args)
    expect(code).toBe(2)
    expect(err).toContain(`${args[0]}: this directory's deployment.json is set up for`)
  }
  await world.write('deployment.json', '{')
  expect((await world.setup()).err).toContain('deployment.json is not JSON. Mend it, or move it away')
})

test('no at the last question makes nothing', async () => {
  const { code, err } = await world.setupIn({ ask: answers({ 'Go on?': false }) })
  expect({ code, err }).toEqual({ code: 130, err: 'Stopped. Nothing was made. Run the same command again: it goes on.' })
  expect(await world.files()).toEqual([])
})

test('the place of the box is guessed by the time zone', () => {
  const zones: [string, number, string][] = [
    ['Europe/Berlin', 1, 'weur'],
    ['Europe/Helsinki', 2, 'eeur'],
    ['America/New_York', -5, 'enam'],
    ['America/Los_Angeles', -8, 'wnam'],
    ['Asia/Tokyo', 9, 'apac'],
    ['Australia/Sydney', 11, 'oc'],
    ['UTC', 0, 'weur'],
  ]
  for (const [zone, hours, place] of zones) expect(likelyLocation(zone, hours)).toBe(place)
})

import { rm, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { connect } from '../../e2e/cloudflare/resources/tunnels.ts'
import type { Deployment } from '../cloudflare/deployment.ts'
import { readDeployment } from '../cloudflare/deployment.ts'
import { rotatedTokenName } from '../cloudflare/service-token-names.ts'
import { HalfMade, SetupError } from './problem.ts'
import { addSecrets, readSecrets } from './secrets-file.ts'
import { answers, edge, newWorld, type World } from './testing.ts'

let world: World
beforeEach(async () => {
  world = await newWorld()
})
afterEach(() => world.close())

const WHOLE = { d1: 1, access_service_tokens: 1, access_policies: 1, access_apps: 1, cfd_tunnel: 1, dns_records: 1 }

test('with a domain, everything is made in an order in which the box is never open', async () => {
  const { code, out, err } = await world.setup('--location', 'eeur')
  expect({ code, err }).toEqual({ code: 0, err: '' })
  expect(world.counts()).toEqual(WHOLE)
  expect(world.writes()).toEqual([
    'POST /accounts/*/d1/database',
    'POST /accounts/*/access/service_tokens',
    'POST /accounts/*/access/policies',
    'POST /accounts/*/access/apps',
    'POST /accounts/*/cfd_tunnel',
    'PUT /accounts/*/cfd_tunnel/*/configurations',
    'POST /zones/*/dns_records',
    'PATCH /zones/*/settings/browser_check',
    'PUT /zones/*/bot_management',
  ])
  expect(out).toContain('Customers call https://api.example.com')
  const [database] = world.cloudflare.state.of('d1', world.account).values()
  expect(database).toMatchObject({ name: 'ollama-edge-gateway', primary_location_hint: 'eeur' })
})

test('the connector checks Access by team and audience, and Ollama is called by its own name', async () => {
  await world.setup()
  const { state } = world.cloudflare
  const [app] = state.of('access_apps', world.account).values()
  const [tunnel] = state.of<{ config: unknown }>('cfd_tunnel', world.account).values()
  expect(tunnel?.config).toEqual({
    ingress: [
      {
        hostname: 'ollama.example.com',
        service: 'http://localhost:11434',
        originRequest: { httpHostHeader: 'localhost:11434', access: { required: true, teamName: 'ada', audTag: [app?.aud] } },
      },
      { service: 'http_status:404' },
    ],
  })
  const [policy] = state.of('access_policies', world.account).values()
  const [token] = state.of('access_service_tokens', world.account).values()
  expect(policy).toMatchObject({ decision: 'non_identity', include: [{ service_token: { token_id: token?.id } }] })
})

test('what the box needs and what waits for the Worker lie in files that only the owner reads', async () => {
  await world.write('.dev.vars', 'OPENAI_API_KEY=sk-proj-0123456789abcdef\nHOST_CONCURRENCY=8\n')
  await world.setup()
  expect(await world.files()).toEqual(['.dev.vars', '.dev.vars.deploy', 'box.env', 'deployment.json'])
  for (const name of ['.dev.vars.deploy', 'box.env']) expect((await stat(join(world.directory, name))).mode & 0o777).toBe(0o600)
  const deployment = (await readDeployment(world.directory)) as Deployment
  const { CF_ACCESS_CLIENT_ID: id, CF_ACCESS_CLIENT_SECRET: secret, ...own } = await readSecrets(world.directory)
  expect(own).toEqual({ OPENAI_API_KEY: 'sk-proj-0123456789abcdef' })
  expect(world.cloudflare.state.secretsOf(world.account)).toEqual(new Map([[id, secret]]))
  const token = JSON.parse(Buffer.from((await world.file('box.env')).slice('TUNNEL_TOKEN='.length), 'base64').toString())
  expect(token).toMatchObject({ a: world.account, t: deployment.tunnel?.id })
  expect(await world.file('deployment.json')).not.toContain(secret)
})

test('a second run makes nothing, and asks nothing', async () => {
  await world.setup()
  world.writes()
  const asked: string[] = []
  const second = await world.setupIn({ ask: answers({}, asked) })
  expect(second).toMatchObject({ code: 0, err: '' })
  expect(second.out).toContain('All is there already')
  expect(world.writes()).toEqual([])
  expect(asked).toEqual([])
})

test('a run whose deployment.json was lost finds what is at Cloudflare', async () => {
  await world.setup()
  const before = await world.file('deployment.json')
  world.writes()
  await rm(join(world.directory, 'deployment.json'))
  const again = await world.setup()
  expect(again).toMatchObject({ code: 0, err: '' })
  expect(again.out).toMatch(
    /There by its name, and taken for an earlier set-up's: D1 database \(ollama-edge-gateway\), Access service token .+, Tunnel /,
  )
  expect(world.writes()).toEqual([])
  const { zoneChecks, ...found } = (await readDeployment(world.directory)) as Deployment
  // That the zone's checks were on before is known to that file alone.
  expect(found).toEqual({ ...JSON.parse(before), zoneChecks: undefined })
  expect(zoneChecks).toBeUndefined()
})

test('a lost deployment.json while two tokens are let in: both are found, the newest last, and nothing is written', async () => {
  await world.setup()
  const { state } = world.cloudflare
  const tokens = state.of('access_service_tokens', world.account)
  const [first] = tokens.values()
  const second = { ...first, id: 't2', client_id: 'second.access', name: rotatedTokenName('ollama-edge-gateway', Date.now()) }
  // Cloudflare lists in an order of its own.
  tokens.clear()
  for (const one of [second, first]) if (one !== undefined) tokens.set(String(one.id), one)
  const [policy] = state.of<{ include: object[] }>('access_policies', world.account).values()
  policy?.include.push({ service_token: { token_id: 't2' } })
  // The Worker has the second one's secret; here it waits for it.
  await addSecrets(world.directory, { CF_ACCESS_CLIENT_ID: 'second.access' })
  await rm(join(world.directory, 'deployment.json'))
  world.writes()
  const again = await world.setup()
  expect(again).toMatchObject({ code: 0, err: '' })
  expect(again.out).toContain(`Access service token (ollama-edge-gateway (npm run setup) and ${second.name})`)
  expect(world.writes()).toEqual([])
  expect((await readDeployment(world.directory))?.host).toMatchObject({ serviceTokens: [{ id: first?.id }, { id: 't2' }] })
})

test('a token of ours that a stopped rotation left out of the policy is let in', async () => {
  await world.setup()
  const tokens = world.cloudflare.state.of('access_service_tokens', world.account)
  const [first] = tokens.values()
  tokens.set('t2', { ...first, id: 't2', client_id: 'second.access', name: rotatedTokenName('ollama-edge-gateway', Date.now()) })
  await addSecrets(world.directory, { CF_ACCESS_CLIENT_ID: 'second.access' })
  await rm(join(world.directory, 'deployment.json'))
  world.writes()
  expect(await world.setup()).toMatchObject({ code: 0, err: '' })
  expect(world.writes()).toEqual(['PUT /accounts/*/access/policies/*'])
})

test('a policy that lets others through beside the gateway is refused by their names, and nothing is to be removed but they', async () => {
  await world.setup()
  const { state } = world.cloudflare
  state.of('access_service_tokens', world.account).set('x', { id: 'x', name: 'backup job', client_id: 'x.access' })
  const [policy] = state.of<{ include: object[] }>('access_policies', world.account).values()
  policy?.include.push({ service_token: { token_id: 'x' } }, { service_token: { token_id: 'y' } }, { everyone: {} })
  await rm(join(world.directory, 'deployment.json'))
  const { code, err } = await world.setup()
  expect(code).toBe(1)
  expect(err).toContain(
    'lets others through, too: the service token backup job; the service token y, which is gone; the rule everyone. Take that out of the policy',
  )
  expect(err).not.toMatch(/[Rr]emove|--name/)
})

test('a secret that was lost before the Worker had it is made anew', async () => {
  await world.setup()
  const before = await readSecrets(world.directory)
  await rm(join(world.directory, '.dev.vars.deploy'))
  world.writes()
  expect((await world.setup()).out).toContain('made anew, since the first one was lost')
  expect(world.writes()).toEqual(['POST /accounts/*/access/service_tokens/*/rotate'])
  const after = await readSecrets(world.directory)
  expect(after.CF_ACCESS_CLIENT_ID).toBe(before.CF_ACCESS_CLIENT_ID)
  expect(world.cloudflare.state.secretsOf(world.account).get(after.CF_ACCESS_CLIENT_ID ?? '')).toBe(after.CF_ACCESS_CLIENT_SECRET)
})

test('without a domain the Worker reaches the box by a VPC service, and lies on workers.dev', async () => {
  const { code, err } = await world.setup('--no-domain')
  expect({ code, err }).toEqual({ code: 0, err: '' })
  expect(world.counts()).toEqual({ d1: 1, cfd_tunnel: 1, vpc_services: 1, workers_subdomain: 1 })
  const deployment = (await readDeployment(world.directory)) as Deployment
  expect(deployment.public.hostname).toBe(`ollama-edge-gateway.ollama-edge-gateway-${world.account.slice(0, 6)}.workers.dev`)
  const [service] = world.cloudflare.state.of('vpc_services', world.account).values()
  expect(service).toMatchObject({
    type: 'http',
    http_port: 11434,
    host: { ipv4: '127.0.0.1', network: { tunnel_id: deployment.tunnel?.id } },
  })
  expect(await world.file('box.env')).toContain('TUNNEL_TRANSPORT_PROTOCOL=quic')
  world.writes()
  expect(await world.setup()).toMatchObject({ code: 0, err: '' })
  expect(world.writes()).toEqual([])
})

test('an account without a domain is asked, and goes on without one', async () => {
  const bare = await newWorld({ zones: [], team: null })
  const asked: string[] = []
  const { code, out } = await bare.setupIn({ ask: answers({}, asked) })
  expect(code).toBe(0)
  expect(out).toContain('No domain: the API token shows none in the account Ada')
  expect(asked.map((question) => question.slice(0, 16))).toEqual(['Set up without a', 'The account has ', 'Where is the box', 'Go on?'])
  await bare.close()
})

test('it asks for hostnames, the place and what it turns off, and takes the answers', async () => {
  const asked: string[] = []
  const ask = answers(
    { 'customers call': 'llm.example.com', 'own hostname': 'gpu.example.com', 'Where is the box': 'oc', 'Bot Fight Mode': false },
    asked,
  )
  const { code, out } = await world.setupIn({ ask })
  expect(code).toBe(0)
  expect(asked).toHaveLength(6)
  expect(await readDeployment(world.directory)).toMatchObject({
    public: { hostname: 'llm.example.com' },
    host: { hostname: 'gpu.example.com' },
    zoneChecks: { browserCheck: 'off', botFightMode: 'kept' },
  })
  expect(world.cloudflare.state.settings.get(world.zone)).toEqual({ browserCheck: 'off', fightMode: true })
  expect(out).toContain('! Bot Fight Mode stays on for example.com')
  // It is not asked again.
  world.writes()
  await world.setup()
  expect(world.writes()).toEqual([])
})

test('everything is asked before the last question, and nothing after it', async () => {
  const asked: string[] = []
  const plans: string[] = []
  const ask = answers({ 'Workers Paid plan': true, 'Browser Integrity': false }, asked)
  const yes: typeof ask.yes = async (question, fallback) => {
    if (question === 'Go on?') expect(world.writes()).toEqual([])
    return ask.yes(question, fallback)
  }
  const deployWorker = async (_: Deployment, plan: string) => void plans.push(plan)
  expect(await world.setupIn({ ask: { ...ask, yes }, deployWorker })).toMatchObject({ code: 0, err: '' })
  expect(asked.slice(-4)).toEqual([
    expect.stringMatching(/^Browser Integrity Check is on/),
    expect.stringMatching(/^Bot Fight Mode is on/),
    expect.stringMatching(/^Is the account on the Workers Paid plan/),
    'Go on?',
  ])
  expect(plans).toEqual(['paid'])
  expect(await readDeployment(world.directory)).toMatchObject({ plan: 'paid', zoneChecks: { browserCheck: 'kept', botFightMode: 'off' } })
})

test('a plan that Cloudflare refuses is not kept: the next run asks again', async () => {
  const refuses = async () => Promise.reject(new SetupError('This account is on the free plan'))
  const ask = answers({ 'Workers Paid plan': true })
  expect(await world.setupIn({ ask, deployWorker: refuses })).toMatchObject({ code: 1 })
  expect((await readDeployment(world.directory))?.plan).toBeUndefined()
  const asked: string[] = []
  expect(await world.setupIn({ ask: answers({}, asked), deployWorker: async () => {} })).toMatchObject({ code: 0, err: '' })
  expect(asked).toEqual([expect.stringMatching(/^Is the account on the Workers Paid plan/)])
  expect((await readDeployment(world.directory))?.plan).toBe('free')
})

test('stopped while the first Worker is looked at, it is told among what was made', async () => {
  const stop = new AbortController()
  const deployWorker = async () => {
    stop.abort()
    throw new HalfMade('Stopped.')
  }
  expect(await world.setupIn({ deployWorker, signal: stop.signal }, '--yes')).toMatchObject({
    code: 130,
    err: expect.stringMatching(
      /^Stopped\. So far made: D1 database, .+, Worker \(uploaded and live; it was not seen to answer yet\)\. Run the same command again/,
    ),
  })
})

test('the Worker is deployed last, and then its secrets wait no longer', async () => {
  const deployed: Deployment[] = []
  const deployWorker = async (deployment: Deployment) => {
    expect(await readSecrets(world.directory)).toHaveProperty('CF_ACCESS_CLIENT_SECRET')
    deployed.push(deployment)
  }
  const { code, out } = await world.setupIn({ deployWorker }, '--yes')
  expect(code).toBe(0)
  expect(deployed).toEqual([await readDeployment(world.directory)])
  expect(deployed[0]?.plan).toBe('free')
  expect(out).toContain('Your API: https://api.example.com')
  expect(await world.files()).toEqual(['box.env', 'deployment.json'])
})

test('the hostname is tried as a stranger; one that gets through ends it, and the record goes', async () => {
  expect(await world.setupIn({ publicFetch: edge(world, 530) }, '--yes')).toMatchObject({ code: 0 })
  world.cloudflare.state.of('dns_records', world.zone).clear()
  const open: typeof fetch = async () => new Response('{"version":"0.14.0"}')
  const { code, err } = await world.setupIn({ publicFetch: open }, '--yes')
  expect(code).toBe(1)
  expect(err).toContain('https://ollama.example.com answers a stranger (200): Access does not guard it. Its DNS record was removed again.')
  expect(world.counts()).not.toHaveProperty('dns_records')
})

test("on a paid zone the finer switch is the owner's, and told", async () => {
  const zone = world.cloudflare.state.zones.get(world.zone)
  if (zone) zone.plan = 'Pro Website'
  const { code, out } = await world.setup()
  expect(code).toBe(0)
  expect(out).toContain('! Super Bot Fight Mode is on, and takes SDKs for bots (403). Skip it for the gateway: Security > Security rules')
  expect(out).toContain('hostname equals api.example.com')
  expect(world.writes()).not.toContain('PUT /zones/*/bot_management')
})

test("Access that refuses the gateway's own token is told", async () => {
  const refuses: typeof fetch = async () => new Response(null, { status: 403 })
  const { code, out } = await world.setupIn({ publicFetch: refuses }, '--yes')
  expect(code).toBe(0)
  expect(out).toContain("! Cloudflare Access does not let the gateway's own service token through to ollama.example.com (403).")
})

test('the end tells what is next, in the order in which it is needed, and leaves out what is there', async () => {
  const { out } = await world.setupIn({ deployWorker: async () => {} }, '--yes')
  expect(commandsIn(out)).toEqual([
    'scp -p box.env host/compose.yaml BOX: && ssh BOX docker compose up -d',
    "npm run admin -- set-pricing '*' 0.0001 0 --input 0.10 --output 0.40 --remote",
    'npm run admin -- create-customer Ada ada@example.com --budget 5 --remote',
    'npm run admin -- generate-key ID --remote',
    'npm run doctor',
  ])
  expect(out).toContain('(ID: the id that create-customer printed)')
  // The doctor was there first, and has made a customer of its own.
  const { database, tunnel } = (await readDeployment(world.directory)) as Deployment
  const run = async (sql: string) => world.cloudflare.state.engines.get(database?.id ?? '')?.run([{ sql }])
  await run(`CREATE TABLE holds (id); CREATE TABLE usage (id); CREATE TABLE prices (id); CREATE TABLE customers (id, email);
CREATE TABLE api_keys (customer_id, revoked_ms); INSERT INTO customers VALUES (1, 'doctor@example.com'); INSERT INTO api_keys VALUES (1, NULL)`)
  connect(world.cloudflare.state, world.account, tunnel?.id ?? '', true)
  expect(commandsIn((await world.setup()).out).map((line) => line.split(' ')[4])).toEqual([
    ...[undefined, 'set-pricing', 'create-customer', 'generate-key', undefined],
  ])
  await run("INSERT INTO prices VALUES (1); INSERT INTO customers VALUES (2, 'ada@example.com')")
  const again = await world.setup()
  expect(commandsIn(again.out)).toEqual(['npm run deploy', 'npm run admin -- generate-key ID --remote', 'npm run doctor'])
  expect(again.out).toContain("(ID: the customer's id, as list-customers --remote shows it)")
})

/** The lines to paste. */
function commandsIn(out: string): string[] {
  return [...out.matchAll(/^ {4}((?:scp|npm) .+)/gm)].map(([, line = '']) => line)
}

test('a box or an Ollama that is not there is told at the end, and is no error', async () => {
  expect((await world.setup()).out).toContain('the box, which is not connected yet')
  const { tunnel } = (await readDeployment(world.directory)) as Deployment
  connect(world.cloudflare.state, world.account, tunnel?.id ?? '', true)
  const told = async (ollama: number) => {
    const { code, out } = await world.setupIn({ publicFetch: edge(world, ollama) }, '--yes')
    expect(code).toBe(0)
    return out
  }
  expect(await told(502)).toContain('The box is connected, and its Ollama is not there. On the box: docker compose logs ollama')
  expect(await told(200)).not.toMatch(/is not there|not connected/)
})

test('a policy or token that somebody removed is made again, and what leads to it is mended', async () => {
  await world.setup()
  const { state } = world.cloudflare
  state.of('access_policies', world.account).clear()
  expect(await world.setup()).toMatchObject({ code: 0, err: '' })
  state.of('access_service_tokens', world.account).clear()
  world.writes()
  const { code, out } = await world.setup()
  expect(code).toBe(0)
  expect(out).not.toContain('\n!')
  expect(world.writes()).toEqual(['POST /accounts/*/access/service_tokens', 'PUT /accounts/*/access/policies/*'])
  expect(world.counts()).toEqual(WHOLE)
})

test('a policy that the owner has added stays, and is told', async () => {
  await world.setup()
  const { state } = world.cloudflare
  const [app] = state.of<{ policies: { id: string }[] }>('access_apps', world.account).values()
  state.of('access_policies', world.account).set('p', { id: 'p', name: 'Me', decision: 'allow', include: [{ email: {} }] })
  app?.policies.push({ id: 'p' })
  world.writes()
  expect((await world.setup()).out).toContain(
    '! The Access application ollama-edge-gateway: the box has other policies, too (Me): was that you?',
  )
  expect(world.writes()).toEqual([])
})

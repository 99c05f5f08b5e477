// The whole path at the stand-ins: from an empty account to a metered request, again, and back to an empty account.
import { rm } from 'node:fs/promises'
import { join } from 'node:path'
import { afterEach, expect, test } from 'vitest'
import { type StandIn, startStandIn } from '../host/stand-in/server.ts'
import { runCommand } from '../scripts/admin/run-command.ts'
import { readDeployment } from '../scripts/cloudflare/deployment.ts'
import { publicFetch } from '../scripts/cloudflare/public-fetch.ts'
import { deployFromSetup } from '../scripts/deploy/from-setup.ts'
import { newWorld, type Ran, type World } from '../scripts/setup/testing.ts'
import { type Edge, forward, startEdge } from './cloudflare/edge.ts'
import { letIn } from './cloudflare/let-in.ts'
import { connect } from './cloudflare/resources/tunnels.ts'

let close: (() => Promise<void>)[] = []
afterEach(async () => {
  for (const one of close.reverse()) await one()
  close = []
})

interface Whole {
  world: World
  ask: typeof fetch
  edge: Edge
  setup(...args: string[]): Promise<Ran>
  setupUntil(stop: AbortSignal, ...args: string[]): Promise<Ran>
  admin(...args: string[]): Promise<Record<string, unknown>>
}

/** An account, its edge, and a box whose cloudflared connects as soon as there is a tunnel. */
async function wholeWorld(): Promise<Whole> {
  const world = await newWorld()
  close.push(() => world.close())
  const { state } = world.cloudflare
  const ollama: StandIn = await startStandIn({ pace: 'instant', access: [] })
  close.push(() => ollama.close())
  const isVpc = () => state.of('vpc_services', world.account).size > 0
  const edge: Edge = await startEdge({
    state,
    box(incoming, outgoing) {
      for (const id of state.of('cfd_tunnel', world.account).keys()) connect(state, world.account, id, true)
      // A Workers VPC service has no Access before it.
      ollama.edge({ tokens: () => letIn(state, world.account), open: isVpc() })
      forward(incoming, outgoing, new URL(ollama.url))
    },
  })
  close.push(() => edge.close())
  const environment = { CLOUDFLARE_API_TOKEN: world.token, CLOUDFLARE_API_BASE_URL: world.cloudflare.url, CLOUDFLARE_EDGE_URL: edge.url }
  const said: string[] = []
  const setupUntil = (signal: AbortSignal, ...args: string[]) => {
    const deployWorker = deployFromSetup({ directory: world.directory, environment, say: (line) => void said.push(line), signal })
    return world.setupIn({ environment, publicFetch: publicFetch(environment), deployWorker, signal }, '--yes', ...args)
  }
  return {
    world,
    edge,
    ask: publicFetch(environment),
    setupUntil,
    setup: (...args) => setupUntil(new AbortController().signal, ...args),
    async admin(...args) {
      const deployment = await readDeployment(world.directory)
      const ids = { CLOUDFLARE_ACCOUNT_ID: world.account, D1_DATABASE_ID: deployment?.database?.id }
      const io = { directory: world.directory, environment: { ...environment, ...ids } }
      const { code, err, json } = await runCommand([...args, '--remote', '--json'], io)
      expect(code, err).toBe(0)
      return json()
    },
  }
}

for (const [kind, args, hostname] of [
  ['with a domain', [], 'api.example.com'],
  ['without a domain', ['--no-domain'], null],
] as const) {
  test(`${kind}: set-up, a metered request, a second run that makes nothing, and an undo that leaves nothing`, async () => {
    const { world, ask, setup, admin } = await wholeWorld()
    await world.write('.dev.vars', 'OPENAI_API_KEY=sk-proj-0123456789abcdef\n')
    const first = await setup(...args)
    expect({ code: first.code, err: first.err }).toEqual({ code: 0, err: '' })
    const deployment = await readDeployment(world.directory)
    if (hostname !== null) expect(deployment?.public.hostname).toBe(hostname)
    expect(first.out).toContain(`Your API: https://${deployment?.public.hostname}`)
    expect(await world.files()).toEqual(['.dev.vars', 'box.env', 'deployment.json'])

    const { id } = await admin('create-customer', 'Ada', 'ada@example.com', '--budget', '5')
    await admin('set-pricing', '*', '0.01', '0')
    const { key } = await admin('generate-key', String(id))
    const answer = await ask(`https://${deployment?.public.hostname}/api/chat`, {
      method: 'POST',
      headers: { authorization: `Bearer ${key}` },
      body: JSON.stringify({ model: 'gemma3:270m', messages: [{ role: 'user', content: 'Hi' }], stream: false }),
    })
    expect({ status: answer.status, cost: answer.headers.get('x-request-cost') }).toEqual({ status: 200, cost: '0.01' })

    world.writes()
    const second = await setup()
    expect({ code: second.code, err: second.err }).toEqual({ code: 0, err: '' })
    expect(world.writes()).toEqual([])

    const undone = await setup('--undo', '--with-ledger')
    expect({ code: undone.code, err: undone.err }).toEqual({ code: 0, err: '' })
    expect(undone.out).toContain('D1 database: ollama-edge-gateway with 1 billed request')
    const { workers_subdomain, ...left } = world.counts()
    expect(left).toEqual({})
    for (const secret of await world.secrets()) expect(first.out + second.out + undone.out).not.toContain(secret)
  })
}

test('an upload that fails leaves the secrets where the next run finds them; a lost deployment.json is found again', async () => {
  const { world, ask, setup } = await wholeWorld()
  world.cloudflare.faults.add('PUT', /workers\/scripts\/[^/?]+(\?|$)/, 403, { times: 5 })
  const failed = await setup()
  expect(failed.code).toBe(1)
  expect(failed.err).toContain('Run npm run setup again: it goes on where it stopped.')
  expect(await world.files()).toContain('.dev.vars.deploy')
  world.cloudflare.faults.clear()
  expect(await setup()).toMatchObject({ code: 0, err: '' })
  expect(await (await ask('https://api.example.com/health/ollama')).json()).toMatchObject({ state: 'ok' })
  const before = JSON.parse(await world.file('deployment.json'))
  await rm(join(world.directory, 'deployment.json'))
  world.writes()
  expect(await setup()).toMatchObject({ code: 0, err: '' })
  expect(world.writes()).toEqual([])
  const { plan, zoneChecks, ...found } = before
  expect(JSON.parse(await world.file('deployment.json'))).toEqual(found)
})

test('stopped while the first Worker is waited for, set-up tells that it is uploaded, and goes on', async () => {
  const { world, setup, setupUntil, edge } = await wholeWorld()
  const stop = new AbortController()
  edge.outage = () => {
    stop.abort()
    return 522
  }
  expect(await setupUntil(stop.signal)).toMatchObject({
    code: 130,
    err: expect.stringMatching(/^Stopped\. So far made: .+, Worker \(uploaded/),
  })
  edge.outage = null
  expect(await setup()).toMatchObject({ code: 0, err: '' })
  expect(await world.files()).toEqual(['box.env', 'deployment.json'])
})

test('a Worker of the same name that is bound to another database is left alone', async () => {
  const { world, setup } = await wholeWorld()
  expect((await setup()).code).toBe(0)
  const deployment = JSON.parse(await world.file('deployment.json'))
  world.cloudflare.state.of('d1', world.account).clear()
  await world.write('deployment.json', JSON.stringify({ ...deployment, database: undefined }))
  const { out } = await setup('--undo')
  expect(out).not.toContain('  Worker:')
  expect(world.counts().workers).toBe(1)
})

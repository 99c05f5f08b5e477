import { rm } from 'node:fs/promises'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { connect } from '../../e2e/cloudflare/resources/tunnels.ts'
import { settingsOf } from '../../e2e/cloudflare/resources/zone-settings.ts'
import { type Deployment, readDeployment } from '../cloudflare/deployment.ts'
import { Stopped } from './problem.ts'
import { answers, isWrite, newWorld, type World } from './testing.ts'

let world: World
beforeEach(async () => {
  world = await newWorld()
})
afterEach(() => world.close())

test('undo lists, asks, and leaves nothing of it', async () => {
  await world.setup()
  const asked: string[] = []
  const stopped = await world.setupIn({ ask: { ...answers({}), yes: () => Promise.reject(new Stopped()) } }, '--undo')
  expect(stopped).toMatchObject({ code: 130, err: 'Stopped. Nothing was removed. Run the same command again: it goes on.' })
  const no = await world.setupIn({ ask: answers({}, asked) }, '--undo')
  expect(no).toMatchObject({ code: 0, out: expect.stringContaining('Nothing was removed.') })
  expect(no.out).toContain('  Access application: ollama-edge-gateway: the box, for ollama.example.com')
  expect(asked).toEqual(['Remove these 9?'])
  expect(world.counts().cfd_tunnel).toBe(1)
  world.writes()
  const { code, out, err } = await world.setupIn({ ask: answers({ Remove: true }) }, '--undo')
  expect({ code, err, counts: world.counts() }).toEqual({ code: 0, err: '', counts: {} })
  expect(out).toContain('Undone.')
  // In the reverse order: the record goes before its guard does.
  expect(world.writes()).toEqual([
    'PUT /zones/*/bot_management',
    'PATCH /zones/*/settings/browser_check',
    'DELETE /zones/*/dns_records/*',
    'DELETE /accounts/*/cfd_tunnel/*',
    'DELETE /accounts/*/access/apps/*',
    'DELETE /accounts/*/access/policies/*',
    'DELETE /accounts/*/access/service_tokens/*',
    'DELETE /accounts/*/d1/database/*',
  ])
  expect(settingsOf(world.cloudflare.state, world.zone)).toEqual({ browserCheck: 'on', fightMode: true })
  expect(await world.files()).toEqual([])
  expect((await world.setup('--undo')).out).toContain('Nothing was set up from here')
})

test('undo without a domain leaves nothing but the name below workers.dev', async () => {
  await world.setup('--no-domain')
  expect(await world.setup('--undo')).toMatchObject({ code: 0, err: '' })
  expect(world.counts()).toEqual({ workers_subdomain: 1 })
})

test("what is somebody else's stays, whatever it is called", async () => {
  const { state } = world.cloudflare
  const others = () => ({
    dns: state.of('dns_records', world.zone),
    tunnels: state.of('cfd_tunnel', world.account),
    tokens: state.of('access_service_tokens', world.account),
  })
  others().dns.set('r1', { id: 'r1', type: 'A', name: 'www.example.com', content: '192.0.2.1' })
  others().tokens.set('t1', { id: 't1', name: 'ollama-edge-gateway', client_id: 'x.access', expires_at: '2030-01-01T00:00:00Z' })
  settingsOf(state, world.zone).fightMode = false
  await world.setup()
  await world.setup('--undo')
  expect(world.counts()).toEqual({ dns_records: 1, access_service_tokens: 1 })
  expect(settingsOf(state, world.zone)).toEqual({ browserCheck: 'on', fightMode: false })
})

test('an undo after a lost deployment.json says that the checks of the zone are off, and where they are turned on', async () => {
  await world.setup()
  await rm(join(world.directory, 'deployment.json'))
  await world.setup()
  const { code, out } = await world.setup('--undo')
  expect(code).toBe(0)
  for (const [name, place] of [
    ['Browser Integrity Check', 'Browser integrity check'],
    ['Bot Fight Mode', 'Bot fight mode'],
  ]) {
    expect(out).toContain(`! ${name} is off for all of example.com, and stays off`)
    expect(out).toContain(`turn it on again: dash.cloudflare.com > example.com > Security > Settings > ${place}.`)
  }
  // One that knows of them turns them on, and has nothing to tell.
  settingsOf(world.cloudflare.state, world.zone).fightMode = true
  settingsOf(world.cloudflare.state, world.zone).browserCheck = 'on'
  await world.setup()
  expect((await world.setup('--undo')).out).not.toContain('\n!')
})

test('a record that was changed by hand is left alone, and told', async () => {
  await world.setup()
  const { state } = world.cloudflare
  const [record] = state.of('dns_records', world.zone).values()
  if (record) record.content = 'elsewhere.example.net'
  const { code, out } = await world.setup('--undo')
  expect(code).toBe(0)
  expect(out).toContain('Left alone: ollama.example.com has a DNS record already (CNAME elsewhere.example.net)')
  expect(world.counts()).toEqual({ dns_records: 1 })
})

test('each removal failing once, and each stop: another undo goes on and leaves nothing', async () => {
  await world.setup()
  world.cloudflare.calls.splice(0)
  await world.setup('--undo')
  const removals = world.cloudflare.calls.filter(({ method, path }) => isWrite(method, path))
  for (const { method, path } of removals) {
    const pattern = new RegExp(path.replace(/[0-9a-f]{8}-[0-9a-f-]{27}|[0-9a-f]{32}/g, '[^/]+'))
    for (const as of [500, 'lost', 'stop'] as const) {
      const one = await newWorld()
      await one.setup()
      const stop = new AbortController()
      if (as !== 'stop') one.cloudflare.faults.add(method, pattern, as)
      const { calls } = one.cloudflare
      calls.push = (...added) => {
        if (as === 'stop' && added.some((call) => call.method === method && pattern.test(call.path))) stop.abort()
        return Array.prototype.push.apply(calls, added)
      }
      const first = await one.setupIn({ signal: stop.signal }, '--undo', '--yes')
      expect(first.code, `${method} ${path} ${as}`).toBe(as !== 'stop' ? 1 : method === 'DELETE' && path.includes('/d1/') ? 0 : 130)
      expect(await one.setup('--undo')).toMatchObject({ code: 0, err: '' })
      expect(one.counts(), `${method} ${path} ${as}`).toEqual({})
      expect(await one.files()).toEqual([])
      await one.close()
    }
  }
})

test('a ledger with billed requests stays until it is asked for by name', async () => {
  await world.setup()
  const { database } = (await readDeployment(world.directory)) as Deployment
  const engine = world.cloudflare.state.engines.get(database?.id ?? '')
  await engine?.run([
    { sql: 'CREATE TABLE api_keys (id); CREATE TABLE holds (id); CREATE TABLE usage (id); INSERT INTO usage VALUES (1), (2)' },
  ])
  const { code, out } = await world.setup('--undo')
  expect(code).toBe(0)
  expect(out).toContain('The D1 database ollama-edge-gateway stays: it holds 2 billed requests.')
  expect(world.counts()).toEqual({ d1: 1 })
  // A set-up after that takes it up again.
  expect(await world.setup()).toMatchObject({ code: 0, err: '' })
  expect(world.counts().d1).toBe(1)
  const all = await world.setup('--undo', '--with-ledger')
  expect(all.out).toContain('D1 database: ollama-edge-gateway with 2 billed requests')
  expect(world.counts()).toEqual({})
})

test('a tunnel whose cloudflared has gone is removed with what it left behind', async () => {
  await world.setup()
  const { tunnel } = (await readDeployment(world.directory)) as Deployment
  connect(world.cloudflare.state, world.account, tunnel?.id ?? '', true)
  expect(await world.setup('--undo')).toMatchObject({ code: 0, err: '' })
  expect(world.counts()).toEqual({})
})

test('a cloudflared that still runs is named; stopped, the next undo goes on', async () => {
  await world.setup()
  const { tunnel } = (await readDeployment(world.directory)) as Deployment
  connect(world.cloudflare.state, world.account, tunnel?.id ?? '', true)
  // It is back as soon as it was cut off.
  const { calls } = world.cloudflare
  calls.push = (...added) => {
    setImmediate(() => connect(world.cloudflare.state, world.account, tunnel?.id ?? '', true))
    return Array.prototype.push.apply(calls, added)
  }
  const { code, err } = await world.setup('--undo')
  calls.push = Array.prototype.push
  expect(code).toBe(1)
  expect(err).toContain('cloudflared still runs on the box. Stop it there')
  expect(await world.setup('--undo')).toMatchObject({ code: 0, err: '' })
  expect(world.counts()).toEqual({})
})

test('a dry run of an undo removes nothing', async () => {
  await world.setup()
  const [files, counts] = [await world.files(), world.counts()]
  world.writes()
  const { code, out } = await world.setup('--undo', '--dry-run')
  expect(code).toBe(0)
  expect(out).toMatch(/ {2}writes {2}DELETE \/accounts\/\w+\/cfd_tunnel\//)
  expect(out).toContain('Nothing was written.')
  expect({ writes: world.writes(), files: await world.files(), counts: world.counts() }).toEqual({ writes: [], files, counts })
})

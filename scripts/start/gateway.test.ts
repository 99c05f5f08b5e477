import { once } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import { connect } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { openLocal } from '../database/local.ts'
import { type Gateway, startGateway } from './gateway.ts'

// A Worker in the real one's place: /stream writes a word every 20 ms and has a hold for as long as its caller is there; the sweep takes what has expired.
const WORKER = `
const hold = "INSERT INTO holds (customer_id, id, key_id, price_id, model, dialect, upstream, hold_nano, input_bound, output_limit, created_ms, expires_ms) VALUES (1, ?, 1, 1, 'm', 'd', 'ollama', 0, 0, 0, 0, 9000000000000)"
const stream = (env, context, words) => {
  const { readable, writable } = new IdentityTransformStream()
  const write = async () => {
    const id = crypto.randomUUID()
    await env.DB.prepare(hold).bind(id).run()
    const writer = writable.getWriter()
    try {
      for (let word = 0; word < words; word++) {
        await writer.write(new TextEncoder().encode('word '))
        await new Promise((resolve) => setTimeout(resolve, 20))
      }
      await writer.close()
    } catch (error) {
      console.log(JSON.stringify({ event: 'hung_up' }))
    } finally {
      await env.DB.prepare('DELETE FROM holds WHERE id = ?').bind(id).run()
    }
  }
  context.waitUntil(write())
  return new Response(readable)
}
export default {
  async fetch(request, env, context) {
    const { pathname } = new URL(request.url)
    if (pathname === '/short') return stream(env, context, 20)
    if (pathname === '/endless') return stream(env, context, 100000)
    return Response.json({ path: pathname, body: await request.text(), ollama: env.OLLAMA_BASE_URL, other: env.OTHER })
  },
  async scheduled(event, env) {
    console.log(JSON.stringify({ event: 'sweep', cron: event.cron }))
    await env.DB.prepare('DELETE FROM holds WHERE expires_ms < 1000').run()
  },
}`

let stateDir: string
let gateway: Gateway
let events: string[]

async function start(port = 0): Promise<Gateway> {
  return startGateway({
    bundle: { path: join(stateDir, 'index.js'), contents: WORKER },
    stateDir,
    host: '127.0.0.1',
    port,
    ollamaUrl: 'http://127.0.0.1:1',
    vars: { OTHER: 'passed on' },
    onLog: ({ message }) => events.push(message),
  })
}

async function seed(): Promise<void> {
  await gateway.db.batch([
    gateway.db.prepare("INSERT INTO customers (name, email, created_ms) VALUES ('a', 'a@b.c', 0)"),
    gateway.db.prepare("INSERT INTO api_keys (hash, customer_id, prefix, created_ms) VALUES (?, 1, 'sk_', 0)").bind('0'.repeat(64)),
    gateway.db.prepare("INSERT INTO prices (model, valid_from_ms, created_ms) VALUES ('m', 0, 0)"),
  ])
}

const holds = () => gateway.db.prepare('SELECT count(*) AS n FROM holds').first('n')
const stopNow = { graceMs: 0, settleMs: 5000 }

beforeEach(async () => {
  stateDir = await mkdtemp(join(tmpdir(), 'gateway-test-'))
  events = []
  gateway = await start()
})

afterEach(async () => {
  await gateway.kill()
  await rm(stateDir, { recursive: true })
})

test('a request reaches the Worker, which has its settings and a migrated database', async () => {
  const answer = await fetch(`${gateway.url}/api/chat`, { method: 'POST', body: 'hello' })
  expect(await answer.json()).toEqual({ path: '/api/chat', body: 'hello', ollama: 'http://127.0.0.1:1', other: 'passed on' })
  expect(await holds()).toBe(0)
})

test('none of the development paths of the runtime is served', async () => {
  for (const path of ['/cdn-cgi/handler/scheduled', '/cdn-cgi/mf/scheduled', '/cdn-cgi/explorer/']) {
    expect(await (await fetch(`${gateway.url}${path}`)).json()).toMatchObject({ path })
  }
})

test('a caller who closes in the middle of a stream is seen to hang up', async () => {
  await seed()
  const caller = connect(Number(new URL(gateway.url).port))
  caller.write('GET /endless HTTP/1.1\r\nhost: x\r\n\r\n')
  await once(caller, 'data')
  caller.destroy()
  await expect.poll(() => events).toContain('{"event":"hung_up"}')
  await expect.poll(holds).toBe(0)
})

test('a stop lets a running answer end within the grace', async () => {
  await seed()
  const answer = await fetch(`${gateway.url}/short`)
  const [text, left] = await Promise.all([answer.text(), gateway.stop({ graceMs: 5000, settleMs: 5000 })])
  expect(text).toBe('word '.repeat(20))
  expect(left).toBe(0)
  expect(events).not.toContain('{"event":"hung_up"}')
})

test('a stop cuts off what outlasts the grace and waits until it is settled', async () => {
  await seed()
  const answer = await fetch(`${gateway.url}/endless`)
  const broken = expect(answer.text()).rejects.toThrow()
  const waits: string[] = []
  expect(await gateway.stop({ graceMs: 300, settleMs: 5000, onWait: (running, phase) => waits.push(`${phase} ${running}`) })).toBe(0)
  await broken
  expect(events).toContain('{"event":"hung_up"}')
  expect(waits).toContain('grace 1')
})

test('a stopped gateway takes no caller, and starts again on the same database and port', async () => {
  await seed()
  const port = Number(new URL(gateway.url).port)
  await gateway.stop(stopNow)
  await expect(fetch(gateway.url)).rejects.toThrow()
  gateway = await start(port)
  expect(gateway.recovered).toBe(0)
  expect(await gateway.db.prepare('SELECT name FROM customers').first('name')).toBe('a')
})

test('what a killed gateway had in flight is settled by the next start', async () => {
  await seed()
  const answers = await Promise.all([fetch(`${gateway.url}/endless`), fetch(`${gateway.url}/endless`)])
  await expect.poll(holds).toBe(2)
  await gateway.kill()
  for (const answer of answers) await expect(answer.text()).rejects.toThrow()
  gateway = await start()
  expect(gateway.recovered).toBe(2)
  expect(events).toContain('{"event":"sweep","cron":"* * * * *"}')
  expect(await holds()).toBe(0)
})

test('a second gateway on the same database is refused, and the first goes on', async () => {
  await expect(start()).rejects.toThrow(`A gateway (process ${process.pid}) already runs on ${stateDir}`)
  expect((await fetch(gateway.url)).status).toBe(200)
})

test('a command on this machine reaches the database through the running gateway, and opens it itself afterwards', async () => {
  await seed()
  const running = await openLocal(stateDir)
  expect(running.gateway).toMatchObject({ pid: process.pid, ollama: 'http://127.0.0.1:1' })
  expect(await running.transport.run([{ sql: 'SELECT name FROM customers', params: [] }])).toEqual([{ columns: ['name'], rows: [['a']] }])
  await gateway.stop(stopNow)
  const alone = await openLocal(stateDir)
  expect(alone.gateway).toBe(null)
  expect(await alone.transport.run([{ sql: 'SELECT name FROM customers', params: [] }])).toEqual([{ columns: ['name'], rows: [['a']] }])
  await alone.transport.close()
})

test('a second gateway on the same port is refused with EADDRINUSE and leaves nothing behind', async () => {
  const other = await mkdtemp(join(tmpdir(), 'gateway-test-'))
  const first = stateDir
  stateDir = other
  await expect(start(Number(new URL(gateway.url).port))).rejects.toMatchObject({ code: 'EADDRINUSE' })
  stateDir = first
  await rm(other, { recursive: true })
})

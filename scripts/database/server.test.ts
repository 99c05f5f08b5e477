import { once } from 'node:events'
import { readFile, stat, writeFile } from 'node:fs/promises'
import { connect } from 'node:net'
import { join } from 'node:path'
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest'
import { customers } from '../../worker/schema.ts'
import { closedUrl, type TestDatabase, testDatabase } from '../admin/testing.ts'
import { databaseOver } from './database.ts'
import { type GatewayFile, gatewayEndpoint, readGatewayFile, removeGatewayFile, writeGatewayFile } from './gateway-file.ts'
import { postStatements } from './http.ts'
import { type DatabaseServer, serveDatabase } from './server.ts'

let t: TestDatabase
let server: DatabaseServer
let gateway: GatewayFile
beforeAll(async () => {
  t = await testDatabase()
  server = await serveDatabase(t.d1, { bodyLimitBytes: 20_000 })
  gateway = { pid: process.pid, url: server.url, token: server.token }
})
afterEach(() => removeGatewayFile(t.stateDir))
afterAll(async () => {
  await server.close()
  await t.close()
})

function overHttp() {
  const run = (statements: Parameters<typeof postStatements>[1]) => postStatements(gatewayEndpoint(gateway), statements)
  return databaseOver({ run, migrateHint: 'migrate it.', close: async () => {} })
}

async function post(body: string, headers: Record<string, string> = { authorization: `Bearer ${server.token}` }, path = '/raw') {
  const response = await fetch(`${server.url}${path}`, { method: 'POST', body, headers })
  return {
    status: response.status,
    body: (await response.json()) as { success: boolean; errors: { message: string }[]; result: unknown[] },
  }
}

const INSERT = "INSERT INTO customers (name, email, created_ms) VALUES ('X', ?, 0)"

test('statements come in as to Cloudflare, and go out as from there', async () => {
  const { status, body } = await post('{"batch":[{"sql":"SELECT ? AS a, NULL AS b","params":["x"]}]}')
  expect([status, body]).toEqual([
    200,
    { success: true, errors: [], result: [{ success: true, meta: {}, results: { columns: ['a', 'b'], rows: [['x', null]] } }] },
  ])
})

test('columns of one name keep their places in a join', async () => {
  const { orm } = overHttp()
  await orm.insert(customers).values([
    { name: 'A', email: 'a@example.com', createdMs: 1 },
    { name: 'B', email: 'b@example.com', createdMs: 2 },
  ])
  const joined = await postStatements(gatewayEndpoint(gateway), [
    { sql: 'SELECT a.id, a.name, b.id, b.name, 2, 1 FROM customers a JOIN customers b ON b.id = a.id + 1', params: [] },
  ])
  expect(joined).toEqual([{ columns: ['id', 'name', 'id', 'name', '2', '1'], rows: [[1, 'A', 2, 'B', 2, 1]] }])
  await expect(overHttp().all('SELECT a.id, b.id FROM customers a, customers b')).rejects.toThrow('two columns are called id')
})

test('drizzle reads one row, many and none', async () => {
  const { orm } = overHttp()
  expect(await orm.select().from(customers).get()).toMatchObject({ id: 1, email: 'a@example.com' })
  expect(await orm.select({ id: customers.id }).from(customers)).toEqual([{ id: 1 }, { id: 2 }])
  expect(await orm.select().from(customers).limit(0).get()).toBeUndefined()
})

test('a batch is one transaction', async () => {
  const db = overHttp()
  const twice = ['c@example.com', 'c@example.com'].map((email) => ({ sql: INSERT, params: [email] }))
  await expect(db.batch(twice)).rejects.toThrow('UNIQUE constraint failed: customers.email')
  expect(await db.all('SELECT count(*) AS n FROM customers')).toEqual([{ n: 2 }])
  const [, counted] = await db.batch([
    { sql: INSERT, params: ['c@example.com'] },
    { sql: 'SELECT count(*) AS n, 1 AS one FROM customers', params: [] },
  ])
  expect(counted).toEqual([{ n: 3, one: 1 }])
})

test('only who knows the token is answered', async () => {
  for (const authorization of ['', 'Bearer', 'Bearer x', `bearer ${server.token}`, `Bearer ${server.token}x`]) {
    expect(await post('{"batch":[{"sql":"SELECT 1"}]}', { authorization })).toMatchObject({ status: 401, body: { success: false } })
  }
  await expect(postStatements({ ...gatewayEndpoint(gateway), token: 'wrong' }, [])).rejects.toThrow('does not know us')
})

test('what is no batch of statements is refused', async () => {
  for (const body of [
    '',
    '{',
    '{}',
    '{"batch":[]}',
    '{"batch":[{"sql":1}]}',
    '{"batch":[{"sql":"SELECT ?","params":[true]}]}',
    '{"sql":"SELECT 1"}',
  ]) {
    expect(await post(body), body).toMatchObject({
      status: 400,
      body: { success: false, errors: [{ message: expect.stringContaining('batch') }] },
    })
  }
  expect(await post('{}', undefined, '/query')).toMatchObject({ status: 404 })
  const get = await fetch(`${server.url}/raw`, { headers: { authorization: `Bearer ${server.token}` } })
  expect(get.status).toBe(405)
})

test('a body that is too large is refused before it is read', async () => {
  expect(await post(JSON.stringify({ batch: [{ sql: `SELECT '${'x'.repeat(20_000)}'` }] }))).toMatchObject({ status: 413 })
  expect((await post('{"batch":[{"sql":"SELECT 1"}]}')).status).toBe(200)
})

test('an error names neither parameters nor the token', async () => {
  const { body } = await post(JSON.stringify({ batch: [{ sql: INSERT, params: ['a@example.com'] }] }))
  expect(body.errors).toEqual([{ message: 'UNIQUE constraint failed: customers.email' }])
  await expect(overHttp().all('SELECT * FROM nowhere')).rejects.toThrow('The database has no tables yet: migrate it.')
  await expect(overHttp().all('SELECT later FROM customers')).rejects.toThrow('The database is of an older version: migrate it.')
  await expect(overHttp().all('SELEKT 1')).rejects.toThrow('syntax error')
})

test('the file is for its owner alone, and says where the gateway is', async () => {
  await writeFile(join(t.stateDir, 'gateway.json'), 'old', { mode: 0o644 })
  await writeGatewayFile(t.stateDir, { url: server.url, token: server.token, ollama: 'http://127.0.0.1:11434' })
  expect((await stat(join(t.stateDir, 'gateway.json'))).mode & 0o777).toBe(0o600)
  expect(await readGatewayFile(t.stateDir)).toEqual({ ...gateway, ollama: 'http://127.0.0.1:11434' })
  await removeGatewayFile(t.stateDir)
  expect(await readGatewayFile(t.stateDir)).toBeNull()
})

test('a file of a gateway that is gone is no gateway', async () => {
  const path = join(t.stateDir, 'gateway.json')
  const stale = [
    { ...gateway, pid: 2 ** 30 },
    { ...gateway, url: await closedUrl() },
    { ...gateway, token: 'of the one before' },
    { ...gateway, url: 'http://example.com' },
    { pid: process.pid },
  ]
  for (const file of stale) {
    await writeFile(path, JSON.stringify(file))
    expect(await readGatewayFile(t.stateDir), JSON.stringify(file)).toBeNull()
  }
  await writeFile(path, '{"pid":')
  expect(await readGatewayFile(t.stateDir)).toBeNull()
})

test("another process's file is left alone", async () => {
  const path = join(t.stateDir, 'gateway.json')
  await writeFile(path, JSON.stringify({ ...gateway, pid: process.ppid }))
  await removeGatewayFile(t.stateDir)
  expect(JSON.parse(await readFile(path, 'utf8'))).toMatchObject({ pid: process.ppid })
})

test('a closed server takes no more statements, ends those that run, and waits for nobody who says nothing', async () => {
  const short = await serveDatabase(t.d1)
  const endpoint = gatewayEndpoint({ ...gateway, url: short.url, token: short.token })
  const silent = connect(Number(new URL(short.url).port), '127.0.0.1')
  await once(silent, 'connect')
  // A second or so of work.
  const slow = 'WITH RECURSIVE n (i) AS (VALUES (1) UNION ALL SELECT i + 1 FROM n WHERE i < 2000000) SELECT max(i) AS i FROM n'
  const running = postStatements(endpoint, [{ sql: slow, params: [] }])
  await new Promise((resolve) => setTimeout(resolve, 100))
  const startedMs = performance.now()
  await short.close()
  expect(performance.now() - startedMs).toBeLessThan(10_000)
  expect(await running).toEqual([{ columns: ['i'], rows: [[2_000_000]] }])
  await expect(postStatements(endpoint, [])).rejects.toThrow('ECONNREFUSED')
  silent.destroy()
})

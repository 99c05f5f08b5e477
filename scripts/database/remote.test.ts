import { rm } from 'node:fs/promises'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { runCommand } from '../admin/run-command.ts'
import { closedUrl, type TestDatabase, testDatabase } from '../admin/testing.ts'
import { type Deployment, writeDeployment } from '../cloudflare/deployment.ts'
import { runOnD1 } from './d1.ts'
import { databaseOver, type Statement } from './database.ts'
import { remoteTransport } from './remote.ts'

const TOKEN = 'cf-token-1234567890'

/** Cloudflare's REST API, as far as D1's /raw goes: it answers from a real D1. */
let t: TestDatabase
let environment: Record<string, string>
const calls: { url: string; body: unknown }[] = []
/** Answers the next call in Cloudflare's place. */
let instead: ((response: ServerResponse) => void) | null = null

async function answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
  const body = JSON.parse(await text(request)) as { batch: Statement[] }
  calls.push({ url: `${request.method} ${request.url}`, body })
  if (instead !== null) return instead(response)
  const fail = (status: number, code: number, message: string) =>
    response.writeHead(status).end(JSON.stringify({ success: false, errors: [{ code, message }], messages: [], result: null }))
  if (request.headers.authorization !== `Bearer ${TOKEN}`) return void fail(401, 10000, 'Authentication error')
  if (!request.url?.includes('/the-database/')) return void fail(404, 7404, 'The database could not be found')
  try {
    const results = await runOnD1(t.d1, body.batch)
    response.end(
      JSON.stringify({
        success: true,
        errors: [],
        messages: [],
        result: results.map((one) => ({ success: true, meta: { changes: 0 }, results: one })),
      }),
    )
  } catch (error) {
    fail(400, 7500, `${(error as Error).message}: SQLITE_CONSTRAINT`)
  }
}

const server = createServer((request, response) => void answer(request, response))
beforeAll(async () => {
  t = await testDatabase()
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  environment = {
    CLOUDFLARE_ACCOUNT_ID: 'the-account',
    CLOUDFLARE_API_TOKEN: TOKEN,
    D1_DATABASE_ID: 'the-database',
    CLOUDFLARE_API_BASE_URL: `http://127.0.0.1:${(server.address() as AddressInfo).port}/client/v4/`,
  }
})
afterAll(async () => {
  server.close()
  await t.close()
})

const remote = async (changes: Record<string, string | undefined> = {}) =>
  databaseOver(await remoteTransport({ ...environment, ...changes }))

test('a command with --remote goes to the account and database of the settings', async () => {
  const { code, json } = await runCommand(['create-customer', 'Ada', 'ada@example.com', '--budget', '5', '--remote', '--json'], {
    environment,
  })
  expect(code).toBe(0)
  expect(json()).toMatchObject({ id: 1, budget_usd: '5' })
  expect(calls[0]?.url).toBe('POST /client/v4/accounts/the-account/d1/database/the-database/raw')
  expect(calls[0]?.body).toEqual({
    batch: [
      { sql: expect.stringContaining('insert into "customers"'), params: expect.arrayContaining(['ada@example.com', 5_000_000_000]) },
      { sql: expect.stringContaining('INSERT INTO audit_log'), params: [expect.any(String), 'create-customer', 'ada@example.com'] },
    ],
  })
})

test('the next command that one names goes to the same database', async () => {
  const { out } = await runCommand(['create-customer', 'Grace', 'grace@example.com', '--unlimited', '--remote'], { environment })
  expect(out).toMatch(/\nNext: npm run admin -- generate-key \d+ --remote\n$/)
  expect((await t.admin('create-customer', 'Joan', 'joan@example.com', '--unlimited')).out).toMatch(/-- generate-key \d+\n$/)
})

test('what is missing is named, with where to get it', async () => {
  for (const name of ['CLOUDFLARE_ACCOUNT_ID', 'CLOUDFLARE_API_TOKEN', 'D1_DATABASE_ID']) {
    await expect(remoteTransport({ ...environment, [name]: '' }, t.stateDir)).rejects.toThrow(new RegExp(`^--remote needs ${name}: .+`))
  }
  await expect(remoteTransport({ ...environment, D1_DATABASE_ID: '' }, t.stateDir)).rejects.toThrow(
    /run npm run setup first.* by hand, set it to/,
  )
})

test('what set-up has noted needs no setting', async () => {
  const made: Deployment = {
    accountId: 'the-account',
    worker: 'gateway',
    database: { id: 'the-database', name: 'gateway' },
    public: { kind: 'workers.dev', hostname: 'gateway.ada.workers.dev' },
    host: { kind: 'vpc' },
  }
  await writeDeployment(t.stateDir, made)
  const { CLOUDFLARE_ACCOUNT_ID: _account, D1_DATABASE_ID: _database, ...rest } = environment
  expect(await databaseOver(await remoteTransport(rest, t.stateDir)).all('SELECT 1 AS one')).toEqual([{ one: 1 }])
  await rm(join(t.stateDir, 'deployment.json'))
})

test('refusals are told by what to mend, without the token', async () => {
  const errorOf = async (changes: Record<string, string>) =>
    (await remote(changes)).all('SELECT 1 AS one').catch((error: Error) => error.message)
  expect(await errorOf({ CLOUDFLARE_API_TOKEN: 'wrong-token' })).toMatch(/^Cloudflare refuses CLOUDFLARE_API_TOKEN \(401\)/)
  instead = (response) => {
    const errors = [{ code: 6003, message: 'Invalid request headers' }]
    response.writeHead(400).end(JSON.stringify({ success: false, errors, messages: [], result: null }))
  }
  expect(await errorOf({ CLOUDFLARE_API_TOKEN: 'cut' })).toMatch(/^Cloudflare does not know this API token: was all of it copied\?/)
  instead = null
  expect(await errorOf({ CLOUDFLARE_API_BASE_URL: 'http://127.0.0.1:6000' })).toBe(
    'Cloudflare cannot be reached: no program asks at the port that CLOUDFLARE_API_BASE_URL has: mend that.',
  )
  for (const address of ['http://127.0.0.1:87900', '127.0.0.1:8790', 'x'])
    await expect(remote({ CLOUDFLARE_API_BASE_URL: address })).rejects.toThrow(
      `CLOUDFLARE_API_BASE_URL is "${address}", which is no address`,
    )
  expect(await errorOf({ D1_DATABASE_ID: 'another' })).toContain('check D1_DATABASE_ID')
  expect(await errorOf({ CLOUDFLARE_API_BASE_URL: await closedUrl() })).toBe('Cloudflare cannot be reached: ECONNREFUSED')
  await expect(remote({ CLOUDFLARE_API_TOKEN: 'line\nbreak' })).rejects.toThrow(/^CLOUDFLARE_API_TOKEN has characters/)
})

test('an answer that is none of a database is told, and one that repeats the token is cleaned of it', async () => {
  const db = await remote()
  const answers: [(response: ServerResponse) => void, RegExp][] = [
    [(response) => response.writeHead(502).end('<html>bad gateway</html>'), /^Cloudflare answered 502, but not as a database does\.$/],
    [(response) => response.writeHead(302, { location: 'http://127.0.0.1:9/' }).end(), /^Cloudflare answered 302/],
    [(response) => response.writeHead(429).end('{}'), /429/],
    [(response) => response.end('{"success":true,"result":[]}'), /answered 0 of 1 statements/],
    [(response) => response.writeHead(400).end(JSON.stringify({ success: false, errors: [{ message: `no: ${TOKEN}` }] })), /^no: …$/],
  ]
  for (const [answer, message] of answers) {
    instead = answer
    await expect(db.all('SELECT 1 AS one')).rejects.toThrow(message)
  }
  instead = null
})

test('a batch is one call, and an error of SQL is worded as it is locally', async () => {
  const db = await remote()
  calls.length = 0
  const insert = { sql: "INSERT INTO customers (name, email, created_ms) VALUES ('X', ?, 0)", params: ['ada@example.com'] }
  await expect(db.batch([insert, insert])).rejects.toThrow(/^UNIQUE constraint failed: customers.email$/)
  expect(calls).toHaveLength(1)
})

// The real command line in processes of its own: with a gateway running, without one, and with several commands at once.
import { execFile } from 'node:child_process'
import { mkdtemp, readdir, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { testDatabase } from '../admin/testing.ts'
import { PROJECT_ROOT } from '../start/project.ts'
import { writeGatewayFile } from './gateway-file.ts'
import { lockDatabase } from './lock.ts'
import { serveDatabase } from './server.ts'

let stateDir: string
const wrangler = join(PROJECT_ROOT, 'node_modules', 'wrangler', 'bin', 'wrangler.js')

beforeAll(async () => {
  stateDir = await mkdtemp(join(tmpdir(), 'gateway-cli-'))
})
afterAll(() => rm(stateDir, { recursive: true, force: true }))

/** `onErr` is called with the first that the process says on standard error. */
async function node(args: string[], environment: Record<string, string> = {}, onErr = () => {}) {
  const env = { ...process.env, CI: '1', INIT_CWD: stateDir, STATE_DIR: stateDir, ...environment }
  const running = promisify(execFile)(process.execPath, args, { cwd: PROJECT_ROOT, env })
  running.child.stdin?.end()
  running.child.stderr?.once('data', onErr)
  return running.then(
    ({ stdout, stderr }) => ({ code: 0, out: stdout, err: stderr }),
    (error) => ({ code: error.code as number, out: error.stdout as string, err: error.stderr as string }),
  )
}

const admin = (...args: string[]) => node([join(PROJECT_ROOT, 'scripts', 'admin.ts'), ...args])

test('without tables a command says how to make them', async () => {
  expect(await admin('list-customers')).toEqual({
    code: 1,
    out: '',
    err: expect.stringMatching(
      /^error: The database has no tables yet: run `npm start` once, which makes them\. It is that of STATE_DIR=.*\.\n$/,
    ),
  })
})

test('the database is the one that wrangler migrates, and nothing but the answer is on standard output', async () => {
  const migrated = await node([wrangler, 'd1', 'migrations', 'apply', 'gateway', '--local', '--persist-to', stateDir])
  expect(migrated.code).toBe(0)
  const made = await admin('create-customer', 'Ada', 'ada@example.com', '--budget', '5', '--json')
  expect([made.code, made.err]).toEqual([0, ''])
  expect(JSON.parse(made.out)).toMatchObject({ id: 1, budget_usd: '5' })
  const files = await readdir(join(stateDir, 'v3', 'd1', 'miniflare-D1DatabaseObject'))
  expect(files.filter((name) => /^[0-9a-f]{64}\.sqlite$/.test(name))).toHaveLength(1)
})

test('commands that run at once take turns', async () => {
  const both = await Promise.all(
    ['b', 'c', 'd'].map((name) => admin('create-customer', name, `${name}@example.com`, '--unlimited', '--json')),
  )
  expect(both.map(({ code }) => code)).toEqual([0, 0, 0])
  expect(both.map(({ out }) => JSON.parse(out).id).sort()).toEqual([2, 3, 4])
})

test('a command waits for who has the database, and says so', async () => {
  const lock = await lockDatabase(stateDir)
  const script = join(PROJECT_ROOT, 'scripts', 'admin.ts')
  const { code, err } = await node([script, 'list-customers'], {}, () => lock.release())
  expect([code, err]).toEqual([0, `The database in ${stateDir} is in use by process ${process.pid}: waiting for up to 30 s …\n`])
})

test('a command sends its statements to a gateway that runs, though that holds the lock', async () => {
  const other = await testDatabase()
  const lock = await lockDatabase(other.stateDir)
  const server = await serveDatabase(other.d1)
  await writeGatewayFile(other.stateDir, { url: server.url, token: server.token })
  const script = join(PROJECT_ROOT, 'scripts', 'admin.ts')
  const made = await node([script, 'create-customer', 'Eve', 'eve@example.com', '--unlimited'], { STATE_DIR: other.stateDir })
  expect([made.code, made.err]).toEqual([0, ''])
  expect(await other.db.all('SELECT name FROM customers')).toEqual([{ name: 'Eve' }])
  const again = await node([script, 'create-customer', 'Eve', 'eve@example.com', '--unlimited'], { STATE_DIR: other.stateDir })
  expect([again.code, again.err]).toEqual([1, expect.stringContaining('taken by customer 1 (Eve)')])
  await server.close()
  lock.release()
  await other.close()
})

test('without a terminal what cannot be undone needs --yes', async () => {
  expect(await admin('update-customer', '1', '--status', 'suspended')).toMatchObject({
    code: 2,
    out: '',
    err: expect.stringContaining('--yes is missing'),
  })
  expect((await admin('update-customer', '1', '--status', 'suspended', '--yes')).code).toBe(0)
})

test('a relative file is where the caller is', async () => {
  expect((await admin('export-usage', '1', '--output', 'all.csv')).code).toBe(0)
  expect(await readdir(stateDir)).toContain('all.csv')
})

test('an unknown command, or none, is a mistake', async () => {
  expect(await admin('frobnicate')).toMatchObject({ code: 2, out: '', err: expect.stringContaining("unknown command 'frobnicate'") })
  expect(await admin()).toMatchObject({ code: 2, out: '' })
})

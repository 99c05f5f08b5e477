// The doctor of a gateway on this machine: nothing there yet, one that runs, settings that are half filled, a port that is taken.
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { startTestGateway, type TestGateway } from '../../e2e/harness.ts'
import { doctor } from './command.ts'
import type { Level } from './finding.ts'

let project: string
let gateway: TestGateway

beforeAll(async () => {
  project = await mkdtemp(join(tmpdir(), 'gateway-doctor-'))
  gateway = await startTestGateway()
  await gateway.setPrice('*', { request: '0.0001' })
})
afterAll(async () => {
  await gateway.stop()
  await rm(project, { recursive: true, force: true })
})

async function examine(environment: Record<string, string>, args = ['--local', '--json'], devVars = '') {
  let out = ''
  await writeFile(join(project, '.dev.vars'), devVars)
  const code = await doctor(args, {
    out: (text) => {
      out += text
    },
    err() {},
    colour: false,
    project,
    directory: project,
    environment,
    settings: environment,
    resolve: () => Promise.reject(new Error('no name is asked for')),
    fetch,
    nowMs: Date.now,
    nodeVersion: process.versions.node,
  })
  return { code, out }
}

function checksIn(out: string): Record<string, [Level, string]> {
  const { checks } = JSON.parse(out) as { checks: { check: string; level: Level; text: string }[] }
  return Object.fromEntries(checks.map(({ check, level, text }) => [check, [level, text]]))
}

const here = (url: string) => ({ PORT: new URL(url).port, OLLAMA_BASE_URL: gateway.standIn.url, STATE_DIR: gateway.stateDir })

test('a gateway that runs is green, each dialect with a token that was metered', async () => {
  const { code, out } = await examine(here(gateway.url))
  expect(checksIn(out)).toMatchObject({
    node: ['ok', process.versions.node],
    gateway: ['ok', expect.stringContaining(gateway.url)],
    host: ['ok', expect.stringMatching(/version 0\.33\.0/)],
    database: ['ok', expect.stringMatching(/migrations are applied/)],
    ledger: ['warning', 'the ledger was never proved'],
    prices: ['ok', expect.stringMatching(/models on the host/)],
    key: ['ok', expect.stringMatching(/"Doctor"/)],
    tokens: ['ok', expect.stringMatching(/^all by /)],
  })
  expect(code).toBe(0)
  const rows = await gateway.db.prepare("SELECT dialect FROM usage WHERE outcome = 'completed' AND output_tokens = 1").all()
  expect(rows.results).toHaveLength(3)
})

test('for people it is a list with signs, and a sum', async () => {
  const { out } = await examine(here(gateway.url), ['--local'])
  expect(out).toMatch(/^✓ Node +\d/)
  expect(out).toMatch(/^! ledger +the ledger was never proved\n +→ npm run admin -- verify-ledger/m)
  expect(out).toMatch(/\n\d+ well, 1 to look at\.\n$/)
})

test('where nothing is yet: what to do about each, and the rest is skipped', async () => {
  const server = createServer((_, response) => response.end('another program'))
  await new Promise<void>((ready) => server.listen(0, '127.0.0.1', ready))
  const port = String((server.address() as AddressInfo).port)
  const { code, out } = await examine({ PORT: port, OLLAMA_BASE_URL: 'http://127.0.0.1:1', STATE_DIR: join(project, 'state') })
  server.close()
  expect(code).toBe(1)
  expect(checksIn(out)).toMatchObject({
    gateway: ['warning', expect.stringMatching(/^none runs on/)],
    host: ['error', expect.stringMatching(/127\.0\.0\.1:1/)],
    database: ['warning', 'there is no database yet'],
    prices: ['skipped', 'not looked at: schema comes first'],
    tokens: ['skipped', expect.any(String)],
  })
  expect(out).toMatch(new RegExp(`${port} is taken by another program`))
})

test('settings that are half filled are named, without what is in them', async () => {
  const { code, out } = await examine({ PORT: '1', STATE_DIR: join(project, 'state') }, undefined, 'CF_ACCESS_CLIENT_ID=swordfish.access\n')
  expect([code, checksIn(out).settings]).toEqual([1, ['error', expect.stringMatching(/CF_ACCESS_CLIENT_SECRET belong together/)]])
  expect(checksIn(out).gateway).toEqual(['skipped', 'not looked at: settings comes first'])
  expect(out).not.toContain('swordfish')
})

test('arguments that cannot be used, and a key file that is not there', async () => {
  expect((await examine({}, ['--nonsense'])).code).toBe(2)
  expect((await examine(here(gateway.url), ['--local', '--key-file', 'nowhere'])).code).toBe(1)
})

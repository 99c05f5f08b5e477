// The command of the traffic: what it refuses before anything is made, and how Ctrl-C ends it.
import { spawn } from 'node:child_process'
import { mkdir, mkdtemp, readdir, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { openDatabase } from '../database/open.ts'
import { PROJECT_ROOT } from '../start/project.ts'
import { traffic } from './command.ts'

let folder: string
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'gateway-traffic-'))
})
afterAll(() => rm(folder, { recursive: true, force: true }))

async function ran(...args: string[]) {
  let [out, err] = ['', '']
  const io = {
    out: (text: string) => {
      out += text
    },
    err: (text: string) => {
      err += text
    },
    directory: folder,
  }
  return { code: await traffic(args, io), out, err }
}

const thisMonth = new Date().toISOString().slice(0, 7)

test.for<[named: string, said: string, ...args: string[]]>([
  ['--month', 'is not over yet', '--month', thisMonth],
  ['--month', 'has not begun', '--month', '2999-01'],
  ['--month', 'YYYY-MM', '--month', '2026-13'],
  ['--month', 'YYYY-MM', '--month', '2026-02-30'],
  ['--requests', 'whole number', '--requests', '0'],
  ['--requests', 'whole number', '--requests', '20001'],
  ['--requests', 'whole number', '--requests', '1e3'],
  ['--seed', 'whole number', '--seed', '-1'],
  ['--sede', 'unknown option', '--sede', '1'],
  ['too many arguments', 'Expected 0', '2026-02'],
])('%s is refused: %s', async ([named, said, ...args]) => {
  const { code, out, err } = await ran('--state', 'refused', ...args)
  expect([code, out]).toEqual([2, ''])
  expect(err).toContain(named)
  expect(err).toContain(said)
  expect(await readdir(folder)).not.toContain('refused')
})

test('a folder that has a ledger is refused, and stays as it is', async () => {
  await mkdir(join(folder, 'used', 'v3'), { recursive: true })
  expect(await ran('--state', 'used', '--month', '2026-02')).toEqual({
    code: 1,
    out: '',
    err: `error: --state: ${join(folder, 'used')} has a ledger already. Name another folder, or remove that one if it was made by this command.\n`,
  })
  expect(await readdir(join(folder, 'used'))).toEqual(['v3'])
})

test('--help is no failure, and makes nothing', async () => {
  expect(await ran('--help')).toMatchObject({ code: 0, out: expect.stringContaining('--month <YYYY-MM>') })
})

test('Ctrl-C ends it in order: every request is settled, and what is there is said to be no whole month', {
  timeout: 120_000,
}, async () => {
  const state = join(folder, 'broken-off')
  const args = ['--disable-warning=ExperimentalWarning', 'scripts/traffic.ts', '--month', '2026-02', '--requests', '3000', '--state', state]
  const child = spawn(process.execPath, args, { cwd: PROJECT_ROOT, stdio: ['ignore', 'pipe', 'pipe'] })
  let said = ''
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding('utf8').on('data', (text: string) => {
      said += text
    })
  }
  const exit = new Promise<number | null>((resolve) => child.once('exit', resolve))
  await expect.poll(() => said, { timeout: 90_000 }).toMatch(/^2026-02-\d\d: \d+ requests so far/m)
  child.kill('SIGINT')
  expect(await exit).toBe(130)
  const [, asked] = /Broken off on 2026-02-\d\d after (\d+) requests; every one is settled\. The month in .* is not whole/.exec(said) ?? []
  expect(Number(asked)).toBeGreaterThan(0)
  const { db } = await openDatabase({ STATE_DIR: state }, { remote: false, onWait: () => {} })
  try {
    expect(await db.all('SELECT count(*) AS holds FROM holds')).toEqual([{ holds: 0 }])
    const [{ rows } = { rows: 0 }] = await db.all('SELECT count(*) AS rows FROM usage')
    expect(Number(rows)).toBeGreaterThan(0)
    expect(Number(rows)).toBeLessThanOrEqual(Number(asked))
  } finally {
    await db.close()
  }
  expect((await ran('--state', 'broken-off', '--month', '2026-02')).code).toBe(1)
})

// The whole bench with few requests: that it runs and finds a figure for everything, not which.
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, readdir } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { PROJECT_ROOT } from '../start/project.ts'
import { type Effort, effortOf } from './effort.ts'
import { measure } from './measure.ts'
import { readOptions } from './options.ts'
import { asText } from './print.ts'

const nothing = () => {}
const silent = { say: nothing, note: nothing, stop: nothing }

const tiny: Effort = {
  ...effortOf({ quick: true, rounds: 1 }),
  requests: { 1: 4, 2: 8, 4: 8, 8: 16, 16: 32, 32: 64, 64: 128 },
  runMs: 60_000,
  pacedTokens: 20,
  memoryStreams: 1000,
  stallMs: 500,
  manyRows: 1000,
  starts: 1,
}

test('a run finds a figure for every place', async () => {
  const stateDir = await mkdtemp(join(tmpdir(), 'bench-test-'))
  const args = ['--quick', '--only', 'load,paced,paid,rows,size', '--no-write', '--state-dir', stateDir]
  const results = await measure(readOptions(args, nothing, nothing, '/'), tiny, silent)

  expect(results.failures).toEqual([])
  expect(results.load).toHaveLength(4 * (7 + 3))
  expect(results.paced?.map(({ subject }) => subject)).toEqual([
    'direct',
    'pass-through',
    'floor',
    'gateway, ungrouped',
    'gateway',
    'gateway, usage taken out',
  ])
  const ways = ['direct', "local, no vendor's key", 'local', 'paid', 'local, usage taken out', 'paid, usage taken out']
  expect(results.paid?.load.map(({ subject }) => subject)).toEqual([...ways, ...ways, ...ways])
  expect(results.paid?.paced.map(({ subject }) => subject)).toEqual(ways)
  const { load, paced, paid, rows, size } = results
  for (const row of [...(load ?? []), ...(paced ?? []), ...(paid?.load ?? []), ...(paid?.paced ?? []), ...(rows ?? []), size ?? {}]) {
    for (const [name, value] of Object.entries(row)) {
      // Linux alone tells what a process cost; between the direct callers and the host there is none.
      if (name.startsWith('cpu') && (process.platform !== 'linux' || ('subject' in row && row.subject === 'direct'))) continue
      if (typeof value === 'number') expect(value, `${name} of ${JSON.stringify(row)}`).toSatisfy(Number.isFinite)
    }
  }
  // A dash is for the direct callers alone: nothing is added, and there is no process.
  const dashes = asText(results)
    .split('\n')
    .filter((line) => line.includes('–'))
  if (process.platform === 'linux') expect(dashes.filter((line) => !/^direct|p99 − p50/.test(line))).toEqual([])
  expect(await readdir(stateDir)).toEqual([])
})

test('Ctrl-C ends the bench with its processes, and nothing is left behind', async () => {
  const stateDir = await mkdtemp(join(tmpdir(), 'bench-test-'))
  const child = spawn(process.execPath, [join(PROJECT_ROOT, 'scripts', 'bench.ts'), '--only', 'load', '--state-dir', stateDir], {
    stdio: ['ignore', 'ignore', 'pipe'],
  })
  const exit = once(child, 'exit')
  let said = ''
  child.stderr.on('data', (chunk) => {
    said += chunk
  })
  await expect.poll(() => said, { timeout: 90_000 }).toContain('load, ')
  child.kill('SIGINT')
  expect((await exit)[0]).toBe(130)
  expect(await readdir(stateDir)).toEqual([])
})

test('a process that is not there is told by the name of its option', async () => {
  const stateDir = await mkdtemp(join(tmpdir(), 'bench-test-'))
  const args = ['--against', 'http://127.0.0.1:1', '--pid', '99999999', '--state-dir', stateDir]
  await expect(measure(readOptions(args, nothing, nothing, '/'), tiny, silent)).rejects.toThrow('--pid 99999999: there is no such process')
  expect(await readdir(stateDir)).toEqual([])
})

test('a value that cannot be used is one line on standard error, and exit code 2', async () => {
  const child = spawn(process.execPath, [join(PROJECT_ROOT, 'scripts', 'bench.ts'), '--rounds', 'x'], {
    stdio: ['ignore', 'ignore', 'pipe'],
  })
  let said = ''
  child.stderr.on('data', (chunk) => {
    said += chunk
  })
  expect((await once(child, 'close'))[0]).toBe(2)
  expect(said).toMatch(/^error: option '--rounds <n>' argument 'x' is invalid\. .*\n$/)
})

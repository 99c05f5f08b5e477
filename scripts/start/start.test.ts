// `npm start` as a person meets it: a process with its output, its signals and its exit code.
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { PROJECT_ROOT } from './project.ts'

interface Started {
  child: ChildProcess
  /** All that was printed so far. */
  output(): string
  exit: Promise<number | null>
}

let stateDir: string
let children: ChildProcess[]

beforeEach(async () => {
  stateDir = await mkdtemp(join(tmpdir(), 'start-test-'))
  children = []
})

afterEach(async () => {
  for (const child of children) child.kill('SIGKILL')
  await rm(stateDir, { recursive: true, maxRetries: 5 })
})

function start(environment: Record<string, string> = {}): Started {
  const child = spawn(process.execPath, [join(PROJECT_ROOT, 'scripts', 'start.ts')], {
    cwd: PROJECT_ROOT,
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { PATH: process.env.PATH, HOME: process.env.HOME, STATE_DIR: stateDir, PORT: '0', STAND_IN: '1', ...environment },
  })
  children.push(child)
  let output = ''
  for (const stream of [child.stdout, child.stderr]) {
    stream?.on('data', (chunk) => {
      output += chunk
    })
  }
  return { child, output: () => output, exit: once(child, 'exit').then(([code]) => code) }
}

const printed = (started: Started, text: string) => expect.poll(started.output, { timeout: 90_000 }).toContain(text)

/** What the printed curl line does. */
async function callAsPrinted(started: Started): Promise<Response> {
  await printed(started, 'Ctrl-C stops it.')
  const [, url = '', key = '', body = ''] = /curl -N (\S+) -H 'Authorization: Bearer (\w+)' -d '(.*)'/.exec(started.output()) ?? []
  return fetch(url, { method: 'POST', headers: { authorization: `Bearer ${key}` }, body })
}

test('the printed call works, and SIGTERM lets it end and exits with 0', async () => {
  const started = start()
  const answer = await callAsPrinted(started)
  expect(answer.status).toBe(200)
  started.child.kill('SIGTERM')
  await printed(started, '1 request still running, cut off in 5 s.')
  await answer.body?.cancel()
  expect(await started.exit).toBe(0)
  expect(started.output()).toContain('abandoned (hung_up, 200)')
  expect(started.output()).toContain('Stopped; every request is settled.')
})

test('a second Ctrl-C ends at once; the next start settles what was left and prints the same key', async () => {
  const first = start()
  const answer = await callAsPrinted(first)
  const broken = expect(answer.text()).rejects.toThrow()
  first.child.kill('SIGINT')
  await printed(first, 'still running')
  // Two signals at one moment are one Ctrl-C that came twice.
  await new Promise((resolve) => setTimeout(resolve, 300))
  first.child.kill('SIGINT')
  expect(await first.exit).toBe(130)
  await broken
  const second = start()
  await printed(second, 'Ctrl-C stops it.')
  expect(second.output()).toContain('1 request of an earlier run had not ended; settled now.')
  const key = /Bearer (\w+)/
  expect(key.exec(second.output())?.[1]).toBe(key.exec(first.output())?.[1])
  second.child.kill('SIGINT')
  expect(await second.exit).toBe(0)
})

test('a setting that makes no sense is told, with exit code 2', async () => {
  const started = start({ PORT: 'http' })
  expect(await started.exit).toBe(2)
  expect(started.output()).toBe('PORT=http: it has to be a whole number from 0 to 65535.\n')
})

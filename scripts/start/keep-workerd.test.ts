import { type ChildProcess, spawn } from 'node:child_process'
import { subscribe } from 'node:diagnostics_channel'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline/promises'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { openRuntime } from './runtime.ts'

const WORKER = "export default { fetch: () => new Response('alive') }"

let stateDir: string
let owner: ChildProcess | null = null

beforeEach(async () => {
  stateDir = await mkdtemp(join(tmpdir(), 'workerd-test-'))
})

afterEach(async () => {
  owner?.kill('SIGKILL')
  owner = null
  await rm(stateDir, { recursive: true })
})

/** Starts workerd in a process of its own, with a process group of its own as a terminal would give it; returns workerd's port. */
async function startOwner(): Promise<number> {
  const script = `
    import { openRuntime } from ${JSON.stringify(join(import.meta.dirname, 'runtime.ts'))}
    process.on('SIGINT', () => console.log('interrupted'))
    const bundle = { path: ${JSON.stringify(join(stateDir, 'index.js'))}, contents: ${JSON.stringify(WORKER)} }
    const { port } = await openRuntime({ bundle, stateDir: ${JSON.stringify(stateDir)}, vars: {}, onLog() {}, onRestart() {} })
    console.log(port)`
  const path = join(stateDir, 'owner.mjs')
  await writeFile(path, script)
  owner = spawn(process.execPath, [path], { detached: true, stdio: ['ignore', 'pipe', 'inherit'] })
  return Number(await nextLine())
}

async function nextLine(): Promise<string> {
  const lines = createInterface({ input: owner?.stdout as NodeJS.ReadableStream })
  const line = await new Promise<string>((resolve) => lines.once('line', resolve))
  lines.close()
  return line
}

const alive = (port: number) =>
  fetch(`http://127.0.0.1:${port}`).then(
    (response) => response.text(),
    () => 'gone',
  )

test("a terminal's Ctrl-C, which goes to the whole process group, does not reach workerd", async () => {
  const port = await startOwner()
  process.kill(-(owner?.pid as number), 'SIGINT')
  expect(await nextLine()).toBe('interrupted')
  expect(await alive(port)).toBe('alive')
})

test('workerd ends when its owner is killed outright', async () => {
  const port = await startOwner()
  expect(await alive(port)).toBe('alive')
  owner?.kill('SIGKILL')
  await expect.poll(() => alive(port)).toBe('gone')
})

test('a workerd that dies is started again on the same port, and the database stays usable', async () => {
  const pids: (number | undefined)[] = []
  subscribe('child_process', (message) => {
    const { process: child } = message as { process: ChildProcess }
    child.once('spawn', () => child.spawnargs.includes('--control-fd=3') && pids.push(child.pid))
  })
  const restarted = Promise.withResolvers<void>()
  const bundle = { path: join(stateDir, 'index.js'), contents: WORKER }
  const runtime = await openRuntime({ bundle, stateDir, vars: {}, onLog: () => {}, onRestart: restarted.resolve })
  await runtime.db.exec('CREATE TABLE t (x)')
  process.kill(pids[0] as number, 'SIGKILL')
  await restarted.promise
  expect(await alive(runtime.port)).toBe('alive')
  expect(await runtime.db.prepare('SELECT count(*) AS n FROM t').first('n')).toBe(0)
  await runtime.dispose()
  expect(await alive(runtime.port)).toBe('gone')
})

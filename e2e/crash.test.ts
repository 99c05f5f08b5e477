// The power goes in the middle of a stream: what was delivered by the last checkpoint is billed, once, and nothing is left hanging.
import { execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { mkdtemp, readFile } from 'node:fs/promises'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { expect, test } from 'vitest'
import { startTestGateway } from './harness.ts'
import { expectProved, usageOf } from './ledger.ts'
import { streamingCall } from './streaming-call.ts'

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const address = server.address()
  server.close()
  await once(server, 'close')
  return typeof address === 'object' && address !== null ? address.port : 0
}

/** `npm start` on its own, with the stand-in at the pace it was recorded at. Resolves once it serves. */
async function npmStart(stateDir: string, port: number) {
  const child = spawn(process.execPath, ['--disable-warning=ExperimentalWarning', 'scripts/start.ts'], {
    env: { ...process.env, PORT: String(port), STATE_DIR: stateDir, STAND_IN: '1', CHECKPOINT_SECONDS: '1', NO_COLOR: '1' },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  const lines: string[] = []
  const serving = Promise.withResolvers<void>()
  for (const stream of [child.stdout, child.stderr]) {
    createInterface({ input: stream }).on('line', (line) => {
      lines.push(line)
      if (line.startsWith('Ctrl-C stops it')) serving.resolve()
    })
  }
  child.on('exit', () => serving.reject(new Error(`it ended:\n${lines.join('\n')}`)))
  await serving.promise
  return { child, lines }
}

/** Stops a process's workerd where it is: it shall not settle anything when it sees its callers go. */
function freezeWorkerd(parent: number): void {
  const workerd = processes().find(({ ppid, command }) => ppid === parent && command.endsWith('workerd'))
  if (workerd === undefined) throw new Error(`no workerd of process ${parent}`)
  process.kill(workerd.pid, 'SIGSTOP')
}

/** All processes: from /proc, or by `ps` where there is none. */
function processes(): { pid: number; ppid: number; command: string }[] {
  const lines = existsSync('/proc/self/stat')
    ? readdirSync('/proc').flatMap((name) => {
        if (!/^\d+$/.test(name)) return []
        const stat = /^(\d+) \((.*)\) \S+ (\d+)/.exec(readProc(`/proc/${name}/stat`))
        return stat === null ? [] : [`${stat[1]} ${stat[3]} ${stat[2]}`]
      })
    : execFileSync('ps', ['-A', '-o', 'pid=,ppid=,comm='], { encoding: 'utf8' }).split('\n')
  return lines.map((line) => {
    const [pid, ppid, ...command] = line.trim().split(/\s+/)
    return { pid: Number(pid), ppid: Number(ppid), command: command.join(' ') }
  })
}

function readProc(path: string): string {
  try {
    return readFileSync(path, 'utf8')
  } catch {
    return '' // it has ended meanwhile
  }
}

const messages = [{ role: 'user', content: 'Tell me a long story.' }]

test('kill -9 in the middle of a stream, and a restart: the hold is settled at its checkpoint, and the ledger is proved', {
  timeout: 120_000,
}, async () => {
  const stateDir = await mkdtemp(join(tmpdir(), 'gateway-crash-'))
  const port = await freePort()
  const { child } = await npmStart(stateDir, port)
  const key = (await readFile(join(stateDir, 'demo-key'), 'utf8')).trim()
  const call = streamingCall(`http://127.0.0.1:${port}`, '/api/chat', key, {
    model: 'gemma3:270m',
    messages,
    options: { num_predict: 400 },
  })
  // 15 ms a token: the checkpoint at 1 s is behind.
  await call.frames(150, '\n')
  freezeWorkerd(child.pid ?? 0)
  child.kill('SIGKILL')
  await once(child, 'exit')
  expect(await call.ended).toBe(false)

  const gateway = await startTestGateway({ stateDir })
  expect(gateway.recovered).toBe(1)
  const [row] = await usageOf(gateway.db, 1)
  expect(row).toMatchObject({ outcome: 'expired', estimated: 1 })
  // A checkpoint at an age of a second: some dozens of tokens of the 150 that were delivered.
  expect(row?.output_tokens).toBeGreaterThan(20)
  expect(row?.cost_nano).toBeGreaterThan(100_000)
  await expectProved(gateway.db)
  await gateway.stop()
})

test('Ctrl-C settles what is running, leaves nothing in flight, and a second start goes on', { timeout: 120_000 }, async () => {
  const stateDir = await mkdtemp(join(tmpdir(), 'gateway-stop-'))
  const port = await freePort()
  const { child, lines } = await npmStart(stateDir, port)
  const key = (await readFile(join(stateDir, 'demo-key'), 'utf8')).trim()
  const body = { model: 'gemma3:270m', messages, options: { num_predict: 400 } }
  const call = streamingCall(`http://127.0.0.1:${port}`, '/api/chat', key, body)
  await call.frames(10, '\n')
  child.kill('SIGINT')
  const [code] = await once(child, 'exit')
  expect([code, lines.at(-1)]).toEqual([0, 'Stopped; every request is settled.'])

  const again = await npmStart(stateDir, port)
  expect((await readFile(join(stateDir, 'demo-key'), 'utf8')).trim()).toBe(key)
  const response = await fetch(`http://127.0.0.1:${port}/account/usage`, { headers: { authorization: `Bearer ${key}` } })
  expect(await response.json()).toMatchObject({ models: [{ model: 'gemma3:270m', requests: 1 }] })
  again.child.kill('SIGTERM')
  expect((await once(again.child, 'exit'))[0]).toBe(0)
})

import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { lockDatabase, tryLockDatabase } from './lock.ts'

let stateDir: string
beforeEach(async () => {
  stateDir = await mkdtemp(join(tmpdir(), 'lock-'))
})
afterEach(() => rm(stateDir, { recursive: true, force: true }))

/** A process that takes the lock and then waits. */
async function holder() {
  const script = `import { tryLockDatabase } from ${JSON.stringify(join(import.meta.dirname, 'lock.ts'))}
    tryLockDatabase(${JSON.stringify(stateDir)}); console.log('has it'); setInterval(() => {}, 1000)`
  const child = spawn(process.execPath, ['--input-type=module-typescript', '-e', script], { stdio: ['ignore', 'pipe', 'inherit'] })
  await once(child.stdout, 'data')
  return child
}

test('one at a time has the lock, and releasing it twice is no harm to the next', async () => {
  const first = await lockDatabase(stateDir)
  expect(tryLockDatabase(stateDir)).toBeNull()
  first.release()
  const second = tryLockDatabase(stateDir)
  first.release()
  expect(second).not.toBeNull()
  expect(tryLockDatabase(stateDir)).toBeNull()
  second?.release()
})

test('who waits gets it as soon as it is free', async () => {
  const first = await lockDatabase(stateDir)
  setTimeout(() => first.release(), 300)
  const second = await lockDatabase(stateDir, { waitMs: 5000 })
  second.release()
})

test('ten that wait get it one after the other', async () => {
  let inside = 0
  const turn = async () => {
    const lock = await lockDatabase(stateDir)
    expect(++inside).toBe(1)
    await new Promise((resolve) => setTimeout(resolve, 20))
    inside--
    lock.release()
  }
  await Promise.all(Array.from({ length: 10 }, turn))
})

test('a wait is told after two seconds, with whom it is for, and given up in time', async () => {
  const child = await holder()
  const said: string[] = []
  const failure = await lockDatabase(stateDir, { waitMs: 2500, onWait: (message) => said.push(message) }).catch((error) => error)
  expect(said).toEqual([`The database in ${stateDir} is in use by process ${child.pid}: waiting for up to 3 s …`])
  expect(failure).toMatchObject({
    name: 'DatabaseError',
    message: `The database in ${stateDir} is in use by process ${child.pid}: end that one, or try again when it has ended.`,
  })
  child.kill('SIGKILL')
})

test('the lock of a process that was killed is free at once', async () => {
  const child = await holder()
  expect(tryLockDatabase(stateDir)).toBeNull()
  child.kill('SIGKILL')
  await once(child, 'exit')
  const lock = tryLockDatabase(stateDir)
  expect(lock).not.toBeNull()
  lock?.release()
})

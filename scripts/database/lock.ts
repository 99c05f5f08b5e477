// One process at a time on a local database: two on one D1 lock each other out, and a customer's request would fail because a command runs.
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { setTimeout as sleep } from 'node:timers/promises'
import { DatabaseError } from './database.ts'

export interface DatabaseLock {
  /** May be called more than once. */
  release(): void
}

export interface Patience {
  /** Hears once what is being waited for, after two seconds. */
  onWait?(message: string): void
  /** When to give up, milliseconds. */
  waitMs?: number
}

const SAY_AFTER_MS = 2_000
const WAIT_MS = 30_000
const LOOK_EVERY_MS = 100

/** A lock that is garbage is a lock released. */
const held = new Set<DatabaseSync>()

/**
 * Waits for the lock on the database in `stateDir` and takes it. Throws DatabaseError when it gave up, after 30 s unless told otherwise.
 * The lock is SQLite's own on the file `database.lock`: the system frees it when its holder dies, however that happens, so it is never stale.
 */
export function lockDatabase(stateDir: string, patience: Patience = {}): Promise<DatabaseLock> {
  return waitForDatabase(stateDir, async () => tryLockDatabase(stateDir), patience)
}

/** The lock if it is free, else null. */
export function tryLockDatabase(stateDir: string): DatabaseLock | null {
  mkdirSync(stateDir, { recursive: true })
  const lock = new DatabaseSync(join(stateDir, 'database.lock'))
  try {
    lock.exec('PRAGMA busy_timeout = 0; PRAGMA journal_mode = OFF; BEGIN IMMEDIATE')
  } catch (error) {
    lock.close()
    if ((error as { errcode?: number }).errcode === SQLITE_BUSY) return null
    throw error
  }
  held.add(lock)
  writeFileSync(holderPath(stateDir), String(process.pid))
  return {
    release() {
      if (held.delete(lock)) lock.close()
    },
  }
}

const SQLITE_BUSY = 5

/** Asks `attempt` again and again until it gives something. Throws DatabaseError when it gave up. */
export async function waitForDatabase<T>(stateDir: string, attempt: () => Promise<T | null>, patience: Patience): Promise<T> {
  const { onWait = () => {}, waitMs = WAIT_MS } = patience
  const startedMs = performance.now()
  let said = false
  for (;;) {
    const got = await attempt()
    if (got !== null) return got
    const waitedMs = performance.now() - startedMs
    const inUse = `The database in ${stateDir} is in use by ${holder(stateDir)}`
    if (waitedMs >= waitMs) throw new DatabaseError(`${inUse}: end that one, or try again when it has ended.`)
    if (!said && waitedMs >= SAY_AFTER_MS) {
      said = true
      onWait(`${inUse}: waiting for up to ${Math.round(waitMs / 1000)} s …`)
    }
    await sleep(LOOK_EVERY_MS)
  }
}

function holderPath(stateDir: string): string {
  return join(stateDir, 'database.lock.pid')
}

/** Only for people: who holds the lock is decided by the lock. */
function holder(stateDir: string): string {
  try {
    return `process ${readFileSync(holderPath(stateDir), 'utf8')}`
  } catch {
    return 'another process'
  }
}

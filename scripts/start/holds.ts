// Requests in flight, as the database has them.
import { setTimeout as sleep } from 'node:timers/promises'

const LOOK_EVERY_MS = 100

export async function countHolds(db: D1Database): Promise<number> {
  return (await db.prepare('SELECT count(*) AS n FROM holds').first<number>('n')) ?? 0
}

/**
 * Waits until nothing is in flight: two looks in a row, since a request may be on its way in at the first. Returns how many are left after `withinMs`.
 * `onWait` hears of every look that found some, and how long it will be waited for.
 */
export async function waitForHolds(db: D1Database, withinMs: number, onWait: (running: number, leftMs: number) => void): Promise<number> {
  const until = performance.now() + withinMs
  let before = -1
  for (;;) {
    const running = await countHolds(db)
    if (running === 0 && before === 0) return 0
    const leftMs = until - performance.now()
    if (leftMs <= 0) return running
    if (running > 0) onWait(running, leftMs)
    before = running
    await sleep(LOOK_EVERY_MS)
  }
}

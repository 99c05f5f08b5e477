// What is told while something takes its time.
import type { StopOptions } from './gateway.ts'

const SLOW_MS = 2000

/** Waits for `work`; says what is being waited for if it takes over two seconds. */
export async function sayIfSlow<T>(what: string, work: Promise<T>): Promise<T> {
  const timer = setTimeout(() => console.error(`${what} …`), SLOW_MS)
  try {
    return await work
  } finally {
    clearTimeout(timer)
  }
}

/** Tells how a stop goes on: at once when the count or the phase has changed, and every two seconds otherwise. */
export function stopProgress(print: (line: string) => void): NonNullable<StopOptions['onWait']> {
  let said = ''
  let saidLeftMs = 0
  return (running, phase, leftMs) => {
    const what = `${running} ${phase}`
    if (what === said && saidLeftMs - leftMs < SLOW_MS) return
    said = what
    saidLeftMs = leftMs
    const requests = running === 1 ? '1 request' : `${running} requests`
    const seconds = `${Math.ceil(leftMs / 1000)} s`
    print(
      phase === 'grace'
        ? `${requests} still running, cut off in ${seconds}. Ctrl-C again ends at once.`
        : `${requests} cut off, being settled (${seconds} at most) …`,
    )
  }
}

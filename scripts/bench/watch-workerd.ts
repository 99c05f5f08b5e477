// Which process the next workerd is, and when it was started: Miniflare starts it and says neither.
import type { ChildProcess } from 'node:child_process'
import { subscribe, unsubscribe } from 'node:diagnostics_channel'

const SPAWN = 'tracing:child_process.spawn:start'

export interface WatchedWorkerd {
  /** 0 before it runs. */
  pid(): number
  /** By `performance.now()`; NaN before it is started. */
  startedMs(): number
}

/** Call it before the Miniflare. */
export function watchWorkerd(): WatchedWorkerd {
  let workerd: ChildProcess | null = null
  let startedMs = Number.NaN
  const onSpawn = (message: unknown) => {
    const { process: child, options } = message as { process: ChildProcess; options: { args?: string[] } }
    if (!options.args?.includes('--control-fd=3')) return
    workerd = child
    startedMs = performance.now()
    unsubscribe(SPAWN, onSpawn)
  }
  subscribe(SPAWN, onSpawn)
  return { pid: () => workerd?.pid ?? 0, startedMs: () => startedMs }
}

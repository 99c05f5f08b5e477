// Keeps workerd out of the terminal's reach, and never lets it outlive this process. Miniflare starts it, and offers neither.
import { type ChildProcess, spawn } from 'node:child_process'
import { subscribe } from 'node:diagnostics_channel'
import type { Socket } from 'node:net'

interface Spawning {
  process: ChildProcess
  options: { args?: string[]; detached?: boolean }
}

let watching = false

/**
 * From now on every workerd that Miniflare starts (again, after a crash) gets
 * - a process group of its own: a terminal's Ctrl-C goes to the whole group, and workerd still has to settle what is running;
 * - a watchdog: when this process is killed outright, nobody else would end workerd, and it would hold the database for ever.
 */
export function keepWorkerd(): void {
  if (watching) return
  watching = true
  subscribe('tracing:child_process.spawn:start', (message) => {
    const { process: child, options } = message as Spawning
    if (!options.args?.includes('--control-fd=3')) return
    options.detached = true
    child.once('spawn', () => guard(child))
  })
}

/** A shell that waits for the end of its input, which comes even when this process is killed: without a word before, it ends workerd. */
function guard(workerd: ChildProcess): void {
  if (process.platform === 'win32') return
  const watchdog = spawn('/bin/sh', ['-c', 'read -r gone || kill -9 "$1"', 'workerd-watchdog', String(workerd.pid)], {
    stdio: ['pipe', 'ignore', 'ignore'],
    detached: true,
  })
  watchdog.on('error', () => {})
  watchdog.stdin?.on('error', () => {})
  workerd.once('exit', () => watchdog.stdin?.end('gone\n'))
  ;(watchdog.stdin as Socket).unref()
  watchdog.unref()
}

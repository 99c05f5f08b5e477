// The bench's other processes: the host, and the callers, each with a processor of its own where there is one.
import { type ChildProcess, fork } from 'node:child_process'
import { join } from 'node:path'
import type { Job, Outcome } from './caller.ts'

/** They end when this process does: the channel between them closes. */
function start(file: string, args: string[] = []): ChildProcess {
  return fork(join(import.meta.dirname, file), args, { execArgv: [], stdio: ['ignore', 'inherit', 'inherit', 'ipc'] })
}

/** The child's next message. Throws when it ends without one. */
function answer<T>(child: ChildProcess): Promise<T> {
  return new Promise((resolve, reject) => {
    const onExit = () => reject(new Error(`a process of the bench ended by itself: ${child.spawnargs.at(1)}`))
    child.once('exit', onExit)
    child.once('message', (message) => {
      child.off('exit', onExit)
      resolve(message as T)
    })
  })
}

export interface BenchHost {
  origin: string
  close(): void
}

/** `port` 0: any free one. Throws where it is taken. */
export async function startHost(port: number): Promise<BenchHost> {
  const child = start('host.ts', [String(port)])
  const listening = await answer<{ port: number } | { error: string }>(child)
  if ('port' in listening) return { origin: `http://127.0.0.1:${listening.port}`, close: () => void child.kill() }
  child.kill()
  throw new Error(`--host-port ${port} cannot be used: ${listening.error}`)
}

export interface Callers {
  /** One job at a time. */
  run(job: Job): Promise<Outcome>
  close(): void
}

export async function startCallers(): Promise<Callers> {
  const child = start('caller.ts')
  await answer(child)
  return {
    run(job) {
      child.send(job)
      return answer<Outcome>(child)
    },
    close: () => void child.kill(),
  }
}

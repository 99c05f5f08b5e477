// What stands while the bench runs: the host, the callers, the bundled Worker, and a folder for databases.
import { rmSync } from 'node:fs'
import { mkdir, mkdtemp, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { type Bundle, bundleWorker } from '../start/bundle.ts'
import { type BenchHost, type Callers, startCallers, startHost } from './children.ts'
import type { Effort } from './effort.ts'
import type { Options } from './options.ts'
import { awaitPeer, peerSubject } from './peer.ts'
import type { Progress } from './progress.ts'
import type { Subject } from './subjects.ts'

/** Requests that did not end with 200: they count for nothing else. */
export interface Failures {
  what: string
  count: number
  first: string
}

export interface Stage {
  effort: Effort
  progress: Progress
  host: BenchHost
  callers: Callers
  bundle: Bundle
  peer: Subject | null
  failures: Failures[]
  /** A fresh folder for one database. */
  directory(): Promise<string>
}

/** Opens the stage, runs `measure` on it, and leaves nothing behind, also when this process is ended in between. */
export async function onStage<T>(options: Options, effort: Effort, progress: Progress, measure: (stage: Stage) => Promise<T>): Promise<T> {
  await mkdir(options.stateDir, { recursive: true })
  const stateDir = await mkdtemp(join(options.stateDir, 'gateway-bench-'))
  const removeAtExit = () => rmSync(stateDir, { recursive: true, force: true, maxRetries: 5 })
  process.once('exit', removeAtExit)
  const closers: (() => unknown)[] = [
    () => process.off('exit', removeAtExit),
    () => rm(stateDir, { recursive: true, force: true, maxRetries: 5 }),
  ]
  try {
    const host = await startHost(options.hostPort)
    closers.push(host.close)
    const callers = await startCallers()
    closers.push(callers.close)
    const peer = options.peer === null ? null : peerSubject(options.peer)
    if (peer !== null) {
      progress.note(`The bench's host is at ${host.origin}; waiting for ${peer.origin} to answer from it …`)
      await awaitPeer(peer, host.origin)
    }
    progress.say('bundling the Worker')
    const bundle = await bundleWorker(join(stateDir, 'bundle'))
    const directory = () => mkdtemp(join(stateDir, 'subject-'))
    return await measure({ effort, progress, host, callers, bundle, peer, failures: [], directory })
  } finally {
    for (const close of closers.reverse()) await close()
  }
}

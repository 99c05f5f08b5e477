// `npm run setup`: from an empty Cloudflare account to a gateway in it. docs/setup.md
import { setTimeout as sleep } from 'node:timers/promises'
import { publicFetch } from './cloudflare/public-fetch.ts'
import { deployFromSetup } from './deploy/from-setup.ts'
import { runSetup } from './setup/program.ts'
import { terminalAsk } from './setup/terminal.ts'
import { environmentOverDevVars } from './start/environment.ts'
import { PROJECT_ROOT } from './start/project.ts'
import { abortOnStopSignal } from './start/signals.ts'
import { onReaderGone } from './start/standard-output.ts'

const environment = environmentOverDevVars()
const stop = abortOnStopSignal(() => console.error('Stopping after this call … (Ctrl-C again ends at once)'))
// What it makes is never left between a call and its note.
onReaderGone(() => stop.abort())
/** A stand-in of the API without one of the edge: nothing of what was made is to be seen. */
const edgeIsThere = !environment.CLOUDFLARE_API_BASE_URL || environment.CLOUDFLARE_EDGE_URL

const deploy = deployFromSetup({
  directory: PROJECT_ROOT,
  environment,
  say: (line) => console.log(line),
  signal: stop.signal,
})

process.exitCode = await runSetup(process.argv.slice(2), {
  out: (line) => console.log(line),
  err: (line) => console.error(line),
  ask: process.stdin.isTTY ? terminalAsk(stop.signal) : null,
  directory: PROJECT_ROOT,
  environment,
  signal: stop.signal,
  sleep: (ms) => sleep(ms, undefined, { signal: stop.signal }).catch(() => {}),
  publicFetch: edgeIsThere ? publicFetch(environment) : null,
  // Without an edge nobody sees whether it answers: the owner is told to run `npm run deploy`.
  deployWorker: edgeIsThere ? deploy : null,
})

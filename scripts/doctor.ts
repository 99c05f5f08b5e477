// `npm run doctor`: looks at everything that a gateway needs, here or deployed, and says what is wrong and what helps.
import { lookup } from 'node:dns/promises'
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { parseEnv } from 'node:util'
import { doctor } from './doctor/command.ts'
import { PROJECT_ROOT } from './start/project.ts'
import { onReaderGone } from './start/standard-output.ts'

const devVars = join(PROJECT_ROOT, '.dev.vars')
// An empty variable is one that was not set.
const environment = Object.fromEntries(Object.entries(process.env).filter(([, value]) => value !== ''))
const edge = environment.CLOUDFLARE_EDGE_URL

onReaderGone()
process.exitCode = await doctor(process.argv.slice(2), {
  out: (text) => void process.stdout.write(text),
  err: (text) => void process.stderr.write(text),
  colour: process.stdout.isTTY === true && !environment.NO_COLOR && environment.TERM !== 'dumb',
  project: PROJECT_ROOT,
  directory: environment.INIT_CWD ?? process.cwd(),
  environment,
  settings: { ...(existsSync(devVars) ? parseEnv(readFileSync(devVars, 'utf8')) : {}), ...environment },
  // A stand-in for the edge is asked for every name: they are all where it is.
  resolve: async (name) => (edge ? [new URL(edge).hostname] : (await lookup(name, { all: true })).map(({ address }) => address)),
  fetch,
  nowMs: Date.now,
  nodeVersion: process.versions.node,
})

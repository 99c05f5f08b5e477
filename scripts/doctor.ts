// `npm run doctor`: looks at everything that a gateway needs, here or deployed, and says what is wrong and what helps.
import { lookup } from 'node:dns/promises'
import { doctor } from './doctor/command.ts'
import { environmentOverDevVars, withoutEmpty } from './start/environment.ts'
import { PROJECT_ROOT } from './start/project.ts'
import { onReaderGone } from './start/standard-output.ts'

const environment = withoutEmpty(process.env)
const edge = environment.CLOUDFLARE_EDGE_URL

onReaderGone()
process.exitCode = await doctor(process.argv.slice(2), {
  out: (text) => void process.stdout.write(text),
  err: (text) => void process.stderr.write(text),
  colour: process.stdout.isTTY === true && !environment.NO_COLOR && environment.TERM !== 'dumb',
  project: PROJECT_ROOT,
  directory: environment.INIT_CWD ?? process.cwd(),
  environment,
  settings: environmentOverDevVars(),
  // A stand-in for the edge is asked for every name: they are all where it is.
  resolve: async (name) => (edge ? [new URL(edge).hostname] : (await lookup(name, { all: true })).map(({ address }) => address)),
  fetch,
  nowMs: Date.now,
  nodeVersion: process.versions.node,
})

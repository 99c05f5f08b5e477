// npm run traffic: a month of traffic through the real gateway, into a ledger of its own. docs/operations.md walks through it.
import { onReaderGone } from './start/standard-output.ts'
import { traffic } from './traffic/command.ts'

onReaderGone()
process.exitCode = await traffic(process.argv.slice(2), {
  out: (text) => void process.stdout.write(text),
  err: (text) => void process.stderr.write(text),
  directory: process.env.INIT_CWD ?? process.cwd(),
})

// `npm run admin -- <command>`: the operator's command line.
import { runAdmin } from './admin/program.ts'
import { terminalIo } from './admin/terminal-io.ts'

process.exitCode = await runAdmin(process.argv.slice(2), terminalIo())

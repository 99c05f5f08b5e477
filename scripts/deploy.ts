// `npm run deploy` and `npm run upgrade`: the first argument is which.
import { terminalIo } from './admin/terminal-io.ts'
import { runDeploy } from './deploy/program.ts'
import { PROJECT_ROOT } from './start/project.ts'

const [kind, ...args] = process.argv.slice(2)
process.exitCode = await runDeploy(kind === 'upgrade' ? 'upgrade' : 'deploy', args, terminalIo(), PROJECT_ROOT)

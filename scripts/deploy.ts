// `npm run deploy` and `npm run upgrade`: the first argument is which.
import { terminalIo } from './admin/terminal-io.ts'
import { runDeploy } from './deploy/program.ts'
import { PROJECT_ROOT } from './start/project.ts'
import { abortOnStopSignal } from './start/signals.ts'

const [kind, ...args] = process.argv.slice(2)
const stop = abortOnStopSignal(() => console.error('Stopping … (Ctrl-C again ends at once, and leaves everything as it is then)'))
process.exitCode = await runDeploy(kind === 'upgrade' ? 'upgrade' : 'deploy', args, terminalIo(), PROJECT_ROOT, stop.signal)

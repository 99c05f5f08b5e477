// npm run simulate: any number of schedules over the real ledger; one that breaks a promise is made small and named. docs/proofs.md
import { simulate } from './simulate/command.ts'
import { onReaderGone } from './start/standard-output.ts'

onReaderGone()
process.exitCode = await simulate(process.argv.slice(2))

// `npm run bench`: the gateway beside a floor and a bare pass-through, on this machine, in one run.
import { CommanderError } from 'commander'
import { effortOf } from './bench/effort.ts'
import { measure } from './bench/measure.ts'
import { type Options, readOptions } from './bench/options.ts'
import { writePage } from './bench/page.ts'
import { asText } from './bench/print.ts'
import { startProgress } from './bench/progress.ts'
import { onStopSignal } from './start/signals.ts'
import { onReaderGone } from './start/standard-output.ts'

const out = (text: string) => void process.stdout.write(text)
const err = (text: string) => void process.stderr.write(text)

async function bench(options: Options): Promise<void> {
  const progress = startProgress(process.stderr)
  try {
    const results = await measure(options, effortOf(options), progress)
    out(options.json ? `${JSON.stringify(results, null, 2)}\n` : asText(results))
    // What failed is in no figure, so the figures are not what they say.
    if (results.failures.length > 0) process.exitCode = 1
    if (options.write) progress.note(`Written: ${(await writePage(results)).join(', ')}`)
  } finally {
    progress.stop()
  }
}

onReaderGone()
// Children end with this process, and what it put aside is removed as it exits.
onStopSignal(
  () => process.exit(130),
  () => process.exit(130),
)
try {
  // npm changes to the project's directory and tells where it was called.
  await bench(readOptions(process.argv.slice(2), out, err, process.env.INIT_CWD ?? process.cwd()))
} catch (error) {
  if (error instanceof CommanderError) process.exit(error.exitCode === 0 ? 0 : 2)
  err(`error: ${error instanceof Error ? error.message : error}\n`)
  process.exitCode = 1
}

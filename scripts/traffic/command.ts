// The command line of the traffic: a month into a ledger of its own.
import { existsSync } from 'node:fs'
import { writeFile } from 'node:fs/promises'
import { join, relative, resolve } from 'node:path'
import { Command, CommanderError } from 'commander'
import { DAY_MS } from '../../worker/ledger/periods.ts'
import { count } from '../admin/arguments.ts'
import { type Month, month } from '../admin/month.ts'
import { dayName } from '../admin/table.ts'
import { bundleWorker } from '../start/bundle.ts'
import { PROJECT_ROOT } from '../start/project.ts'
import { abortOnStopSignal } from '../start/signals.ts'
import { type MadeMonth, makeMonth } from './month.ts'

interface TrafficOptions {
  state: string
  month: Month
  requests: number
  seed: number
}

interface Io {
  out(text: string): void
  err(text: string): void
  directory: string
}

const SAY_EVERY_MS = 2000

/** Returns the exit code: 1 where it could not be done, 2 for arguments that cannot be used, 130 after Ctrl-C. */
export async function traffic(args: string[], io: Io): Promise<number> {
  let options: TrafficOptions
  try {
    options = readOptions(args, io)
  } catch (error) {
    if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : 2
    throw error
  }
  const stateDir = resolve(io.directory, options.state)
  if (existsSync(join(stateDir, 'v3'))) {
    io.err(`error: --state: ${stateDir} has a ledger already. Name another folder, or remove that one if it was made by this command.\n`)
    return 1
  }
  // What is under way ends in order: a gateway that dies leaves requests that are still to be settled.
  const interrupted = abortOnStopSignal(() => io.err('Stopping after what is under way; Ctrl-C again ends at once …\n'))
  io.err('Bundling the Worker, starting a gateway …\n')
  const bundle = await bundleWorker(join(stateDir, 'bundle'), 'scripts/traffic/worker.ts')
  let saidMs = performance.now()
  const made = await makeMonth({
    ...options,
    bundle,
    stateDir,
    signal: interrupted.signal,
    onDay(day, asked) {
      if (performance.now() - saidMs < SAY_EVERY_MS) return
      saidMs = performance.now()
      io.err(`${dayName(day)}: ${asked} requests so far …\n`)
    },
  })
  if (made.brokenOff !== null) {
    io.err(
      `Broken off on ${dayName(made.brokenOff)} after ${made.asked} requests; every one is settled. The month in ${stateDir} is not whole: remove that folder before the next run.\n`,
    )
    return 130
  }
  await writeFile(join(stateDir, 'traffic-keys'), `${made.keys.join('\n')}\n`, { mode: 0o600 })
  io.out(summary(options, made, relative(PROJECT_ROOT, stateDir)))
  return 0
}

function readOptions(args: string[], io: Io): TrafficOptions {
  const command = new Command('npm run traffic --')
    .description('Makes a month of traffic through the real gateway, into a ledger of its own, to try the commands of a month on.')
    .option('--month <YYYY-MM>', 'a month that is over (default: the last one)', month)
    .option('--requests <n>', 'how many, or a few more', count(1, 20_000), 900)
    .option('--seed <n>', 'the same seed asks for the same', count(0, 2 ** 31 - 1), 1)
    .option('--state <dir>', 'where its ledger is made', join(PROJECT_ROOT, '.wrangler', 'traffic'))
    .allowExcessArguments(false)
    .exitOverride()
    .configureOutput({ writeOut: io.out, writeErr: io.err })
  command.parse(args, { from: 'user' })
  const raw = command.opts<Omit<TrafficOptions, 'month'> & { month?: Month }>()
  const now = new Date()
  const chosen = raw.month ?? month(new Date(Date.UTC(now.getUTCFullYear(), now.getUTCMonth() - 1, 1)).toISOString().slice(0, 7))
  if ((chosen.last + 1) * DAY_MS > Date.now()) command.error(`error: --month: ${chosen.name} is not over yet: give an earlier one.`)
  return { ...raw, month: chosen }
}

const WORDS: Record<string, string> = {
  200: 'answered',
  402: 'refused for the budget or the balance (402)',
  429: 'refused for a limit (429)',
  left: 'hung up',
  cut: 'broken off',
}

function summary({ month: { name, last }, seed }: TrafficOptions, { asked, answers }: MadeMonth, state: string): string {
  const ends = [...answers].sort(([, one], [, other]) => other - one).map(([end, n]) => `${n} ${WORDS[end] ?? `with HTTP ${end}`}`)
  return `${name}: ${asked} requests (seed ${seed}): ${ends.join(', ')}.
Its ledger is in ${state}, its customers' keys, one a line, in ${join(state, 'traffic-keys')}.

Next      export STATE_DIR=${state}
          npm run admin -- usage-report --start-date ${name}-01 --end-date ${dayName(last)}
          npm run admin -- verify-ledger
          npm run admin -- close-month ${name}
`
}

// The command line of the simulation.
import { Command, InvalidArgumentError, Option } from 'commander'
import { count } from '../admin/arguments.ts'
import { drawSchedule } from './draw.ts'
import { type Many, runMany } from './many.ts'
import { MUTATIONS } from './mutations.ts'
import { parsePath, type Replay } from './path.ts'
import { type Outcome, runSchedule } from './run-schedule.ts'
import { SqliteStore } from './sqlite-store.ts'

interface Options {
  seeds: number
  from?: number
  seconds?: number
  replay?: Replay
  break?: string
  json?: true
  each?: true
}

const PROGRESS_MS = 2_000
const SEED_MAX = 2 ** 32 - 1

/** Returns the exit code: 1 where a promise was broken. */
export async function simulate(args: string[]): Promise<number> {
  const command = new Command('npm run simulate --')
    .description(
      'Runs random schedules over the real ledger, with D1 calls that fail, hang and lose their replies. Exit code 1 where a promise is broken.',
    )
    .option('--seeds <n>', 'how many schedules', count(1, 100_000_000), 1_000)
    .option('--from <seed>', 'the first seed; else a fresh one, which is printed', count(0, SEED_MAX))
    .option('--seconds <n>', 'stop after so many', count(1, 1_000_000))
    .option('--replay <seed[:steps]>', 'one schedule, or some of its steps, with a line for each', replay)
    .addOption(new Option('--break <mutation>', 'with a ledger that is broken on purpose').choices(MUTATIONS.map(({ name }) => name)))
    .option('--json', 'the result as JSON')
    .option('--each', 'a line of JSON for each schedule, with a digest of its rows, in place of the result')
    .parse(args, { from: 'user' })
  const options = command.opts<Options>()
  const store = new SqliteStore(MUTATIONS.find(({ name }) => name === options.break) ?? null)
  return options.replay === undefined ? runAll(store, options) : replayOne(store, options.replay)
}

async function runAll(store: SqliteStore, options: Options): Promise<number> {
  const { seeds, seconds, json, each, from = (Date.now() * 7919) % SEED_MAX } = options
  console.error(`seeds from ${from}`)
  let toldMs = performance.now()
  const progress = (many: Many, outcome: Outcome) => {
    if (each) console.log(JSON.stringify(outcome))
    if (performance.now() - toldMs < PROGRESS_MS) return
    toldMs = performance.now()
    console.error(summary(many))
  }
  const many = await runMany(store, { from, seeds, ...(seconds === undefined ? {} : { forMs: seconds * 1000 }) }, progress)
  if (!each) console.log(json ? JSON.stringify(many) : [summary(many), ending(many, options.break)].join('\n'))
  return many.found === null ? 0 : 1
}

async function replayOne(store: SqliteStore, { seed, only }: Replay): Promise<number> {
  const outcome = await runSchedule(store, drawSchedule(seed), only, console.log)
  if (outcome.broken === null) console.log('every promise held')
  return outcome.broken === null ? 0 : 1
}

function summary({ schedules, requests, admitted, seconds }: Many): string {
  return `${schedules} schedules, ${requests} requests, ${admitted} admitted, ${Math.round(seconds)} s, ${Math.round(schedules / seconds)} a second`
}

function ending({ found }: Many, mutation: string | undefined): string {
  if (found === null) return 'overspend 0, lost 0, twice 0, and the proofs agree after each'
  return [
    `seed ${found.seed}, step ${found.step}: ${found.message}`,
    `shrunk to ${found.shrunkTo} steps: ${found.shrunkMessage}`,
    `npm run simulate -- --replay ${found.replay}${mutation === undefined ? '' : ` --break '${mutation}'`}`,
  ].join('\n')
}

function replay(text: string): Replay {
  const parsed = parsePath(text)
  if (parsed === null) throw new InvalidArgumentError('a seed, or a seed and steps: 12 or 12:0,3-5')
  return parsed
}

// top: who is on the host, and at the vendors, right now.
import { type Command, Option } from 'commander'
import { asc, eq } from 'drizzle-orm'
import { apiKeys, customers, holds } from '../../worker/schema.ts'
import { count } from './arguments.ts'
import { nowMs } from './clock.ts'
import { type Context, type Output, UsageError } from './context.ts'
import { type CommonOptions, type Shell, untilInterrupted } from './shell.ts'
import { dollars, iso, plural, table, thousands, usd } from './table.ts'

interface Options extends CommonOptions {
  watch?: number | true
}

const WATCH_SECONDS = 3
const CLEAR = '\x1b[2J\x1b[H'

export function topCommand(shell: Shell): Command {
  return shell
    .command('top', 'Shows what runs right now: whose, which model, since when, tokens so far, what is held.', 'top')
    .addOption(
      new Option('--watch [seconds]', `show it anew every so often until Ctrl-C, ${WATCH_SECONDS} s unless told`).argParser(count(1, 3600)),
    )
    .action((options: Options) => (options.watch === undefined ? shell.run(options, top) : watch(shell, options, options.watch)))
}

/** Opens the database anew each time: a command that keeps it would keep a gateway on this machine from starting. */
async function watch(shell: Shell, options: Options, every: number | true): Promise<void> {
  const seconds = every === true ? WATCH_SECONDS : every
  await untilInterrupted(seconds * 1000, () =>
    shell.run(options, async (context) => {
      if (!context.io.terminal?.isOut || context.json) {
        throw new UsageError('--watch draws on a terminal: leave it out where the output is a file, a pipe or JSON.')
      }
      const { text, json } = await top(context)
      return { json, text: `${CLEAR}${text}\n\nEvery ${seconds} s, until Ctrl-C.` }
    }),
  )
}

async function top({ db }: Context): Promise<Output> {
  const rows = await db.orm
    .select({
      ...{ id: holds.id, customerId: holds.customerId, customer: customers.name, keyId: holds.keyId, keyPrefix: apiKeys.prefix },
      ...{ model: holds.model, dialect: holds.dialect, upstream: holds.upstream, createdMs: holds.createdMs, expiresMs: holds.expiresMs },
      ...{ killedMs: holds.killedMs, tokens: holds.checkpointOutput, checkpointNano: holds.checkpointNano, held: holds.holdNano, nowMs },
    })
    .from(holds)
    .innerJoin(customers, eq(customers.id, holds.customerId))
    .innerJoin(apiKeys, eq(apiKeys.id, holds.keyId))
    .orderBy(asc(holds.createdMs), asc(holds.id))
  type Row = (typeof rows)[number]
  const text = table<Row>(rows, [
    { title: 'request', value: ({ id }) => id },
    { title: 'customer', value: ({ customer, customerId }) => `${customer} (${customerId})` },
    { title: 'key', value: ({ keyPrefix, keyId }) => `${keyPrefix}… (${keyId})` },
    { title: 'model', value: ({ model }) => model },
    { title: 'at', value: ({ upstream }) => (upstream === 'ollama' ? 'host' : upstream) },
    { title: 'dialect', value: ({ dialect }) => dialect },
    { title: 'age', value: (row) => ageText(ageSeconds(row)), right: true },
    { title: 'tokens', value: ({ tokens }) => (tokens === 0 ? '-' : thousands(tokens)), right: true },
    { title: 'held', value: ({ held }) => dollars(held), right: true },
    { title: 'state', value: stateOf },
  ])
  const onHost = rows.filter(({ upstream, expiresMs, nowMs: now }) => upstream === 'ollama' && expiresMs > now).length
  const held = rows.reduce((sum, row) => sum + BigInt(row.held), 0n)
  return {
    json: rows.map((row) => ({
      ...{ id: row.id, customer_id: row.customerId, customer_name: row.customer, key_id: row.keyId, key_prefix: row.keyPrefix },
      ...{ model: row.model, dialect: row.dialect, upstream: row.upstream, state: stateOf(row), age_seconds: ageSeconds(row) },
      ...{ output_tokens: row.tokens, cost_usd: usd(row.checkpointNano), held_usd: usd(row.held) },
      ...{ created_at: iso(row.createdMs), lease_until: iso(row.expiresMs) },
    })),
    text:
      rows.length === 0
        ? 'Nothing runs.'
        : `${text}\n${plural(rows.length, 'request')}, ${onHost} on the host; ${dollars(held)} held. Tokens are those of the last checkpoint.`,
  }
}

function ageSeconds({ nowMs, createdMs }: { nowMs: number; createdMs: number }): number {
  return Math.max(0, Math.floor((nowMs - createdMs) / 1000))
}

/** 45s, 12m05s, 3h20m. */
function ageText(seconds: number): string {
  const two = (count: number) => String(count).padStart(2, '0')
  if (seconds < 60) return `${seconds}s`
  const minutes = Math.floor(seconds / 60)
  return minutes < 60 ? `${minutes}m${two(seconds % 60)}s` : `${Math.floor(minutes / 60)}h${two(minutes % 60)}m`
}

/** `lost`: whoever ran it is gone, and the next sweep settles it. */
function stateOf({ expiresMs, killedMs, nowMs }: { expiresMs: number; killedMs: number | null; nowMs: number }): string {
  if (expiresMs <= nowMs) return 'lost'
  return killedMs === null ? 'running' : 'ending'
}

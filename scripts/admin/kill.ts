// kill: ends a running request. It is marked; whoever runs it sees that soon, ends it and settles it, and where nobody does the lease ends it.
import { setTimeout as sleep } from 'node:timers/promises'
import { Argument, type Command, Option } from 'commander'
import { expiredStatements } from '../../worker/ledger/settlement.ts'
import type { holds, usage } from '../../worker/schema.ts'
import type { Database } from '../database/database.ts'
import { count, requestId } from './arguments.ts'
import { audited, rowJson } from './audit.ts'
import { NOW_MS } from './clock.ts'
import { type Context, Failure, type Io, type Output } from './context.ts'
import { findRequest } from './explain.ts'
import type { AskingOptions, Shell } from './shell.ts'
import { dollars, iso, minute, usd } from './table.ts'

interface Options extends AskingOptions {
  wait: number
}

type Running = typeof holds.$inferSelect
type Ended = typeof usage.$inferSelect

/** Between two looks at whether it has ended, milliseconds. */
const LOOK_MS = 500

/** What the audit log tells of a hold. */
const HOLD_COLUMNS = ['customer_id', 'key_id', 'model', 'created_ms', 'killed_ms']

export function killCommand(shell: Shell): Command {
  return shell
    .command('kill', 'Ends a running request; what was delivered until then is charged.', 'kill 019ab3c1-5a4e-7c11-8f00-1b2c3d4e5f60 --yes')
    .addArgument(new Argument('<request_id>', 'as in top').argParser(requestId))
    .addOption(new Option('--wait <seconds>', 'how long to wait for its end').argParser(count(0, 3600)).default(15))
    .option('--yes', 'do not ask')
    .action((id: string, options: Options) =>
      shell.runAfterYes(options, `End the request ${id} now?`, (context) => kill(context, id, options.wait)),
    )
}

async function kill({ db, who, io }: Context, id: string, waitSeconds: number): Promise<Output> {
  const before = await find(db, id)
  if ('outcome' in before) return endedOutput(before, true)
  const { customerId, killedMs } = before
  const params = [customerId, id]
  const state = { sql: `SELECT ${rowJson(HOLD_COLUMNS)} FROM holds WHERE customer_id = ? AND id = ?`, params }
  const only = { sql: 'SELECT 1 FROM holds WHERE customer_id = ? AND id = ? AND killed_ms IS NULL', params }
  await audited(db, { who, command: 'kill', target: `request ${id}`, before: state, after: state, only }, [
    { sql: `UPDATE holds SET killed_ms = ${NOW_MS} WHERE customer_id = ? AND id = ? AND killed_ms IS NULL`, params },
  ])
  const after = await endOf(db, io, before, waitSeconds * 1000)
  return 'outcome' in after ? endedOutput(after, false) : runningOutput(after, killedMs !== null)
}

async function find(db: Database, id: string): Promise<Running | Ended> {
  const found = await findRequest(db, id)
  if (found === null) throw new Failure(`request_id: there is no request ${id}; top shows those that run.`)
  return found.row
}

/** Waits for its end. One whose lease is over has nobody left to end it: it is settled here, as the sweep would. */
async function endOf(db: Database, io: Io, { customerId, id }: Running, waitMs: number): Promise<Running | Ended> {
  const untilMs = performance.now() + waitMs
  for (let round = 0; ; round++) {
    const row = await find(db, id)
    if ('outcome' in row) return row
    const [lease] = await db.all(
      `SELECT expires_ms <= ${NOW_MS} AS is_over, ${NOW_MS} AS now FROM holds WHERE customer_id = ? AND id = ?`,
      [customerId, id],
    )
    if (lease?.is_over === 1) await db.batch(expiredStatements([{ customerId, id }], Number(lease.now)))
    else if (performance.now() >= untilMs) return row
    else {
      if (round === 4) io.err('waiting for whoever runs it to end it …\n')
      await sleep(Math.min(LOOK_MS, Math.max(1, untilMs - performance.now())))
    }
  }
}

function endedOutput({ id, outcome, costNano, settledMs }: Ended, isBefore: boolean): Output {
  const charged = `${outcome}, charged ${dollars(costNano)}`
  return {
    json: { id, state: 'ended', ended_before: isBefore, outcome, cost_usd: usd(costNano), ended_at: iso(settledMs) },
    text: isBefore
      ? `Request ${id} had ended before, at ${minute(settledMs)} UTC: ${charged}. Nothing was changed.`
      : `Request ${id} has ended: ${charged}.`,
  }
}

function runningOutput({ id, expiresMs }: Running, isAgain: boolean): Output {
  return {
    json: { id, state: 'ending', ended_before: false, outcome: null, cost_usd: null, lease_until: iso(expiresMs) },
    text: [
      `Request ${id} ${isAgain ? 'was told to end before, and still is to' : 'is told to end'}: whoever runs it looks every few seconds, and every quarter of its age once it is old.`,
      `If nobody runs it any more, it is settled when its lease is over, after ${minute(expiresMs)} UTC.`,
    ].join(' '),
  }
}

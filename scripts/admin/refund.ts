// refund: what one request was charged is taken back, once, all of it or a part.
import { Argument, type Command, Option } from 'commander'
import { type Database, databaseErrorIn, type Row } from '../database/database.ts'
import { formatCents } from '../invoices/sums.ts'
import { amount, label } from './arguments.ts'
import { audited } from './audit.ts'
import { type Context, Failure, type Output } from './context.ts'
import { balanceJson, balanceOf, balanceText, moneyState, rebuilt } from './money.ts'
import { ENDED, INVOICE_HAS_LESS, REFUND, seek } from './money-sql.ts'
import type { CommonOptions, Shell } from './shell.ts'
import { roomAfter } from './standings.ts'
import { dayName, dollars, usd } from './table.ts'

interface Options extends CommonOptions {
  reason: string
  amount?: number
}

export function refundCommand(shell: Shell): Command {
  return shell
    .command('refund', 'Takes back what a request was charged, once.', "refund 019ab3c4-… --reason 'the answer was cut'")
    .addArgument(new Argument('<request_id>', 'x-request-id of the answer'))
    .addOption(new Option('--reason <text>', 'what it is for: the customer may see it').argParser(label).makeOptionMandatory())
    .addOption(new Option('--amount <usd>', 'a part instead of all of it').argParser(amount))
    .action((requestId: string, options: Options) => shell.run(options, (context) => refund(context, requestId, options)))
}

const RUNNING = seek('holds', 'r.customer_id')

async function refund({ db, who }: Context, requestId: string, { reason, amount: part }: Options): Promise<Output> {
  const request = await refundable(db, requestId, part)
  const [customerId, keyId] = [Number(request.customer_id), Number(request.key_id)]
  const change = {
    who,
    command: 'refund',
    target: `request ${requestId}`,
    before: null,
    after: moneyState('adjustments', customerId, `refund:${requestId}`),
  }
  const [[row] = []] = await audited(db, change, [
    { sql: REFUND, params: [requestId, part ?? null, reason] },
    ...rebuilt('customer', customerId),
    ...rebuilt('key', keyId),
  ]).catch(async (error) => {
    const said = databaseErrorIn(error)?.message ?? ''
    if (said.includes('UNIQUE constraint failed: adjustments')) throw refundedBefore(requestId, null)
    if (!said.includes(INVOICE_HAS_LESS)) throw error
    await refundable(db, requestId, part)
    throw overtaken(requestId)
  })
  if (row === undefined) throw overtaken(requestId)
  const [refunded, day, balance] = [-BigInt(row.amount ?? 0), dayName(Number(row.day)), await balanceOf(db, customerId)]
  const room = await roomAfter(db, customerId, -refunded, Number(row.day))
  return {
    json: {
      request_id: requestId,
      customer_id: customerId,
      charged_usd: usd(request.charged ?? 0),
      refunded_usd: usd(refunded),
      day,
      reason,
      ...balanceJson(balance),
      budget: room.json,
    },
    text: `Refunded ${dollars(refunded)} of ${dollars(request.charged ?? 0)} to customer ${customerId}, counted on ${day}: ${reason}\n${balanceText(balance)}${room.text}`,
  }
}

/** The request, if as much can be refunded. Throws Failure that names the argument and the remedy. */
async function refundable(db: Database, requestId: string, part: number | undefined): Promise<Row> {
  const [[request], [running], [archived]] = (await db.batch([
    { sql: ENDED, params: [requestId] },
    { sql: RUNNING, params: [requestId] },
    { sql: 'SELECT file FROM archives LIMIT 1', params: [] },
  ])) as [Row[], Row[], Row[]]
  if (running !== undefined) throw new Failure(`request_id: ${requestId} is still running: refund it when it has ended.`)
  if (request === undefined) {
    const older = archived === undefined ? '' : ' One of a month that was archived is credited with credit.'
    throw new Failure(`request_id: there is no request ${requestId}; export-usage shows their ids.${older}`)
  }
  if (request.refunded !== null) throw refundedBefore(requestId, String(request.refunded))
  const charged = BigInt(request.charged ?? 0)
  if (charged === 0n) throw new Failure(`request_id: ${requestId} was charged nothing: there is nothing to refund.`)
  if (part !== undefined && BigInt(part) > charged) {
    throw new Failure(`amount: ${requestId} was charged ${dollars(charged)}: give no more than that, or use credit for what is beyond it.`)
  }
  refuseBeyondInvoice(requestId, request, part === undefined ? charged : BigInt(part))
  return request
}

/** Throws Failure where the invoice that the request is on has not as much left to give back. */
function refuseBeyondInvoice(requestId: string, { invoice, late }: Row, nano: bigint): void {
  if (typeof invoice !== 'string') return
  const [number, netCents, credited, refunded, left] = JSON.parse(invoice) as [string, string, string, string, string]
  // What was charged late, after that month, is on another invoice.
  const elsewhere = BigInt(late ?? 0)
  const room = BigInt(left) > 0n ? BigInt(left) : 0n
  if (nano - elsewhere <= room) return
  const most = room + elsewhere
  const had = `${formatCents(BigInt(netCents))} net, ${dollars(credited)} credited by credit notes, ${dollars(refunded)} refunded since`
  const remedy =
    most === 0n ? 'use credit for goodwill beyond it' : `give --amount ${usd(most)} or less, or use credit for what is beyond it`
  throw new Failure(
    `request_id: ${requestId} is on invoice ${number}, of which ${room === 0n ? 'nothing' : dollars(room)} is left to give back (${had}): ${remedy}.`,
  )
}

function overtaken(requestId: string): Failure {
  return new Failure(`request_id: ${requestId} has changed meanwhile: nothing was refunded; try again.`)
}

function refundedBefore(requestId: string, nano: string | null): Failure {
  const what = nano === null ? 'before' : `${dollars(-BigInt(nano))} before`
  return new Failure(`request_id: ${requestId} was refunded ${what}, and can be once: use credit for more.`)
}

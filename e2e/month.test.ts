// A month from first to last: made through the gateway, reported, invoiced, backed up, restored, archived; and the same money in each.
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { month } from '../scripts/admin/month.ts'
import { runCommand } from '../scripts/admin/run-command.ts'
import { SETTINGS } from '../scripts/admin/testing-invoices.ts'
import { openDatabase } from '../scripts/database/open.ts'
import { bundleWorker } from '../scripts/start/bundle.ts'
import { makeMonth } from '../scripts/traffic/month.ts'
import { parseUsd } from '../worker/money.ts'

const MONTH = '2026-02'
const DAYS = ['--start-date', '2026-02-01', '--end-date', '2026-02-28']
const CUSTOMERS = [1, 2, 3, 4]
/** Of them. */
const PREPAID = 3
let folder: string

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'gateway-month-'))
  const bundle = await bundleWorker(join(folder, 'bundle'), 'scripts/traffic/worker.ts')
  const stateDir = join(folder, 'here')
  await makeMonth({ bundle, stateDir, month: month(MONTH), requests: 200, seed: 3, onDay: () => {} })
  await writeFile(join(folder, 'invoice.json'), JSON.stringify(SETTINGS))
})

afterAll(() => rm(folder, { recursive: true, force: true }))

function ran(state: string, ...args: string[]) {
  const environment = { STATE_DIR: join(folder, state), INVOICE_FILE: join(folder, 'invoice.json'), GATEWAY_ADMIN: 'ada' }
  return runCommand(args, { directory: folder, environment })
}

async function admin(state: string, ...args: string[]): Promise<string> {
  const { code, out, err } = await ran(state, ...args)
  expect(code, `${args.join(' ')}: ${err}${out}`).toBe(0)
  return out
}

async function rows(state: string, sql: string) {
  const { db } = await openDatabase({ STATE_DIR: join(folder, state) }, { remote: false, onWait: () => {} })
  try {
    return await db.all(sql)
  } finally {
    await db.close()
  }
}

const nano = (usd: string): number => {
  const amount = parseUsd(usd)
  if (amount === null) throw new Error(`not an amount: ${usd}`)
  return amount
}

async function reported(state: string, ...args: string[]): Promise<{ requests: number; cost: number }> {
  const { totals } = JSON.parse(await admin(state, 'usage-report', ...args, ...DAYS, '--json'))
  return { requests: totals.requests, cost: nano(totals.cost_usd) }
}

test('a month is reported, explained, invoiced, backed up, restored, archived and proved, and each step has the same money', async () => {
  await admin('here', 'verify-ledger')
  const total = await reported('here')
  expect(total.requests).toBeGreaterThan(150)
  for (const by of ['day', 'key', 'outcome']) expect(await reported('here', '--by', by)).toEqual(total)

  // The rows, one by one, come to the report's sums.
  const exported: { cost_usd: string }[] = []
  for (const id of CUSTOMERS) {
    const lines = (await admin('here', 'export-usage', String(id), ...DAYS, '--format', 'json')).trim().split('\n')
    const theirs = lines.map((line) => JSON.parse(line))
    expect({ requests: theirs.length, cost: sum(theirs) }).toEqual(await reported('here', String(id)))
    exported.push(...theirs)
  }
  expect({ requests: exported.length, cost: sum(exported) }).toEqual(total)

  // The same as CSV.
  for (const id of ['1', '2']) {
    const rows = csvRows(await admin('here', 'export-usage', id, ...DAYS))
    expect({ requests: rows.length, cost: sum(rows) }).toEqual(await reported('here', id))
  }
  const lines = csvRows(await admin('here', 'usage-report', '--by', 'day', ...DAYS, '--csv'))
  expect({ requests: lines.reduce((all, { requests }) => all + Number(requests), 0), cost: sum(lines) }).toEqual(total)

  // What is left is what was paid less what was used, and money that comes in now is there at once.
  const balance = async () => JSON.parse(await admin('here', 'check-budget', String(PREPAID), '--json')).prepaid
  const before = await balance()
  const { cost: theirs } = await reported('here', String(PREPAID))
  expect(before).toMatchObject({ paid_usd: '20.5', held_usd: '0' })
  expect(nano(before.used_usd)).toBe(theirs)
  expect(nano(before.left_usd)).toBe(nano('20.5') - theirs)
  await admin('here', 'pay', String(PREPAID), '5', '--reference', 'bank transfer 3')
  expect(nano((await balance()).left_usd)).toBe(nano('25.5') - theirs)
  // Typed twice it is refused, and changes nothing.
  expect((await ran('here', 'pay', String(PREPAID), '5', '--reference', 'bank transfer 3')).code).toBe(1)
  expect(nano((await balance()).left_usd)).toBe(nano('25.5') - theirs)
  expect(JSON.parse(await admin('here', 'list-payments', String(PREPAID), '--json'))).toHaveLength(3)

  // Each ending that there can be is there, and has its reason.
  const endings = await rows('here', 'SELECT outcome, max(id) AS id FROM usage GROUP BY outcome ORDER BY outcome')
  expect(endings.map(({ outcome }) => outcome)).toEqual(['abandoned', 'completed', 'expired', 'failed'])
  for (const { id, outcome } of endings) expect(await admin('here', 'explain', String(id))).toContain(String(outcome))

  // Whoever hung up pays from the first delivered token on, and nothing before it: the opening of a message of Anthropic's holds none.
  const left = await rows('here', "SELECT dialect, cost_nano, first_ms FROM usage WHERE outcome = 'abandoned'")
  expect(left.filter(({ cost_nano, first_ms }) => (cost_nano === 0) !== (first_ms === null))).toEqual([])

  await admin('here', 'close-month', MONTH, '--yes')
  const invoiced = await rows('here', "SELECT customer_id, usage_nano, year, seq FROM invoices WHERE kind = 'invoice' ORDER BY id")
  for (const { customer_id, usage_nano } of invoiced) expect(usage_nano).toBe((await reported('here', String(customer_id))).cost)
  expect(invoiced.reduce((all, { usage_nano }) => all + Number(usage_nano), 0)).toBe(total.cost)
  const number = `${invoiced[0]?.year}-${String(invoiced[0]?.seq).padStart(4, '0')}`
  const listed: { number: string; customer_id: number; net: string }[] = JSON.parse(await admin('here', 'list-invoices', '--json'))
  expect(listed.map(({ customer_id }) => customer_id)).toEqual(invoiced.map(({ customer_id }) => customer_id))
  // Each to a cent below what was used, the rest is carried over.
  for (const [index, { net }] of listed.entries()) {
    const rest = Number(invoiced[index]?.usage_nano) - nano(net)
    expect([rest >= 0, rest < 10_000_000]).toEqual([true, true])
  }
  expect(listed[0]?.number).toBe(number)
  for (const format of ['text', 'html', 'csv', 'json']) expect(await admin('here', 'invoice', number, '--format', format)).toContain(number)
  await admin('here', 'refund', String(endings[1]?.id), '--reason', 'the answer was of no use')
  await admin('here', 'credit', '2', '0.10', '--reason', 'a slow evening', '--yes')
  await admin('here', 'credit-note', number, '--reason', 'a wrong address', '--yes')
  await admin('here', 'verify-ledger')

  await admin('here', 'backup', '--output', 'month.jsonl.gz')
  // Cut short, it is named as that, and nothing is loaded.
  const whole = await readFile(join(folder, 'month.jsonl.gz'))
  await writeFile(join(folder, 'cut.jsonl.gz'), whole.subarray(0, whole.length - 200))
  expect((await ran('there', 'restore', 'cut.jsonl.gz')).code).toBe(1)
  await admin('there', 'restore', 'month.jsonl.gz')
  await admin('there', 'verify-ledger')
  expect(await reported('there')).toEqual(total)
  expect((await ran('here', 'restore', 'month.jsonl.gz', '--yes')).code).toBe(1)

  await admin('here', 'archive', MONTH, '--output', 'february.jsonl.gz', '--yes')
  await admin('here', 'archive', '--verify', 'february.jsonl.gz')
  await admin('here', 'verify-ledger')
  expect(await reported('here')).toEqual(total)
  expect(await rows('here', 'SELECT count(*) AS n FROM usage')).toEqual([{ n: 0 }])
  const audit = await admin('here', 'audit', '--limit', '100')
  for (const command of ['pay', 'close-month', 'refund', 'credit', 'credit-note', 'archive']) expect(audit).toContain(command)
})

/** The lines of a CSV by their columns; no field of these has a comma in it. */
function csvRows(text: string): { cost_usd: string; requests?: string }[] {
  const [head = '', ...lines] = text.trimEnd().split('\r\n')
  const names = head.split(',')
  return lines.map((line) => Object.fromEntries(line.split(',').map((value, index) => [names[index], value])) as { cost_usd: string })
}

function sum(requests: readonly { cost_usd?: string }[]): number {
  return requests.reduce((all, { cost_usd }) => all + nano(cost_usd ?? ''), 0)
}

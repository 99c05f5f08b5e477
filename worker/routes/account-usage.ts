// GET /account/usage: what was used by day, model or key, from the daily sums, as JSON or CSV.
import { Hono } from 'hono'
import * as z from 'zod'
import { authenticate } from '../auth.ts'
import { csvLine } from '../csv.ts'
import { GatewayError } from '../errors.ts'
import { DAY_MS, periodStartDay } from '../ledger/periods.ts'
import { REPORT_SUMS, type ReportSums, reportFigures, reportTotal } from '../ledger/report.ts'
import type { Upstream } from '../schema.ts'
import { checkedQuery, date, dayName, SEEN, seenBy } from './account-query.ts'
import type { AccountUsage } from './account-shapes.ts'
import { type AppEnv, exchangeOf } from './context.ts'

export const accountUsage = new Hono<AppEnv>()

const GROUPS = ['day', 'model', 'key'] as const
type Group = (typeof GROUPS)[number]

export const usageQuery = z.object({
  from: date.optional(),
  to: date.optional(),
  group: z.enum(GROUPS, 'must be day, model or key').default('model'),
  format: z.enum(['json', 'csv'], 'must be json or csv').optional(),
})

/** `to` is inclusive; the current month is the default. */
accountUsage.get('/account/usage', checkedQuery(usageQuery), async (c) => {
  const { db, request } = exchangeOf(c)
  const caller = await authenticate(db, request.headers)
  const { group, format, ...range } = c.req.valid('query')
  const nowMs = Date.now()
  const to = range.to ?? Math.max(Math.floor(nowMs / DAY_MS), range.from ?? 0)
  const from = range.from ?? periodStartDay('month', to * DAY_MS)
  if (from > to) throw new GatewayError('invalid_request', 'from: must not be after to', { param: 'from' })
  const { results } = await db
    .prepare(usageSql(group))
    .bind(...seenBy(caller), from, to)
    .all<ReportSums>()
  c.header('vary', 'accept')
  if (format === 'csv' || (format === undefined && wantsCsv(request.headers))) {
    c.header('content-type', 'text/csv; charset=utf-8')
    return c.body(usageCsv(group, results))
  }
  return c.json(usageJson(group, results, from, to))
})

/** Whoever would take either gets JSON. */
function wantsCsv(headers: Headers): boolean {
  const accept = headers.get('accept') ?? ''
  return accept.includes('text/csv') && !/application\/json|application\/\*/.test(accept)
}

/** Daily sums do not hold whose model it was; the last price of its name that began before ?4 has ended does. Without one it is the host's, by `*`. */
const UPSTREAM = `coalesce((SELECT p.upstream FROM prices p WHERE p.model = u.model AND p.variant = '' AND p.valid_from_ms < (?4 + 1) * ${DAY_MS}
  ORDER BY p.valid_from_ms DESC, p.id DESC LIMIT 1), 'ollama') AS upstream`
const LINE: Record<Group, string> = {
  day: 'u.day',
  model: `u.model, ${UPSTREAM}`,
  key: "u.key_id, coalesce(k.prefix, '') AS key_prefix, coalesce(k.name, '') AS key_name",
}
const COLUMN: Record<Group, string> = { day: 'u.day', model: 'u.model', key: 'u.key_id' }

/** ?3 and ?4 are days. */
function usageSql(group: Group): string {
  return `SELECT ${LINE[group]}, ${REPORT_SUMS} FROM (SELECT * FROM usage_daily WHERE ${SEEN} AND day BETWEEN ?3 AND ?4) u ${group === 'key' ? 'LEFT JOIN api_keys k ON k.id = u.key_id' : ''}
    GROUP BY ${COLUMN[group]} ORDER BY ${COLUMN[group]}`
}

const dayLine = (row: ReportSums) => ({ day: dayName(Number(row.day)), ...reportFigures(row) })
const modelLine = (row: ReportSums) => ({ model: String(row.model), upstream: row.upstream as Upstream, ...reportFigures(row) })
const keyLine = (row: ReportSums) => {
  return { key_id: Number(row.key_id), key_prefix: String(row.key_prefix), key_name: String(row.key_name), ...reportFigures(row) }
}

function usageJson(group: Group, rows: readonly ReportSums[], from: number, to: number): AccountUsage {
  const totals = reportFigures(reportTotal(rows))
  const frame = { from: dayName(from), to: dayName(to), totals, cost_usd: totals.cost_usd }
  switch (group) {
    case 'day':
      return { group, ...frame, days: rows.map(dayLine) }
    case 'model':
      return { group, ...frame, models: rows.map(modelLine) }
    case 'key':
      return { group, ...frame, keys: rows.map(keyLine) }
  }
}

function usageCsv(group: Group, rows: readonly ReportSums[]): string {
  const line = { day: dayLine, model: modelLine, key: keyLine }[group]
  const head = Object.keys(line({ day: 0 }))
  return [head, ...rows.map((row) => Object.values(line(row)))].map(csvLine).join('')
}

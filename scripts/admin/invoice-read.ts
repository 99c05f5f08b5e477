// What the ledger has of a customer's month, read as of one moment: all that an invoice is made of.

import { DAY_MS } from '../../worker/ledger/periods.ts'
import { PRICE_FIELDS, type Price } from '../../worker/pricing.ts'
import { ID_MARGIN_MS, idAt } from '../../worker/request-id.ts'
import { prices } from '../../worker/schema.ts'
import type { Database, Row, Statement } from '../database/database.ts'
import { numberSql } from '../invoices/document.ts'
import type { Adjustment, UsedLine } from '../invoices/lines.ts'
import { Failure } from './context.ts'
import type { Month } from './month.ts'
import { dayName, dollars } from './table.ts'

/** A credit note's adjustment is on the credit note, and on no invoice. */
export const CREDIT_PREFIX = 'credit-note:'

export interface CustomerMonth {
  customer: { id: number; name: string; email: string; address: string; taxId: string; prepaid: boolean }
  lines: UsedLine[]
  adjustments: Adjustment[]
  usageNano: bigint
  adjustmentsNano: bigint
  requests: number
  /** The document before, whose remainder is carried over; null: there is none. */
  before: Carried | null
}

export interface Carried {
  number: string
  remainderNano: bigint
}

const COUNTS = `sum(input_tokens - cached_tokens - cache_write_tokens - cache_write_long_tokens) AS input_tokens, sum(cached_tokens) AS cached_tokens,
  sum(cache_write_tokens) AS cache_write_tokens, sum(cache_write_long_tokens) AS cache_write_long_tokens, sum(output_tokens) AS output_tokens,
  sum(reasoning_tokens) AS reasoning_tokens, sum(gpu_ms) AS gpu_ms, CAST(sum(cost_nano) AS TEXT) AS nano`
const PRICES = PRICE_FIELDS.map((field) => `p.${prices[field].name} AS ${field}`).join(', ')
const IS_ABOVE = 'p.above_tokens IS NOT NULL AND u.input_tokens > p.above_tokens'

/** ?1 customer, ?2 and ?3 ids, ?4 and ?5 milliseconds: a range of the primary key. */
const LINES = `SELECT g.*, p.valid_from_ms AS since_ms, ${PRICES} FROM (
  SELECT u.model, u.price_id, ${IS_ABOVE} AS is_above, count(*) AS requests, sum(u.cost_nano = 0) AS uncharged, CAST(sum(u.over_nano) AS TEXT) AS over_nano, ${COUNTS}
  FROM usage u JOIN prices p ON p.id = u.price_id
  WHERE u.customer_id = CAST(?1 AS INTEGER) AND u.id > ?2 AND u.id < ?3 AND u.created_ms >= CAST(?4 AS INTEGER) AND u.created_ms < CAST(?5 AS INTEGER)
  GROUP BY u.model, u.price_id, is_above
) g JOIN prices p ON p.id = g.price_id ORDER BY g.model, g.price_id, g.is_above`

/** ?1 customer, ?2 and ?3 days: what is left of requests that were archived. */
const ARCHIVED_LINES = `SELECT model, NULL AS price_id, sum(requests) AS requests, sum(iif(cost_nano = 0, requests, 0)) AS uncharged, '0' AS over_nano, ${COUNTS}
FROM usage_daily WHERE customer_id = CAST(?1 AS INTEGER) AND day BETWEEN CAST(?2 AS INTEGER) AND CAST(?3 AS INTEGER) GROUP BY model ORDER BY model`

const DAILY = 'FROM usage_daily WHERE customer_id = CAST(?1 AS INTEGER) AND day BETWEEN CAST(?2 AS INTEGER) AND CAST(?3 AS INTEGER)'
const ADJUSTMENTS = `FROM adjustments WHERE customer_id = CAST(?1 AS INTEGER) AND day BETWEEN CAST(?2 AS INTEGER) AND CAST(?3 AS INTEGER) AND id NOT LIKE '${CREDIT_PREFIX}%'`

/** Reads it. Throws Failure where its parts do not agree. */
export async function readCustomerMonth(db: Database, customerId: number, { name, first, last }: Month): Promise<CustomerMonth> {
  const [fromMs, toMs] = [first * DAY_MS, (last + 1) * DAY_MS]
  const days = [customerId, first, last]
  const statements: Statement[] = [
    { sql: 'SELECT id, name, email, address, tax_id, prepaid FROM customers WHERE id = CAST(?1 AS INTEGER)', params: [customerId] },
    { sql: LINES, params: [customerId, idAt(fromMs - ID_MARGIN_MS), idAt(toMs + ID_MARGIN_MS), fromMs, toMs] },
    { sql: ARCHIVED_LINES, params: days },
    { sql: `SELECT CAST(coalesce(sum(cost_nano), 0) AS TEXT) AS nano, coalesce(sum(requests), 0) AS requests ${DAILY}`, params: days },
    { sql: `SELECT day, reason, usage_id, CAST(amount_nano AS TEXT) AS nano ${ADJUSTMENTS} ORDER BY day, id`, params: days },
    carriedStatement(customerId),
    {
      sql: 'SELECT month FROM archives WHERE month <= CAST(?1 AS INTEGER) AND next_month > CAST(?1 AS INTEGER)',
      params: [first],
    },
  ]
  const [customers = [], live = [], archived = [], daily = [], adjusted = [], before = [], archives = []] = await db.batch(statements)
  const [customer] = customers
  if (customer === undefined) throw new Failure(`customer ${customerId} is gone.`)
  const lines = (archives.length > 0 ? archived : live).map(usedLineOf)
  const adjustments = adjusted.map(adjustmentOf)
  const usageNano = BigInt(daily[0]?.nano ?? 0)
  const lineNano = sumOf(lines)
  if (lineNano !== usageNano) {
    throw new Failure(
      `customer ${customerId}, ${name}: the requests come to ${dollars(lineNano)} and the daily sums to ${dollars(usageNano)}, which differ by ${dollars(lineNano - usageNano)}. Nothing was written: run verify-ledger.`,
    )
  }
  return {
    customer: {
      id: customerId,
      name: String(customer.name),
      email: String(customer.email),
      address: String(customer.address),
      taxId: String(customer.tax_id),
      prepaid: customer.prepaid === 1,
    },
    lines,
    adjustments,
    usageNano,
    adjustmentsNano: sumOf(adjustments),
    requests: Number(daily[0]?.requests ?? 0),
    before: carriedOf(before[0]),
  }
}

/** The customer's latest document, of any kind. */
export function carriedStatement(customerId: number): Statement {
  return {
    sql: `SELECT ${numberSql('year', 'seq')} AS number, CAST(remainder_nano AS TEXT) AS nano FROM invoices WHERE customer_id = CAST(? AS INTEGER) ORDER BY id DESC LIMIT 1`,
    params: [customerId],
  }
}

export function carriedOf(row: Row | undefined): Carried | null {
  return row === undefined ? null : { number: String(row.number), remainderNano: BigInt(row.nano ?? 0) }
}

function sumOf(parts: readonly { nano: bigint }[]): bigint {
  return parts.reduce((sum, { nano }) => sum + nano, 0n)
}

function usedLineOf(row: Row): UsedLine {
  const number = (name: string) => Number(row[name])
  return {
    model: String(row.model),
    price:
      row.price_id === null
        ? null
        : {
            ...(Object.fromEntries(PRICE_FIELDS.map((field) => [field, row[field]])) as unknown as Price),
            id: number('price_id'),
            since: dayName(Math.floor(number('since_ms') / DAY_MS)),
            isAbove: row.is_above === 1,
          },
    requests: number('requests'),
    uncharged_requests: number('uncharged'),
    input_tokens: number('input_tokens'),
    cached_tokens: number('cached_tokens'),
    cache_write_tokens: number('cache_write_tokens'),
    cache_write_long_tokens: number('cache_write_long_tokens'),
    output_tokens: number('output_tokens'),
    reasoning_tokens: number('reasoning_tokens'),
    gpu_ms: number('gpu_ms'),
    overNano: BigInt(row.over_nano ?? 0),
    nano: BigInt(row.nano ?? 0),
  }
}

function adjustmentOf(row: Row): Adjustment {
  return {
    day: dayName(Number(row.day)),
    reason: String(row.reason),
    request_id: row.usage_id === null ? null : String(row.usage_id),
    nano: BigInt(row.nano ?? 0),
  }
}

// The proof of the ledger: each question gives the rows that disagree, and a sound ledger gives none.
import { FIRST_COLUMNS, firstSqls } from './first-token.ts'
import { INVOICE_PROOFS } from './invoice-proofs.ts'
import { BALANCE_PARTS, periodOfDaySql } from './periods.ts'
import { ROW_PROOFS } from './proofs-rows.ts'
import { SCHEMA_PROOFS } from './proofs-schema.ts'

/** How long past its lease a hold may be before the sweep is not doing its work, milliseconds. */
export const SWEEP_GRACE_MS = 300_000

/** What a migrated database has beside its tables, by table; a rebuilt table loses them without a word. */
const TRIGGERS_OF = {
  usage: ['usage_frozen', 'usage_kept'],
  adjustments: ['adjustments_frozen', 'adjustments_kept'],
  prices: ['prices_frozen', 'prices_kept'],
  payments: ['payments_frozen', 'payments_kept'],
  invoices: ['invoices_frozen', 'invoices_kept'],
  archives: ['archives_frozen', 'archives_kept'],
  audit_log: ['audit_log_kept'],
}
export const TRIGGERS = Object.values(TRIGGERS_OF).flat()

const TOKENS = [
  ...['input_tokens', 'cached_tokens', 'cache_write_tokens', 'cache_write_long_tokens', 'output_tokens', 'reasoning_tokens', 'gpu_ms'],
  'cost_nano',
]
const SUMMED = ['requests', ...TOKENS]
const sums = (prefix: string, fold: (column: string) => string) =>
  TOKENS.map((column) => `${fold(column)} AS ${prefix}${column}`).join(', ')

export interface Proof {
  name: string
  /** What is counted where it holds. */
  of: string
  /** One row for each disagreement. */
  sql: string
}

/** Whether the request or the day is of a month whose rows were moved to a file; the column with its table, since `archives` has a created_ms, too. */
const archived = (day: string) => `EXISTS (SELECT 1 FROM archives WHERE ${day} >= month AND ${day} < next_month)`

const PROOFS: readonly Proof[] = [
  {
    name: 'daily sums are the sums of usage',
    of: 'SELECT count(*) AS n FROM usage_daily',
    sql: `WITH parts AS (
        SELECT customer_id, created_ms / 86400000 AS day, model, key_id, outcome, 1 AS requests, ${TOKENS.join(', ')}, 0 AS d_requests, ${sums('d_', () => '0')} FROM usage WHERE NOT ${archived('usage.created_ms / 86400000')}
        UNION ALL
        SELECT customer_id, day, model, key_id, outcome, 0, ${TOKENS.map(() => '0').join(', ')}, requests, ${TOKENS.join(', ')} FROM usage_daily WHERE NOT ${archived('usage_daily.day')}
      ), grouped AS (
        SELECT customer_id, day, model, key_id, outcome, sum(requests) AS requests, sum(d_requests) AS d_requests, ${sums('', (column) => `sum(${column})`)}, ${sums('d_', (column) => `sum(d_${column})`)}
        FROM parts GROUP BY customer_id, day, model, key_id, outcome
      ) SELECT customer_id, day, model, key_id, outcome, rtrim(${SUMMED.map((column) => `iif(${column} <> d_${column}, '${column} ', '')`).join(' || ')}) AS differs,
        cost_nano, d_cost_nano AS summed_nano FROM grouped
      WHERE ${SUMMED.map((column) => `${column} <> d_${column}`).join(' OR ')}
      UNION ALL
      SELECT NULL, month, 'archived', NULL, NULL, 'requests or cost_nano', cost_nano, summed_nano FROM (
        SELECT a.month, a.requests, a.cost_nano, coalesce(sum(d.requests), 0) AS summed, coalesce(sum(d.cost_nano), 0) AS summed_nano
        FROM archives a LEFT JOIN usage_daily d ON d.day >= a.month AND d.day < a.next_month GROUP BY a.month
      ) WHERE requests <> summed OR cost_nano <> summed_nano`,
  },
  {
    // Sums of before the columns were kept have none, and those of the day on which that began only some: no more than there is, then.
    name: 'the times to the first token are those of usage',
    of: 'SELECT count(*) AS n FROM usage_daily WHERE first_requests > 0',
    sql: `WITH since AS (SELECT min(day) AS day FROM usage_daily WHERE first_requests > 0), due AS (
        SELECT customer_id, created_ms / 86400000 AS day, model, key_id, outcome, ${FIRST_COLUMNS.map((column, index) => `${firstSqls[index]} AS due_${column}`).join(', ')}
        FROM usage GROUP BY customer_id, created_ms / 86400000, model, key_id, outcome
      ) SELECT d.customer_id, d.day, d.model, d.key_id, d.outcome, d.first_requests, due_first_requests FROM usage_daily d CROSS JOIN since s
        LEFT JOIN due u ON u.customer_id = d.customer_id AND u.day = d.day AND u.model = d.model AND u.key_id = d.key_id AND u.outcome = d.outcome
      WHERE NOT ${archived('d.day')} AND (${FIRST_COLUMNS.map((column) => `iif(d.day > s.day, d.${column} <> coalesce(due_${column}, 0), d.${column} > coalesce(due_${column}, 0))`).join(' OR ')})`,
  },
  {
    name: 'spend is usage and adjustments',
    of: 'SELECT count(*) AS n FROM spend',
    sql: `WITH owners AS (
        SELECT 'c' || id AS owner, id AS customer_id, NULL AS key_id, budget_period FROM customers
        UNION ALL SELECT 'k' || id, customer_id, id, budget_period FROM api_keys WHERE budget_nano IS NOT NULL
      ), parts AS (
        SELECT o.owner, ${periodOfDaySql('o.budget_period', 'd.day')} AS period, d.cost_nano AS due, 0 AS spent
          FROM owners o JOIN usage_daily d ON d.customer_id = o.customer_id AND (o.key_id IS NULL OR d.key_id = o.key_id)
        UNION ALL
        SELECT o.owner, ${periodOfDaySql('o.budget_period', 'a.day')}, a.amount_nano, 0
          FROM owners o JOIN adjustments a ON a.customer_id = o.customer_id AND (o.key_id IS NULL OR a.key_id = o.key_id)
        UNION ALL SELECT owner, period, 0, spent_nano FROM spend WHERE owner NOT LIKE 'p%'
      ) SELECT owner, period, sum(due) AS due_nano, sum(spent) AS spent_nano FROM parts GROUP BY owner, period HAVING sum(due) <> sum(spent)`,
  },
  {
    name: 'what prepaid customers have left is what they paid less what they used',
    of: 'SELECT count(*) AS n FROM customers WHERE prepaid',
    sql: `SELECT customer_id, sum(due) AS used_less_paid_nano, sum(spent) AS spent_nano FROM (
        SELECT customer_id, amount AS due, 0 AS spent FROM (${BALANCE_PARTS})
        UNION ALL SELECT CAST(substr(owner, 2) AS INTEGER), 0, spent_nano FROM spend WHERE owner LIKE 'p%'
      ) GROUP BY customer_id HAVING sum(due) <> sum(spent)`,
  },
  {
    // That two sums agree does not say that there is someone whose sum it is.
    name: 'spend belongs to customers, to prepaid ones as a balance, and to keys with a budget of their own',
    of: 'SELECT count(DISTINCT owner) AS n FROM spend',
    sql: `SELECT owner, period, spent_nano FROM spend
      WHERE owner NOT IN (SELECT 'c' || id FROM customers UNION ALL SELECT 'k' || id FROM api_keys WHERE budget_nano IS NOT NULL)
        AND (period <> 0 OR owner NOT IN (SELECT 'p' || id FROM customers WHERE prepaid))`,
  },
  {
    name: 'no request is both running and ended',
    of: 'SELECT count(*) AS n FROM holds',
    sql: 'SELECT h.customer_id, h.id FROM holds h JOIN usage u ON u.customer_id = h.customer_id AND u.id = h.id',
  },
  {
    name: 'no usage is without its price',
    of: 'SELECT count(*) AS n FROM usage',
    sql: 'SELECT u.customer_id, u.id, u.price_id FROM usage u LEFT JOIN prices p ON p.id = u.price_id WHERE p.id IS NULL',
  },
  {
    name: 'no hold is long past its lease',
    of: 'SELECT count(*) AS n FROM holds',
    sql: `SELECT customer_id, id, expires_ms FROM holds WHERE expires_ms < CAST(unixepoch('subsec') * 1000 AS INTEGER) - ${SWEEP_GRACE_MS}`,
  },
  {
    name: 'what is posted cannot be changed',
    of: "SELECT count(*) AS n FROM sqlite_master WHERE type = 'trigger'",
    // A trigger of that name which forbids nothing is none, and one that nobody knows can change what is written.
    sql: `SELECT t.key AS "table", n.value AS "trigger", iif(m.name IS NULL, 'missing', 'forbids nothing') AS fault
      FROM json_each('${JSON.stringify(TRIGGERS_OF)}') t, json_each(t.value) n LEFT JOIN sqlite_master m ON m.type = 'trigger' AND m.name = n.value AND m.tbl_name = t.key
      WHERE m.sql IS NULL OR m.sql NOT LIKE '% BEFORE ' || iif(n.value LIKE '%_kept', 'DELETE', 'UPDATE') || ' ON ' || t.key || '%RAISE(ABORT%'
      UNION ALL SELECT tbl_name, name, 'not of the migrations' FROM sqlite_master WHERE type = 'trigger' AND name NOT IN (SELECT value FROM json_each('${JSON.stringify(TRIGGERS)}'))`,
  },
  ...INVOICE_PROOFS,
  ...ROW_PROOFS,
  ...SCHEMA_PROOFS,
]

type Row = Record<string, unknown>

export interface Proven {
  /** What was to be proved, as a sentence. */
  proof: string
  /** How many rows were looked at. */
  checked: number
  disagreeing: Row[]
}

/**
 * Asks every question; `all` answers SQL with rows by column name, of whatever database. Each question is one statement, so that a gateway
 * which is serving changes nothing in between; what was looked at is counted in one more. `most`: the most rows of each disagreement. `asking`
 * is told of each question before it is asked. Throws what `all` throws.
 */
export async function proveLedger(
  all: (sql: string) => Promise<Row[]>,
  { most, asking }: { most?: number; asking?: (proof: string) => void } = {},
): Promise<Proven[]> {
  const [counted = {}] = await all(`SELECT ${PROOFS.map(({ of }, index) => `(${of}) AS n${index}`).join(', ')}`)
  const proven: Proven[] = []
  for (const [index, { name, sql }] of PROOFS.entries()) {
    asking?.(name)
    const disagreeing = await all(most === undefined ? sql : `SELECT * FROM (${sql}) LIMIT ${most}`)
    proven.push({ proof: name, checked: Number(counted[`n${index}`] ?? 0), disagreeing })
  }
  return proven
}

// Ledgers that are broken on purpose, one promise each: a simulation that does not find them finds nothing.
import type { DatabaseSync, SQLInputValue, StatementSync } from 'node:sqlite'
import { periodOfDaySql } from '../../worker/ledger/periods.ts'
import type { Statement } from './store.ts'

type SqlRow = Record<string, SQLInputValue>

export interface Mutation {
  name: string
  /** What becomes of a statement. */
  sql?(sql: string): string
  /** When a statement is sent, before it is carried out. */
  sent?(db: DatabaseSync, statement: Statement): void
  /** In place of what would be carried out; null: nothing is. */
  run?(db: DatabaseSync, statement: Statement): SqlRow[] | null
  /** A call that fails on the way leaves its first statement behind. */
  torn?: true
}

/** Replaces one text in the statements of a kind. Throws where such a statement does not have it: the mutation is out of date. */
function replacing(name: string, kind: RegExp, find: string, by: string): Mutation {
  return {
    name,
    sql(sql) {
      if (!kind.test(sql)) return sql
      if (!sql.includes(find)) throw new Error(`the mutation '${name}' finds no '${find}' in: ${sql}`)
      return sql.replaceAll(find, by)
    },
  }
}

const ADMIT = /^INSERT INTO holds/
const SETTLE = /^INSERT INTO usage \(/
const SETTLE_SPEND = /^INSERT INTO spend[\s\S]*FROM charged/
const ENDED = /WITH ended AS/
const REBUILD = /^INSERT INTO spend[\s\S]*budget_period[\s\S]*JOIN usage_daily/
const BALANCE = /^INSERT INTO spend[\s\S]*JOIN payments/
const DAILY = /^INSERT INTO usage_daily/
const LATE = /^INSERT INTO adjustments[\s\S]*WITH late/
const REFUND = /^INSERT INTO adjustments[\s\S]*'refund:'/
const PAYMENT = /^INSERT INTO payments[\s\S]*->> 'amountNano'/
const BY_HAND = /^INSERT INTO payments[\s\S]*'manual', \?4/

/** The hold is written where a decision from when the call was sent says so: what was committed in between is not seen. */
const staleAdmission = (): Mutation => {
  const decided = new Map<unknown, { hold: SqlRow | undefined; rows: SqlRow[] }>()
  let reading: StatementSync | null = null
  return {
    name: 'the admission reads before its transaction',
    sent(db, { sql, params }) {
      if (!ADMIT.test(sql)) return
      db.exec('SAVEPOINT reading')
      reading ??= db.prepare(sql)
      const rows = reading.all(...(params as SQLInputValue[])) as SqlRow[]
      const hold = db.prepare('SELECT * FROM holds WHERE id = ?').get(JSON.parse(String(params[0])).id) as SqlRow | undefined
      db.exec('ROLLBACK TO reading; RELEASE reading')
      decided.set(params[0], { hold, rows })
    },
    run(db, { sql, params }) {
      const then = ADMIT.test(sql) ? decided.get(params[0]) : undefined
      if (then?.hold === undefined || then.rows.length === 0) return null
      const columns = Object.keys(then.hold)
      const insert = `INSERT INTO holds (${columns}) VALUES (${columns.map(() => '?')}) ON CONFLICT DO NOTHING`
      return db.prepare(insert).run(...Object.values(then.hold)).changes === 0 ? [] : then.rows
    },
  }
}

export const MUTATIONS: readonly Mutation[] = [
  replacing('the hold stays', /^\s*WITH ended/, 'DELETE FROM holds WHERE (', 'DELETE FROM holds WHERE false AND ('),
  replacing('holds do not weigh', ADMIT, '- spent - held', '- spent'),
  replacing('spend does not weigh', ADMIT, '- spent - held', '- held'),
  replacing('holds of the key do not weigh', ADMIT, '- k_spent - k_held', '- k_spent'),
  replacing('no budget is asked', ADMIT, "WHEN money_fit < least OR hold_nano > room_nano THEN 'budget_exceeded'", ''),
  replacing('an ask finds no ended request', ADMIT, 'u.id = v.id', 'false'),
  replacing('more than the hold is charged', SETTLE, 'iif(limited, min(full_nano, hold_nano), full_nano)', 'full_nano'),
  replacing('spend forgets keys', SETTLE_SPEND, 'k_budget_nano IS NOT NULL\n', 'false\n'),
  replacing('spend is put in place of the sum', SETTLE_SPEND, 'spent_nano + excluded.spent_nano', 'excluded.spent_nano'),
  replacing('spend is of the day of the end', SETTLE_SPEND, 'h.created_ms / 86400000', "CAST(unixepoch('subsec') AS INTEGER) / 86400"),
  replacing('daily sums forget requests', DAILY, 'requests = requests + excluded.requests', 'requests = requests'),
  replacing('daily sums forget cache writes', DAILY, 'cache_write_tokens + excluded.cache_write_tokens', 'cache_write_tokens'),
  replacing('a renewed lease is swept', SETTLE, '<= CAST(?2 AS INTEGER)', '<= CAST(?2 AS INTEGER) + 60000'),
  replacing('a checkpoint is lost', /^UPDATE holds SET/, "max(checkpoint_nano, ?1 ->> 'costNano')", 'checkpoint_nano'),
  replacing('a late end weighs no holds', LATE, 'coalesce(sum(hold_nano), 0)', '0'),
  replacing('a late end asks no budget', LATE, 'coalesce(budget_nano -', 'coalesce(9e15 -'),
  replacing('a late end counts twice', LATE, "'late:' || id, key_id", "'late:' || id || (SELECT count(*) FROM adjustments), key_id"),
  replacing('a late end is of the day it comes', LATE, 'u.created_ms / 86400000', "CAST(unixepoch('subsec') AS INTEGER) / 86400"),
  replacing('a new budget forgets adjustments', REBUILD, 'a.amount_nano', '0'),
  replacing('a new budget keeps old spend', /^DELETE FROM spend/, 'WHERE owner', 'WHERE false AND owner'),
  replacing('the balance does not weigh', ADMIT, 'coalesce(balance - held_ever, 9000000000000000)', '9000000000000000'),
  replacing('holds do not weigh on the balance', ADMIT, 'balance - held_ever', 'balance'),
  replacing('only the holds of the period weigh on the balance', ADMIT, 'balance - held_ever', 'balance - held'),
  replacing(
    'only the spend of the period weighs on the balance',
    ADMIT,
    "-coalesce((SELECT spent_nano FROM spend WHERE owner = 'p' || c.id AND period = 0), 0)",
    `(SELECT coalesce(sum(amount_nano), 0) FROM payments y WHERE y.customer_id = c.id)
      - coalesce((SELECT spent_nano FROM spend s WHERE s.owner = 'c' || c.id AND s.period = ${periodOfDaySql('c.budget_period', 'a.now / 86400000')}), 0)`,
  ),
  replacing('the balance caps no charge', ENDED, 'c.prepaid OR c.budget_nano IS NOT NULL', 'c.budget_nano IS NOT NULL'),
  replacing('settlement forgets the balance', SETTLE_SPEND, 'ELSE prepaid END', 'ELSE false END'),
  replacing('settlement charges the balance of the postpaid', SETTLE_SPEND, 'ELSE prepaid END', 'ELSE true END'),
  replacing('a late end asks no balance', LATE, 'iif(prepaid, -coalesce', 'iif(false, -coalesce'),
  replacing('what Stripe booked is booked by hand', BY_HAND, 'iif(EXISTS', 'iif(false AND EXISTS'),
  replacing('what was booked by hand is booked by Stripe', PAYMENT, "p.id > 'manual:'", 'false'),
  replacing('a reference counts twice', PAYMENT, "AND p.reference = ?1 ->> 'reference'", 'AND false'),
  replacing(
    'a late end goes into an invoiced month',
    LATE,
    'iif(EXISTS (SELECT 1 FROM invoices',
    'iif(false AND EXISTS (SELECT 1 FROM invoices',
  ),
  replacing(
    'a refund goes into an invoiced month',
    REFUND,
    'iif(EXISTS (SELECT 1 FROM invoices',
    'iif(false AND EXISTS (SELECT 1 FROM invoices',
  ),
  replacing('a refund asks no invoice', REFUND, 'max(0, left_nano)', '9e15'),
  replacing('a refund counts twice', REFUND, "'refund:' || id", "'refund:' || id || (SELECT count(*) FROM adjustments)"),
  replacing(
    'the balance forgets what was paid back',
    BALANCE,
    'ON p.customer_id = c.id WHERE',
    'ON p.customer_id = c.id AND p.amount_nano > 0 WHERE',
  ),
  replacing('the balance forgets adjustments', BALANCE, 'a.amount_nano', '0'),
  replacing('the sweep takes nothing', /^SELECT customer_id AS customerId/, 'expires_ms <= n.now', 'false'),
  { name: 'a batch is no transaction', torn: true },
  staleAdmission(),
]

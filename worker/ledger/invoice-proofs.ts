// What the books of invoices have to say: the same questions as in proofs.ts, of rows that were written for good.
import { refundedSinceSql, returnableSql } from './given-back.ts'
import type { Proof } from './proofs.ts'

const NUMBER = "printf('%d-%04d', year, seq)"
const NEXT_MONTH = "unixepoch(i.month * 86400, 'unixepoch', '+1 month') / 86400"
const DAYS = `day >= i.month AND day < ${NEXT_MONTH}`
/** A credit note's adjustment is on the credit note, and on no invoice. */
const IS_CREDIT = "id LIKE 'credit-note:%'"

export const INVOICE_PROOFS: readonly Proof[] = [
  {
    name: 'invoices are usage and adjustments of their month',
    of: "SELECT count(*) AS n FROM invoices WHERE kind = 'invoice'",
    sql: `SELECT number, customer_id, period, usage_nano, due_usage_nano, adjustments_nano, due_adjustments_nano FROM (
        SELECT ${NUMBER} AS number, i.customer_id, i.month AS period, i.usage_nano, i.adjustments_nano,
          (SELECT coalesce(sum(d.cost_nano), 0) FROM usage_daily d WHERE d.customer_id = i.customer_id AND ${DAYS}) AS due_usage_nano,
          (SELECT coalesce(sum(a.amount_nano), 0) FROM adjustments a WHERE a.customer_id = i.customer_id AND ${DAYS} AND NOT a.${IS_CREDIT}) AS due_adjustments_nano
        FROM invoices i WHERE i.kind = 'invoice'
      ) WHERE usage_nano <> due_usage_nano OR adjustments_nano <> due_adjustments_nano`,
  },
  {
    name: 'credit notes are adjustments, and take back no more than their invoice',
    of: "SELECT count(*) AS n FROM invoices WHERE kind = 'credit_note'",
    sql: `WITH parts AS (
        SELECT customer_id, 'credit-note:' || ${NUMBER} AS id, adjustments_nano AS due, 0 AS posted, 1 AS notes FROM invoices WHERE kind = 'credit_note'
        UNION ALL SELECT customer_id, id, 0, amount_nano, 0 FROM adjustments WHERE ${IS_CREDIT}
      ) SELECT customer_id, id, sum(due) AS credited_nano, sum(posted) AS posted_nano FROM parts
      GROUP BY customer_id, id HAVING sum(due) <> sum(posted) OR sum(notes) <> 1
      UNION ALL
      SELECT customer_id, number, credited + refunded, net_cents * 10000000 FROM (
        SELECT i.*, ${NUMBER} AS number, coalesce(c.net, 0) AS net, coalesce(c.tax, 0) AS tax, coalesce(c.net, 0) * 10000000 AS credited, ${refundedSinceSql('i')} AS refunded
        FROM invoices i LEFT JOIN (SELECT corrects, -sum(net_cents) AS net, -sum(tax_cents) AS tax FROM invoices WHERE corrects IS NOT NULL GROUP BY corrects) c ON c.corrects = i.id
        WHERE i.kind = 'invoice'
      ) i WHERE credited > 0 AND (net > net_cents OR tax > tax_cents) OR credited + refunded > ${returnableSql('i')}`,
  },
  {
    name: 'numbers of invoices are gapless in each year',
    of: 'SELECT count(*) AS n FROM invoices',
    sql: 'SELECT year, count(*) AS invoices, max(seq) AS last FROM invoices GROUP BY year HAVING count(*) <> max(seq)',
  },
  {
    name: 'remainders of invoices are carried over',
    of: 'SELECT count(*) AS n FROM invoices',
    sql: `SELECT customer_id, ${NUMBER} AS number, carried_nano, before_nano FROM (
        SELECT *, lag(remainder_nano, 1, 0) OVER (PARTITION BY customer_id ORDER BY id) AS before_nano FROM invoices
      ) WHERE carried_nano <> before_nano`,
  },
]

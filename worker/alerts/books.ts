// What the books tell the operator: requests that used more than was held, holds that nobody ends, proofs that failed.
import { SWEEP_GRACE_MS } from '../ledger/proofs.ts'
import { formatUsd } from '../money.ts'
import { type Alert, type Kind, minuteText, payloadOf } from './alert.ts'

/** How far back it is looked for what was settled or proved, milliseconds: a gateway whose schedule stood still for so long tells it all the same. */
const LOOK_BACK_MS = 3_600_000

interface Question {
  sql: string
  params(nowMs: number): number[]
  alert(row: Row, nowMs: number): Alert
}

type Row = Record<string, string | number>

const QUESTIONS: Partial<Record<Kind, Question>> = {
  over: {
    // By the index of just these rows; the newest, since an older one was told a minute ago.
    sql: `SELECT u.id, u.customer_id, c.name AS customer_name, u.model, u.cost_nano, u.over_nano, u.settled_ms FROM usage u JOIN customers c ON c.id = u.customer_id
      WHERE u.over_nano > 0 AND u.settled_ms > CAST(? AS INTEGER) ORDER BY u.settled_ms DESC LIMIT 100`,
    params: (nowMs) => [nowMs - LOOK_BACK_MS],
    alert: (row, nowMs) => ({
      id: `over:${row.id}`,
      atMs: Number(row.settled_ms),
      payload: payloadOf('over', nowMs, {
        severity: 'warning',
        title: 'A request used more than was held',
        message: `${row.customer_name} (customer ${row.customer_id}) was charged $${formatUsd(Number(row.cost_nano))} for a request to ${row.model}; $${formatUsd(Number(row.over_nano))} more was used and is not charged. Request ${row.id}.`,
        data: {
          request_id: String(row.id),
          customer_id: Number(row.customer_id),
          model: String(row.model),
          cost_usd: formatUsd(Number(row.cost_nano)),
          over_usd: formatUsd(Number(row.over_nano)),
        },
      }),
    }),
  },
  stuck: {
    sql: `SELECT h.id, h.customer_id, c.name AS customer_name, h.model, h.hold_nano, h.expires_ms FROM holds h JOIN customers c ON c.id = h.customer_id
      WHERE h.expires_ms < CAST(? AS INTEGER) ORDER BY h.expires_ms LIMIT 100`,
    params: (nowMs) => [nowMs - SWEEP_GRACE_MS],
    alert: (row, nowMs) => ({
      id: `stuck:${row.id}`,
      atMs: nowMs,
      payload: payloadOf('stuck', nowMs, {
        severity: 'critical',
        title: 'A hold is stuck',
        message: `The sweep should have settled request ${row.id} of ${row.customer_name} (customer ${row.customer_id}, ${row.model}) after ${minuteText(Number(row.expires_ms))}: $${formatUsd(Number(row.hold_nano))} is still held. See verify-ledger and the log.`,
        data: {
          request_id: String(row.id),
          customer_id: Number(row.customer_id),
          model: String(row.model),
          held_usd: formatUsd(Number(row.hold_nano)),
          lease_ended_at: new Date(Number(row.expires_ms)).toISOString(),
        },
      }),
    }),
  },
  verification: {
    sql: `SELECT id, findings, created_ms FROM (SELECT * FROM verifications ORDER BY id DESC LIMIT 20)
      WHERE ok = 0 AND created_ms > CAST(? AS INTEGER)`,
    params: (nowMs) => [nowMs - LOOK_BACK_MS],
    alert: (row, nowMs) => ({
      id: `verification:${row.id}`,
      atMs: Number(row.created_ms),
      payload: payloadOf('verification', nowMs, {
        severity: 'critical',
        title: 'The ledger disagrees',
        message: `The proof of ${minuteText(Number(row.created_ms))} found ${row.findings} ${row.findings === 1 ? 'row' : 'rows'} that cannot be so. See verify-ledger.`,
        data: {
          verification_id: Number(row.id),
          findings: Number(row.findings),
          verified_at: new Date(Number(row.created_ms)).toISOString(),
        },
      }),
    }),
  },
}

/** Alerts of these kinds, for the operator. One D1 call. */
export async function bookAlerts(db: D1Database, wants: (kind: Kind) => boolean, nowMs: number): Promise<Alert[]> {
  const asked = Object.entries(QUESTIONS).flatMap(([kind, question]) => (wants(kind as Kind) ? [question] : []))
  if (asked.length === 0) return []
  const answers = await db.batch<Row>(asked.map(({ sql, params }) => db.prepare(sql).bind(...params(nowMs))))
  return answers.flatMap(({ results }, index) => results.map((row) => (asked[index] as Question).alert(row, nowMs)))
}

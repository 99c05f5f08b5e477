// What an alert is: its kinds, what it holds, and for whom it may be.

const KINDS = ['budget', 'balance', 'over', 'verification', 'stuck', 'host', 'model', 'access-token', 'test'] as const
export type Kind = (typeof KINDS)[number]
/** What can be chosen for a target; a test comes when it is asked for. */
export const OPERATOR_KINDS = KINDS.filter((kind) => kind !== 'test')
/** A customer is told of their own budgets and balance. The rest is the operator's. */
export const CUSTOMER_KINDS: readonly Kind[] = ['budget', 'balance']
export const THRESHOLDS = [50, 80, 100]

export type Severity = 'info' | 'warning' | 'critical'

/** What is kept of an alert and sent, whatever the format. */
export interface Payload {
  type: Kind
  /** ISO 8601: when it was noticed. */
  timestamp: string
  severity: Severity
  title: string
  message: string
  data: Record<string, string | number | boolean | null>
}

export interface Alert {
  /** What it is about; each target is told of an id once. */
  id: string
  payload: Payload
  /** When it happened, milliseconds: a target that came later is not told. */
  atMs: number
  /** The one target it is for; without one, each of the operator's that wants its kind. */
  targetId?: number
}

/** The rest of a payload is words. */
export function payloadOf(type: Kind, nowMs: number, words: Omit<Payload, 'type' | 'timestamp'>): Payload {
  return { type, timestamp: new Date(nowMs).toISOString(), ...words }
}

/** 2026-11-24 12:00 UTC. */
export function minuteText(ms: number): string {
  return `${new Date(ms).toISOString().slice(0, 16).replace('T', ' ')} UTC`
}

/** SQL: whether a target `t` wants alerts of a kind, which is an expression. */
export function wantsSql(kind: string): string {
  return `(t.kinds IS NULL OR EXISTS (SELECT 1 FROM json_each(t.kinds) WHERE value = ${kind}))`
}

/** `?1` are alerts as JSON, `?2` is now. Of two that notice the same, one writes it. */
const WRITE = `INSERT INTO alerts (target_id, id, kind, payload, next_ms, created_ms)
SELECT t.id, e.value ->> 'id', e.value ->> '$.payload.type', e.value -> 'payload', CAST(?2 AS INTEGER), CAST(?2 AS INTEGER)
FROM json_each(?1) e JOIN alert_targets t ON t.removed_ms IS NULL AND iif(e.value ->> 'targetId' IS NULL,
  t.customer_id IS NULL AND ${wantsSql("e.value ->> '$.payload.type'")} AND t.created_ms <= e.value ->> 'atMs', t.id = e.value ->> 'targetId')
WHERE true ON CONFLICT DO NOTHING RETURNING id`

/** The statement that lays alerts down for delivery; one that is there already stays as it is. */
export function writeAlerts(db: D1Database, alerts: readonly Alert[], nowMs: number): D1PreparedStatement {
  return db.prepare(WRITE).bind(JSON.stringify(alerts), nowMs)
}

// Test support: targets of alerts, and what has been laid down for them.
import type { Payload } from '../alerts/alert.ts'
import type { Look } from '../alerts/host.ts'
import { watch } from '../alerts/watch.ts'
import { db } from './ledger.ts'

interface TestTarget {
  customerId?: number
  url?: string
  format?: string
  kinds?: string[]
  thresholds?: number[]
  createdMs?: number
}

export async function makeTarget(target: TestTarget = {}): Promise<number> {
  const { customerId = null, url = 'https://example.com/hook', format = 'json', kinds, thresholds = [50, 80, 100], createdMs = 0 } = target
  const id = await db
    .prepare('INSERT INTO alert_targets (customer_id, url, format, kinds, thresholds, created_ms) VALUES (?, ?, ?, ?, ?, ?) RETURNING id')
    .bind(customerId, url, format, kinds === undefined ? null : JSON.stringify(kinds), JSON.stringify(thresholds), createdMs)
    .first<number>('id')
  return id ?? 0
}

/** No target, no alert, nothing spent and nobody prepaid, so that a test sees its own alone. */
export async function withoutTargets(): Promise<void> {
  await db.batch(
    [
      'DELETE FROM alerts',
      'DELETE FROM alert_targets',
      'DELETE FROM alert_state',
      'DELETE FROM spend',
      'UPDATE customers SET prepaid = 0',
    ].map((sql) => db.prepare(sql)),
  )
}

export const WELL: Look = { host: null, models: null }

/** One minute's look. */
export function watchAt(nowMs: number, { found = WELL, accessTokenExpiresDay = null as number | null } = {}): Promise<void> {
  return watch({ db, nowMs, config: { accessTokenExpiresDay }, look: async () => found })
}

/** What was laid down for a target, oldest first. */
export async function alertsOf(targetId: number): Promise<(Payload & { id: string })[]> {
  const { results } = await db
    .prepare('SELECT id, payload FROM alerts WHERE target_id = ? ORDER BY created_ms, id')
    .bind(targetId)
    .all<{ id: string; payload: string }>()
  return results.map(({ id, payload }) => ({ id, ...(JSON.parse(payload) as Payload) }))
}

export async function idsOf(targetId: number): Promise<string[]> {
  return (await alertsOf(targetId)).map(({ id }) => id)
}

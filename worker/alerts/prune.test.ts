// Old alerts on a real D1: what has been delivered or given up goes, what would be told again stays.
import { beforeAll, beforeEach, expect, test } from 'vitest'
import { DAY_MS } from '../ledger/periods.ts'
import { idsOf, makeTarget, watchAt, withoutTargets } from '../testing/alerts.ts'
import { db, makeCustomer, migrate, payIn, usd } from '../testing/ledger.ts'
import { PRUNE, pruneAlerts } from './prune.ts'

beforeAll(migrate)
beforeEach(withoutTargets)

const NOW = Date.UTC(2026, 10, 24, 12)
const OLD = NOW - 90 * DAY_MS - 1

/** Delivered when it was written, unless told. */
const lay = (
  target: number,
  id: string,
  { createdMs = OLD, deliveredMs = createdMs as number | null, gaveUpMs = null as number | null } = {},
) =>
  db
    .prepare(
      "INSERT INTO alerts (target_id, id, kind, payload, next_ms, delivered_ms, gave_up_ms, created_ms) VALUES (?, ?, 'host', '{}', 0, ?, ?, ?)",
    )
    .bind(target, id, deliveredMs, gaveUpMs, createdMs)
    .run()

test('what is older than 90 days and over goes; what is newer, or still to be delivered, stays', async () => {
  const target = await makeTarget()
  await lay(target, 'delivered')
  await lay(target, 'given up', { deliveredMs: null, gaveUpMs: OLD })
  await lay(target, 'due', { deliveredMs: null })
  await lay(target, 'of 90 days', { createdMs: NOW - 90 * DAY_MS })
  expect(await pruneAlerts(db, NOW)).toBe(2)
  expect((await idsOf(target)).sort()).toEqual(['due', 'of 90 days'])
  expect(await pruneAlerts(db, NOW)).toBe(0)
})

test('a budget that never renews is not told again because its alert has grown old', async () => {
  const customer = await makeCustomer({ budget: '5', period: 'total' })
  await db.prepare('INSERT INTO spend (owner, period, spent_nano) VALUES (?, 0, ?)').bind(`c${customer}`, usd('4.5')).run()
  const target = await makeTarget()
  await watchAt(OLD)
  await db.prepare('UPDATE alerts SET delivered_ms = created_ms').run()
  const told = await idsOf(target)
  expect(told).toEqual([`budget:c${customer}:0:5000000000:80`])
  expect(await pruneAlerts(db, NOW)).toBe(0)
  await watchAt(NOW)
  expect(await idsOf(target)).toEqual(told)
  await db.prepare('UPDATE alert_targets SET removed_ms = 1').run()
  expect(await pruneAlerts(db, NOW)).toBe(1)
})

test('a balance is not told again because its alert has grown old, until the next payment comes', async () => {
  const customer = await makeCustomer({ prepaid: '0' })
  await payIn(customer, usd('5'), 7)
  const low = () =>
    db.prepare('INSERT OR REPLACE INTO spend (owner, period, spent_nano) VALUES (?, 0, ?)').bind(`p${customer}`, -usd('0.1')).run()
  await low()
  const target = await makeTarget()
  await watchAt(OLD)
  await db.prepare('UPDATE alerts SET delivered_ms = created_ms').run()
  expect(await pruneAlerts(db, NOW)).toBe(0)
  await watchAt(NOW)
  expect(await idsOf(target)).toEqual([`balance:c${customer}:7:80`])
  await payIn(customer, usd('1'), 8)
  expect(await pruneAlerts(db, NOW)).toBe(1)
  await low()
  await watchAt(NOW)
  expect(await idsOf(target)).toEqual([`balance:c${customer}:8:80`])
})

test('a night deletes no more than 5,000, oldest first, and looks at old alerts alone', async () => {
  const target = await makeTarget()
  await db
    .prepare(
      `INSERT INTO alerts (target_id, id, kind, payload, next_ms, delivered_ms, created_ms)
       WITH RECURSIVE n(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM n WHERE n < 5001) SELECT ?1, 'host:' || n, 'host', '{}', 0, 0, n FROM n`,
    )
    .bind(target)
    .run()
  expect(await pruneAlerts(db, NOW)).toBe(5000)
  expect(await idsOf(target)).toEqual(['host:5001'])
  const { results } = await db.prepare(`EXPLAIN QUERY PLAN ${PRUNE}`).bind(NOW).all<{ detail: string }>()
  const details = results.map(({ detail }) => detail)
  expect(details.join('\n')).toContain('SEARCH a USING INDEX alerts_by_age (created_ms<?)')
  expect(details.filter((detail) => detail.startsWith('SCAN'))).toEqual([])
})

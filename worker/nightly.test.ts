// The nightly proof on a real D1: what it keeps, what it logs, what /health says of it.
import { createExecutionContext, createScheduledController } from 'cloudflare:test'
import { env } from 'cloudflare:workers'
import { beforeAll, expect, test, vi } from 'vitest'
import { app } from './app.ts'
import worker from './index.ts'
import { NIGHTLY_CRON } from './nightly.ts'
import { db, makeCustomer, migrate } from './testing/ledger.ts'

beforeAll(migrate)

async function night(cron = NIGHTLY_CRON): Promise<Record<string, unknown>[]> {
  const lines: string[] = []
  const log = vi.spyOn(console, 'log').mockImplementation((line) => void lines.push(line))
  await worker.scheduled(createScheduledController({ cron }), env, createExecutionContext())
  log.mockRestore()
  return lines.map((line) => JSON.parse(line))
}

/** Past what is remembered of the last answer. */
async function health(): Promise<Record<string, unknown>> {
  vi.useFakeTimers({ now: Date.now() + 3_600_000 * ++hours, toFake: ['Date'] })
  const response = await app.fetch(new Request('http://gateway/health'), env, createExecutionContext())
  vi.useRealTimers()
  expect(response.status).toBe(200)
  return response.json()
}
let hours = 0

test('before the first night /health says so; the sweep proves nothing', async () => {
  await night('* * * * *')
  expect(await health()).toMatchObject({ schema: 'ok', ledger: 'not verified yet', verified: null })
})

test('a ledger that agrees is kept as that, and logged in one line', async () => {
  expect(await night()).toEqual([{ event: 'verified', findings: 0, proofs: expect.any(Number) }])
  expect(await db.prepare('SELECT ok, findings, report FROM verifications').all()).toMatchObject({
    results: [{ ok: 1, findings: 0, report: '[]' }],
  })
  expect(await health()).toMatchObject({ ledger: 'agrees', verified: { ok: true, findings: 0, at: expect.stringMatching(/^\d{4}-.*Z$/) } })
})

test('one that does not is logged by proof, kept with its rows, and told by /health, which stays a 200', async () => {
  const customer = await makeCustomer()
  await db.prepare("INSERT INTO spend VALUES ('c' || CAST(? AS INTEGER), 0, 5)").bind(customer).run()
  const [, error] = await night()
  expect(error).toMatchObject({ event: 'error', code: 'verification_failed', proof: 'spend is usage and adjustments', findings: 1 })
  expect(error?.first).toBe('{"owner":"c1","period":0,"due_nano":0,"spent_nano":5}')
  const kept = await db.prepare('SELECT ok, report FROM verifications ORDER BY id DESC').first<{ ok: number; report: string }>()
  expect([kept?.ok, JSON.parse(kept?.report ?? '')]).toEqual([
    0,
    [{ proof: 'spend is usage and adjustments', findings: 1, rows: [{ owner: 'c1', period: 0, due_nano: 0, spent_nano: 5 }] }],
  ])
  expect(await health()).toMatchObject({ ledger: 'disagrees', verified: { ok: false, findings: 1 } })
})

test('where the database is away at night, that is logged, and nothing is thrown', async () => {
  vi.spyOn(env.DB, 'prepare').mockImplementationOnce(() => {
    throw new Error('D1_ERROR: away')
  })
  expect(await night()).toEqual([{ event: 'error', code: 'verification_not_done', message: 'Error: D1_ERROR: away' }])
})

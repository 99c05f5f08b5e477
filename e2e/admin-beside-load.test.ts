// The owner's commands beside 50 parallel streams: neither fails, and what a command changes counts at once.
import { execFile } from 'node:child_process'
import { promisify } from 'node:util'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { startTestGateway, type TestGateway } from './harness.ts'
import { expectProved, usageOf } from './ledger.ts'

let gateway: TestGateway

beforeAll(async () => {
  gateway = await startTestGateway({ standIn: { pace: 5 }, vars: { HOST_CONCURRENCY: '200' } })
  await gateway.setPrice('*', { request: '0.0001' })
})
afterAll(() => gateway.stop())

/** `npm run admin -- … --json` as the owner runs it, in a process of its own. Throws where it fails. */
async function admin(...args: string[]): Promise<unknown> {
  const { stdout } = await promisify(execFile)(
    process.execPath,
    ['--disable-warning=ExperimentalWarning', 'scripts/admin.ts', ...args, '--json'],
    { env: { ...process.env, STATE_DIR: gateway.stateDir } },
  )
  return JSON.parse(stdout)
}

test('commands run beside 50 parallel streams without one of either failing', { timeout: 120_000 }, async () => {
  const customer = await gateway.makeCustomer({ budgetUsd: '100' })
  let commandsDone = false
  let streams = 0
  async function stream(): Promise<void> {
    const response = await fetch(`${gateway.url}/api/chat`, {
      method: 'POST',
      headers: { authorization: `Bearer ${customer.key}` },
      body: JSON.stringify({ model: 'gemma3:270m', messages: [{ role: 'user', content: 'Why?' }], options: { num_predict: 40 } }),
    })
    const text = await response.text()
    expect([response.status, text.includes('"done":true')]).toEqual([200, true])
    streams++
    if (!commandsDone) await stream()
  }
  const load = Array.from({ length: 50 }, stream)
  const commands = async () => {
    const made = (await admin('create-customer', 'Beside', 'beside@example.com', '--budget', '1')) as { id: number }
    const key = (await admin('generate-key', String(made.id), '--name', 'one')) as { key: string; id: number }
    const call = () => fetch(`${gateway.url}/account/budget`, { headers: { authorization: `Bearer ${key.key}` } })
    expect((await call()).status).toBe(200)
    await admin('update-customer', String(made.id), '--budget', '2', '--period', 'day')
    expect(await (await call()).json()).toMatchObject({ account: { budget_usd: '2', period: 'day' } })
    await admin('set-pricing', 'toy-tools', '0.5', '0')
    await Promise.all([admin('usage-report'), admin('list-keys'), admin('check-budget', String(customer.id))])
    await admin('revoke-key', String(key.id), '--yes')
    expect((await call()).status).toBe(401)
    expect(await admin('verify-ledger')).toMatchObject({ ok: true })
  }
  try {
    await commands()
  } finally {
    commandsDone = true
  }
  await Promise.all(load)
  await expectProved(gateway.db)
  const rows = await usageOf(gateway.db, customer.id)
  expect(streams).toBeGreaterThan(50)
  expect([rows.length, rows.every((row) => row.outcome === 'completed')]).toEqual([streams, true])
})

import { readFile, stat, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { gunzipSync } from 'node:zlib'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { plain, readTables } from '../backup/tables.ts'
import { begin, makeCustomer, makeKey, priceAll, request, type TestDatabase, type TestKey, testDatabase } from './testing.ts'

let t: TestDatabase
let key: TestKey
let own: TestKey

beforeAll(async () => {
  t = await testDatabase()
  await priceAll(t)
  const customer = await makeCustomer(t, '--budget', '50', '--period', 'week')
  key = await makeKey(t, customer)
  own = await makeKey(t, customer, '--budget', '10', '--period', 'day')
  for (const one of [key, own]) {
    await request(t, one, { cost: '0.000000003' })
    await request(t, one, { outcome: 'failed', cost: '0' })
    await request(t, one, { atMs: Date.now() - 100 * 86_400_000, cost: '0.5' })
  }
})
afterAll(() => t.close())

const path = (name: string) => join(t.stateDir, name)

/** Every row of every table, and where ids go on; but what a restore itself notes. */
async function everything(of: TestDatabase): Promise<Record<string, unknown>> {
  const tables = await readTables(of.db)
  const rows = await of.db.batch([
    ...tables.map(({ name, key }) => plain(`SELECT * FROM "${name}" ORDER BY ${key.join(', ')}`)),
    plain("SELECT name, seq FROM sqlite_sequence WHERE name NOT IN ('d1_migrations', 'audit_log') ORDER BY name"),
  ])
  const found = Object.fromEntries([...tables.map(({ name }) => name), 'sequences'].map((name, index) => [name, rows[index]]))
  return { ...found, audit_log: found.audit_log?.filter(({ command }) => command !== 'restore') }
}

/** Runs `use` on a fresh database. */
async function elsewhere<T>(use: (other: TestDatabase) => Promise<T>): Promise<T> {
  const other = await testDatabase()
  return use(other).finally(() => other.close())
}

test.each(['all.jsonl', 'all.jsonl.gz'])('%s holds every row, and comes back elsewhere as it was, proved', async (name) => {
  const made = await t.admin('backup', '--output', name, '--json')
  expect(made.code, made.err).toBe(0)
  expect(made.json()).toMatchObject({ migration: expect.stringMatching(/^\d{4}_.*\.sql$/), tables: { usage: 6, api_keys: 2 } })
  expect((await stat(path(name))).mode & 0o777).toBe(0o600)
  await elsewhere(async (other) => {
    const restored = await other.admin('restore', path(name), '--json')
    expect(restored.code, restored.err).toBe(0)
    expect(restored.json()).toMatchObject({ ok: true, findings: 0, settled: 0, keys_ended: 0, tables: { usage: 6 } })
    expect(await everything(other)).toEqual(await everything(t))
    // Ids go on, and the keys work.
    expect(await makeCustomer(other)).toBe((await makeCustomer(t)) as number)
    await request(other, own)
    expect((await other.admin('verify-ledger')).code).toBe(0)
  })
})

test('standard output is the same file', async () => {
  const { code, out, err } = await t.admin('backup', '--output', '-')
  expect([code, err]).toEqual([0, expect.stringMatching(/^\d+ rows written\.\n$/)])
  await writeFile(path('piped.jsonl'), out)
  await elsewhere(async (other) => {
    expect((await other.admin('restore', path('piped.jsonl'))).code).toBe(0)
    expect(await everything(other)).toEqual(await everything(t))
  })
  expect(await t.admin('backup', '--output', '-', '--json')).toMatchObject({ code: 2, out: '' })
})

test('a file that exists is replaced only after a yes', async () => {
  await writeFile(path('mine'), 'mine')
  expect(await t.admin('backup', '--output', 'mine')).toMatchObject({ code: 2, err: expect.stringContaining('--yes is missing') })
  expect((await t.adminIn({ answer: false }, 'backup', '--output', 'mine')).code).toBe(1)
  expect(await readFile(path('mine'), 'utf8')).toBe('mine')
  expect((await t.adminIn({ answer: true }, 'backup', '--output', 'mine')).code).toBe(0)
  expect(await readFile(path('mine'), 'utf8')).toContain('gateway-backup')
  expect(await t.admin('backup', '--output', 'nowhere/x')).toMatchObject({ code: 1, err: expect.stringContaining('nowhere/x (ENOENT)') })
})

test('what was in flight is settled at its checkpoint, and the ledger agrees', async () => {
  const running = await begin(t, own)
  await t.db.all('UPDATE holds SET checkpoint_nano = 7, checkpoint_output = 3, checkpoint_gpu_ms = 7 WHERE id = ?', [running])
  await t.admin('backup', '--output', 'running.jsonl.gz')
  expect(gunzipSync(await readFile(path('running.jsonl.gz'))).toString()).toContain(running)
  await elsewhere(async (other) => {
    const { code, out } = await other.admin('restore', path('running.jsonl.gz'))
    expect([code, out]).toEqual([0, expect.stringContaining('1 request in flight then: settled as expired')])
    const [row] = await other.db.all('SELECT outcome, cost_nano, output_tokens FROM usage WHERE id = ?', [running])
    expect(row).toEqual({ outcome: 'expired', cost_nano: 7, output_tokens: 3 })
    expect(await other.db.all('SELECT command, target FROM audit_log WHERE command = ?', ['restore'])).toEqual([
      { command: 'restore', target: expect.stringMatching(/^backup of \d{4}-.*Z$/) },
    ])
  })
})

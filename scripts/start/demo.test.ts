import { mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { keyHash } from '../../worker/keys.ts'
import { migrate } from '../database/migrate.ts'
import { demoKeyPath, findDemo, makeDemo, unpricedModels } from './demo.ts'
import { openRuntime, type Runtime } from './runtime.ts'

const NOW_MS = 1_795_000_000_000
const MODELS = [
  { name: 'gemma3:270m', chat: true },
  { name: 'embed-small:latest', chat: false },
]

let stateDir: string
let runtime: Runtime
let db: D1Database

beforeEach(async () => {
  stateDir = await mkdtemp(join(tmpdir(), 'demo-test-'))
  const bundle = { path: join(stateDir, 'index.js'), contents: 'export default { fetch: () => new Response() }' }
  runtime = await openRuntime({ bundle, stateDir, vars: {}, onLog: () => {}, onRestart: () => {} })
  db = runtime.db
  await migrate(db)
})

afterEach(async () => {
  await runtime.dispose()
  await rm(stateDir, { recursive: true })
})

test('migrations are applied once', async () => {
  expect(await migrate(db)).toEqual([])
  const { results } = await db.prepare('SELECT name FROM d1_migrations').all()
  expect(results).toContainEqual({ name: '0001_ledger.sql' })
})

test('a first run makes a customer with $5 a month, a key, and a price for every model', async () => {
  expect(await makeDemo(db, MODELS, stateDir, NOW_MS)).toBe(true)
  expect(await db.prepare('SELECT id, name, email, budget_nano, budget_period FROM customers').all()).toMatchObject({
    results: [{ id: 1, name: 'Demo', email: 'demo@example.com', budget_nano: 5_000_000_000, budget_period: 'month' }],
  })
  const { results } = await db
    .prepare('SELECT model, request_nano, model_nano, input_pico, cached_input_pico, output_pico FROM prices')
    .all()
  // $0.0001 a request; $0.10, $0.05 and $0.40 per million tokens are as many pico-dollars a token times 10^-6.
  const price = { request_nano: 100_000, model_nano: 0, input_pico: 100_000, cached_input_pico: 50_000, output_pico: 400_000 }
  expect(results).toEqual([
    { model: 'gemma3:270m', ...price },
    { model: 'embed-small:latest', ...price },
  ])
  expect(await unpricedModels(db, MODELS, NOW_MS)).toEqual([])
})

test('the key is kept for its owner alone, and only its hash is in the database', async () => {
  await makeDemo(db, MODELS, stateDir, NOW_MS)
  const path = demoKeyPath(stateDir)
  expect((await stat(path)).mode & 0o777).toBe(0o600)
  const key = (await readFile(path, 'utf8')).trim()
  expect(await db.prepare('SELECT hash FROM api_keys').first('hash')).toBe(keyHash(key))
  expect(await findDemo(db, stateDir, NOW_MS)).toEqual({ customerId: 1, key })
})

test('a database that has a customer is left alone', async () => {
  await db.prepare("INSERT INTO customers (name, email, created_ms) VALUES ('a', 'a@b.c', 0)").run()
  expect(await makeDemo(db, MODELS, stateDir, NOW_MS)).toBe(false)
  expect(await findDemo(db, stateDir, NOW_MS)).toBe(null)
  expect(await unpricedModels(db, MODELS, NOW_MS)).toEqual(['gemma3:270m', 'embed-small:latest'])
})

test('a key that is revoked, or whose file is gone or wrong, is not shown as working', async () => {
  await makeDemo(db, MODELS, stateDir, NOW_MS)
  await db.prepare('UPDATE api_keys SET revoked_ms = 1').run()
  expect(await findDemo(db, stateDir, NOW_MS)).toEqual({ customerId: 1, key: null })
  await db.prepare('UPDATE api_keys SET revoked_ms = NULL').run()
  await writeFile(demoKeyPath(stateDir), 'sk_nonsense\n')
  expect(await findDemo(db, stateDir, NOW_MS)).toEqual({ customerId: 1, key: null })
  await rm(demoKeyPath(stateDir))
  expect(await findDemo(db, stateDir, NOW_MS)).toEqual({ customerId: 1, key: null })
})

test('a model without a price in force is told of, unless * has one or it was withdrawn on purpose', async () => {
  const price = db.prepare('INSERT INTO prices (model, withdrawn, valid_from_ms, created_ms) VALUES (?, ?, ?, 0)')
  await price.bind('gemma3:270m', 0, NOW_MS + 1000).run()
  expect(await unpricedModels(db, MODELS, NOW_MS)).toEqual(['gemma3:270m', 'embed-small:latest'])
  expect(await unpricedModels(db, MODELS, NOW_MS + 1000)).toEqual(['embed-small:latest'])
  await price.bind('gemma3:270m', 1, NOW_MS + 2000).run()
  expect(await unpricedModels(db, MODELS, NOW_MS + 2000)).toEqual(['embed-small:latest'])
  await price.bind('*', 0, NOW_MS).run()
  expect(await unpricedModels(db, MODELS, NOW_MS + 2000)).toEqual([])
  await price.bind('*', 1, NOW_MS).run()
  expect(await unpricedModels(db, MODELS, NOW_MS + 2000)).toEqual(['embed-small:latest'])
})

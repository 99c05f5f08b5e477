// Backup and restore as the deployed database is reached: statements as JSON over HTTP, each call a transaction of its own.
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { databaseOver } from '../database/database.ts'
import { postStatements } from '../database/http.ts'
import { serveDatabase } from '../database/server.ts'
import { runCommand } from './run-command.ts'
import { begin, makeCustomer, makeKey, priceAll, request, type TestDatabase, testDatabase } from './testing.ts'

let t: TestDatabase
let other: TestDatabase
beforeAll(async () => {
  t = await testDatabase()
  other = await testDatabase()
})
afterAll(async () => {
  await t.close()
  await other.close()
})

async function overHttp(of: TestDatabase, ...args: string[]) {
  const { url, token, close } = await serveDatabase(of.d1)
  const endpoint = { url: `${url}/raw`, token, who: 'It', explain: () => null }
  const db = databaseOver({ run: (statements) => postStatements(endpoint, statements), migrateHint: '', close: async () => {} })
  const ran = await runCommand([...args, '--remote'], { directory: t.stateDir, environment: { STATE_DIR: t.stateDir } }, async () => ({
    db,
    gateway: null,
  }))
  await close()
  return ran
}

test('a backup that was read over HTTP is restored over HTTP, with its holds settled and its ledger proved', async () => {
  await priceAll(t)
  const key = await makeKey(t, await makeCustomer(t, '--budget', '50'))
  await request(t, key)
  const running = await begin(t, key)
  expect(await overHttp(t, 'backup', '--output', 'all.gz')).toMatchObject({ code: 0, err: '' })
  await t.admin('revoke-key', String(key.id), '--yes')
  expect(await readFile(join(t.stateDir, 'revocations.jsonl'), 'utf8')).toContain(key.hash)
  const { code, out, err } = await overHttp(other, 'restore', 'all.gz')
  expect([code, err]).toEqual([0, ''])
  expect(out).toContain('1 request in flight then: settled as expired')
  expect(out).toContain('1 key ended since: ended again.')
  expect(out).toContain('The ledger agrees.')
  expect(await other.db.all('SELECT outcome FROM usage WHERE id = ?', [running])).toEqual([{ outcome: 'expired' }])
})

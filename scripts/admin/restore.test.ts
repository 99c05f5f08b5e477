import { createHash } from 'node:crypto'
import { appendFile, readFile, rm, stat, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { gzipSync } from 'node:zlib'
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest'
import { markAndClear } from '../backup/empty.ts'
import { applyMigrations, migrate, migrationNames } from '../database/migrate.ts'
import { makeCustomer, makeKey, priceAll, request, type TestDatabase, type TestKey, testDatabase } from './testing.ts'

let t: TestDatabase
/** Where it is restored to. */
let other: TestDatabase
let key: TestKey
let text: string

beforeAll(async () => {
  t = await testDatabase()
  other = await testDatabase()
  await priceAll(t)
  key = await makeKey(t, await makeCustomer(t, '--budget', '50'))
  await request(t, key)
  await t.admin('backup', '--output', 'all')
  text = await readFile(join(t.stateDir, 'all'), 'utf8')
})
afterAll(async () => {
  await t.close()
  await other.close()
})

/** As it is after the migrations: without a row. */
beforeEach(async () => {
  await markAndClear(other.db)
  await other.db.all('DROP TABLE restore_in_progress')
  await migrate(other.d1)
})

const here = (name: string) => join(other.stateDir, name)

async function restore(content: string | Buffer, ...options: string[]) {
  await writeFile(here('given'), content)
  return other.admin('restore', 'given', ...options)
}

/** Restoring this says why not, and changes nothing. */
async function refused(content: string | Buffer, why: RegExp): Promise<void> {
  const before = await schema()
  const { code, out, err } = await restore(content, '--yes')
  expect([code, out], err).toEqual([1, ''])
  expect(err).toMatch(why)
  expect(await schema()).toEqual(before)
}

const schema = async () => [await other.dump(), await other.db.all('SELECT name, sql FROM sqlite_master ORDER BY name')]

test('a file that is cut anywhere is named as cut short', async () => {
  const lines = text.split(/(?<=\n)/)
  for (let count = 1; count < lines.length; count++) {
    await refused(lines.slice(0, count).join(''), /^error: .*given was cut short: after line \d+ the rest is missing/)
    // In the middle of the line.
    await refused(lines.slice(0, count).join('').slice(0, -5), /cut short|is no backup/)
  }
  await refused('', /is empty/)
  const zipped = gzipSync(text)
  for (const length of [zipped.length - 1, zipped.length >> 1, 30]) await refused(zipped.subarray(0, length), /cut short/)
})

test('a flipped byte is found, wherever it is', async () => {
  const bytes = Buffer.from(text)
  for (let at = 0; at < bytes.length; at += 97) {
    const flipped = Buffer.from(bytes)
    flipped[at] = (flipped[at] ?? 0) ^ (1 << (at % 7))
    await refused(flipped, /is damaged|is no backup|is of format|has the migration|cut short/)
  }
  const zipped = gzipSync(text)
  zipped[zipped.length >> 1] = (zipped[zipped.length >> 1] ?? 0) ^ 4
  await refused(zipped, /is damaged/)
})

test('lines in another order, twice, or too many are found', async () => {
  const lines = text.split(/(?<=\n)/)
  const rows = lines.findIndex((line) => line.startsWith('['))
  await refused([...lines.slice(0, rows), ...lines.slice(rows + 1)].join(''), /damaged: its checksum/)
  await refused([...lines.slice(0, rows), lines[rows], ...lines.slice(rows)].join(''), /damaged: its checksum/)
  await refused(`${text}[1]\n`, /is damaged/)
  await refused(lines.toReversed().join(''), /is no backup/)
})

test('another file, another format, or a migration that is not known is named', async () => {
  const withHead = (change: (head: string) => string) => text.replace(/^.*\n/, change)
  const last = (await migrationNames()).at(-1) ?? ''
  await refused('hello\n', /is no backup: its first line/)
  await refused(
    withHead((head) => head.replace('"version":1', '"version":2')),
    /is of format 2, and this version reads format 1/,
  )
  await refused(
    withHead((head) => head.replace('gateway-backup', 'gateway-archive')),
    /is no backup/,
  )
  expect((await other.admin('restore', 'nowhere')).err).toContain('there is no file')
  const newer = newChecksum(withHead((head) => head.replace(`"${last}"`, `"${last}","9999_later.sql"`)))
  await refused(newer, /has the migration 9999_later\.sql, which this version does not have there/)
})

/** The text with a last line that fits it. */
function newChecksum(changed: string): string {
  const [, before = '', proof = ''] = /^([\s\S]*\n)([^\n]+\n)$/.exec(changed) ?? []
  return before + proof.replace(/"[0-9a-f]{64}"/, `"${createHash('sha256').update(before).digest('hex')}"`)
}

test('a database that is in use is refused, even with --yes, and so is one that a gateway runs on', async () => {
  await makeCustomer(other)
  await refused(text, /This database is in use \(there are rows in customers.*\)\. A restore goes into a fresh one/)
  await markAndClear(other.db)
  await writeFile(here('given'), text)
  const gateway = { pid: process.pid, url: 'http://127.0.0.1:1', token: 'x' }
  expect((await other.adminIn({ gateway }, 'restore', 'given', '--yes')).err).toContain(
    `A gateway (process ${process.pid}) runs on this database`,
  )
})

test('a database without tables is migrated, and the backup of an older version is migrated after it is loaded', async () => {
  await markAndClear(other.db)
  await other.db.all('DROP TABLE restore_in_progress')
  expect((await restore(gzipSync(text))).code).toBe(0)
  const applied = async () => (await other.db.all('SELECT name FROM d1_migrations ORDER BY id')).map(({ name }) => name)
  expect(await applied()).toEqual(await migrationNames())
  // As the version before the last migration would have written it: without the tables and columns of that one.
  await markAndClear(other.db)
  const older = await asOfMigration(4)
  const restored = await restore(older, '--yes', '--json')
  expect([restored.code, restored.err]).toEqual([0, expect.any(String)])
  expect(await applied()).toEqual(await migrationNames())
  expect(await other.db.all('SELECT name, prepaid, address FROM customers')).toEqual([{ name: 'ACME', prepaid: 0, address: '' }])
})

/** The same rows in a database of the first `count` migrations, backed up. */
async function asOfMigration(count: number): Promise<string> {
  const old = await testDatabase()
  await markAndClear(old.db)
  await old.db.all('DROP TABLE restore_in_progress')
  await applyMigrations(old.db, (await migrationNames()).slice(0, count))
  await old.db.all("INSERT INTO customers (name, email, budget_nano, created_ms) VALUES ('ACME', 'a@b.c', 5, 0)")
  const { out } = await old.admin('backup', '--output', '-')
  await old.close()
  return out
}

test('a restore that broke off leaves no gateway to start, and is begun anew with --yes', async () => {
  // The price is there twice: a checksum can fit a file that cannot be loaded.
  const [row = ''] = /^\[.*\]\n/m.exec(text.slice(text.indexOf('{"table":"prices"'))) ?? []
  const twice = newChecksum(text.replace(row, row + row).replaceAll('"prices":1', '"prices":2'))
  const broken = await restore(twice)
  expect([broken.code, broken.err]).toEqual([
    1,
    expect.stringMatching(/UNIQUE constraint failed: prices\.id\nThe database is half restored, and no gateway starts on it/),
  ])
  expect(await other.db.all('SELECT count(*) AS n FROM api_keys')).toEqual([{ n: 0 }])
  await expect(migrate(other.d1)).rejects.toThrow('A restore into this database did not come to its end')
  expect(await restore(text)).toMatchObject({ code: 2, err: expect.stringContaining('--yes is missing') })
  const again = await restore(text, '--yes')
  expect([again.code, again.out]).toEqual([0, expect.stringContaining('The ledger agrees.')])
  await migrate(other.d1)
  // But for the note of the restore itself.
  await other.db.all('DROP TRIGGER audit_log_kept')
  await other.db.all("DELETE FROM audit_log WHERE command = 'restore'")
  expect(await other.dump()).toBe(await t.dump())
})

test('a ledger that did not agree comes back as it was, and it is said', async () => {
  const wrong = newChecksum(text.replace(/(\{"table":"spend".*\n\[.*,)\d+\]/, '$17]'))
  const { code, out } = await restore(wrong)
  expect([code, out]).toEqual([1, expect.stringContaining('The ledger disagrees in 1 row, as it did when the backup was taken')])
})

test('keys that were revoked or rotated after the backup are ended again', async () => {
  const customer = await makeCustomer(t)
  const keys = await Promise.all([makeKey(t, customer), makeKey(t, customer), makeKey(t, customer)])
  const [revoked, rotated, alive] = keys as [TestKey, TestKey, TestKey]
  await t.admin('backup', '--output', 'before')
  await t.admin('revoke-key', String(revoked.id), '--yes')
  await t.admin('rotate-key', String(rotated.id), '--overlap', '7d')
  const noted = join(t.stateDir, 'revocations.jsonl')
  expect((await stat(noted)).mode & 0o777).toBe(0o600)
  const before = await readFile(join(t.stateDir, 'before'))
  const restored = await restore(before, '--revocations', noted)
  expect([restored.code, restored.out]).toEqual([0, expect.stringContaining('2 keys ended since: ended again.')])
  const columns = 'SELECT hash, revoked_ms, expires_ms FROM api_keys WHERE hash IN (?, ?, ?) ORDER BY hash'
  const hashes = [revoked.hash, rotated.hash, alive.hash]
  expect(await other.db.all(columns, hashes)).toEqual(await t.db.all(columns, hashes))
  expect(await other.db.all('SELECT revoked_ms FROM api_keys WHERE hash = ?', [alive.hash])).toEqual([{ revoked_ms: null }])
  // A key is noted once more by a second revocation, and ends at the first.
  await t.admin('revoke-key', String(rotated.id), '--yes')
  expect((await readFile(noted, 'utf8')).trimEnd().split('\n')).toHaveLength(3)
  await rm(noted)
})

test('the notes beside the state are taken by themselves, and must be whole', async () => {
  await rm(here('revocations.jsonl'), { force: true })
  expect((await restore(text)).err).toContain('keys that were revoked after the backup come back')
  await markAndClear(other.db)
  await writeFile(here('revocations.jsonl'), `${JSON.stringify({ hash: key.hash, revoked_ms: 5, expires_ms: null })}\n`)
  expect((await restore(text, '--yes')).out).toContain('1 key ended since: ended again.')
  expect(await other.db.all('SELECT revoked_ms FROM api_keys')).toEqual([{ revoked_ms: 5 }])
  await markAndClear(other.db)
  await appendFile(here('revocations.jsonl'), '{"hash":"abc')
  expect((await restore(text, '--yes')).err).toContain('line 2 of')
  expect((await restore(text, '--yes', '--revocations', 'nowhere')).err).toContain('there is no file nowhere')
  await rm(here('revocations.jsonl'))
})

test('a revocation that cannot be noted is said, and the key is revoked all the same', async () => {
  const made = await makeKey(t, await makeCustomer(t))
  const environment = { STATE_DIR: join(t.stateDir, 'all') }
  const { code, err } = await t.adminIn({ environment }, 'revoke-key', String(made.id), '--yes')
  expect([code, err]).toEqual([0, expect.stringContaining(`warning: key ${made.id} could not be noted`)])
})

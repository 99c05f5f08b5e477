// The commands of alerts on a real database; no secret of an address is shown, and a customer is told of nothing but their own.
import { afterEach, beforeEach, expect, test } from 'vitest'
import { targetSecret } from '../../worker/alerts/signing.ts'
import { type TestDatabase, testDatabase } from './testing.ts'

let t: TestDatabase
beforeEach(async () => {
  t = await testDatabase()
  await t.admin('create-customer', 'ACME', 'ops@acme.example', '--budget', '5')
})
afterEach(() => t.close())

const SECRET = 'a-signing-secret-of-more-than-32-characters'
const URL = 'https://me:s3cret@hooks.example.com/services/s3cret-path?token=s3cret'

test('a target is added, with its secret where the gateway’s is known here', async () => {
  const { code, out, err } = await t.adminIn({ environment: { ALERT_SIGNING_SECRET: SECRET } }, 'add-alert', URL)
  expect([code, err]).toEqual([0, ''])
  expect(out).toBe(
    `Alert target 1: budget, balance, over, verification, stuck, host, model, access-token for the operator to https://hooks.example.com/services/s3c… (json).
The receiver checks the signature with ${targetSecret(SECRET, 1)}
Next: npm run admin -- test-alert 1
`,
  )
  const [row] = await t.db.all('SELECT * FROM alert_targets')
  expect(row).toMatchObject({ customer_id: null, url: URL, format: 'json', kinds: null, thresholds: '[50,80,100]', removed_ms: null })
  const without = await t.admin('add-alert', 'http://127.0.0.1:9000/hook', '--customer', '1', '--thresholds', '95,80,95', '--json')
  expect(without.json()).toEqual({
    id: 2,
    customer_id: 1,
    url: 'http://127.0.0.1:9000/hook',
    format: 'json',
    kinds: ['budget', 'balance'],
    thresholds: [80, 95],
    removed_at: null,
    created_at: expect.any(String),
    secret: null,
  })
  expect((await t.admin('add-alert', 'https://ntfy.sh/a-topic', '--format', 'ntfy', '--kinds', 'host,model')).out).toContain(
    'Alert target 3: host, model for the operator to https://ntfy.sh/a-topic (ntfy).\nNext:',
  )
})

test('what cannot be used is named, and nothing is added', async () => {
  const before = await t.dump()
  const refused = async (code: number, said: RegExp, ...args: string[]) => {
    const ran = await t.admin('add-alert', ...args)
    expect([ran.code, ran.out, ran.err]).toEqual([code, '', expect.stringMatching(said)])
    expect(await t.dump()).toBe(before)
  }
  await refused(2, /https address/, 'http://example.com/hook')
  await refused(2, /https address/, 'example.com')
  await refused(2, /--kinds.*of budget, balance, over, /, 'https://example.com', '--kinds', 'budget,test')
  await refused(2, /host is for the operator/, 'https://example.com', '--kinds', 'budget,host', '--customer', '1')
  await refused(2, /--thresholds.*percents from 1 to 100/, 'https://example.com', '--thresholds', '50,101')
  await refused(2, /--thresholds/, 'https://example.com', '--thresholds', '0.5')
  await refused(2, /--format.*json, ntfy, slack/, 'https://example.com', '--format', 'email')
  await refused(1, /there is no customer 9/, 'https://example.com', '--customer', '9')
})

test('the list shows targets and the last alerts, and no secret unless it is asked for', async () => {
  expect((await t.admin('list-alerts')).out).toBe('Nobody is told of anything yet: npm run admin -- add-alert --help\n')
  await t.admin('add-alert', URL)
  await t.admin('add-alert', 'https://hooks.slack.com/services/T0/B0/s3cret-of-slack', '--customer', '1', '--format', 'slack')
  const insert = 'INSERT INTO alerts (target_id, id, kind, payload, attempts, next_ms, delivered_ms, gave_up_ms, error, created_ms)'
  const noon = Date.UTC(2026, 10, 24, 12)
  await t.db.all(`${insert} VALUES (1, 'host:tunnel:5', 'host', '{}', 2, ${noon + 360_000}, NULL, NULL, 'status 500', ${noon})`)
  await t.db.all(`${insert} VALUES (2, 'budget:c1:20758:5000000000:80', 'budget', '{}', 1, 0, ${noon}, NULL, NULL, ${noon})`)
  await t.db.all(
    `${insert} VALUES (2, 'budget:c1:20758:5000000000:50', 'budget', '{}', 6, 0, NULL, ${noon}, 'no answer', ${noon - 60_000})`,
  )
  const { out } = await t.admin('list-alerts')
  expect(out).toBe(`id  for         url                                          format  kinds           thresholds
 1  operator    https://hooks.example.com/services/s3c…      json    all             50,80,100
 2  customer 1  https://hooks.slack.com/services/T0/B0/s3c…  slack   budget,balance  50,80,100
2 targets

to  when (UTC)        alert                          attempts  state
 1  2026-11-24 12:00  host:tunnel:5                         2  due 2026-11-24 12:06 (status 500)
 2  2026-11-24 12:00  budget:c1:20758:5000000000:80         1  delivered 2026-11-24 12:00
 2  2026-11-24 11:59  budget:c1:20758:5000000000:50         6  given up 2026-11-24 12:00 (no answer)
`)
  const json = (await t.admin('list-alerts', '--limit', '1', '--json')).json<{ alerts: object[] }[]>()
  expect(json.map(({ alerts }) => alerts.length)).toEqual([1, 1])
  expect(JSON.stringify(json)).not.toMatch(/s3cret|whsec_/)
  const secrets = await t.adminIn({ environment: { ALERT_SIGNING_SECRET: SECRET } }, 'list-alerts', '--secrets')
  expect(secrets.out).toContain(targetSecret(SECRET, 1))
  expect(secrets.out).not.toContain(targetSecret(SECRET, 2))
})

test('a removed target is asked about, and what was due to it is not sent', async () => {
  await t.admin('add-alert', 'https://example.com')
  await t.admin('test-alert', '1')
  const before = await t.dump()
  expect(await t.admin('remove-alert', '1')).toMatchObject({ code: 2, err: expect.stringContaining('--yes is missing') })
  expect(await t.dump()).toBe(before)
  expect((await t.admin('remove-alert', '1', '--yes')).out).toBe('Alert target 1 of the operator (https://example.com) is removed.\n')
  expect(await t.db.all('SELECT error, gave_up_ms > 0 AS gave_up FROM alerts')).toEqual([{ error: 'the target was removed', gave_up: 1 }])
  expect(await t.admin('test-alert', '1')).toMatchObject({ code: 1, err: expect.stringContaining('there is no alert target 1') })
  expect((await t.admin('list-alerts', '--json')).json()).toEqual([])
})

test('a test is laid down, and says when it comes', async () => {
  await t.admin('add-alert', 'https://example.com/hook')
  expect((await t.admin('test-alert', '1')).out).toBe(
    'A test for https://example.com/hook is laid down. No gateway runs on this machine: it is delivered within a minute once one does; list-alerts shows what became of it.\n',
  )
  const gateway = { pid: 1, url: 'http://127.0.0.1:1', token: 'x' }
  expect((await t.adminIn({ gateway }, 'test-alert', '1')).out).toContain('The gateway delivers it within a minute;')
  const rows = await t.db.all("SELECT kind, attempts, payload ->> 'title' AS title FROM alerts")
  expect(rows).toEqual([1, 2].map(() => ({ kind: 'test', attempts: 0, title: 'A test' })))
})

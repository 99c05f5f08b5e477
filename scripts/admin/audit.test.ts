// The audit log: every command that changes something leaves a note, in the transaction of its change, without a secret.
import { afterEach, beforeEach, expect, test } from 'vitest'
import { makeDemo } from '../start/demo.ts'
import { type TestDatabase, testDatabase } from './testing.ts'
import { catalogueFile, HAIKU, SOL } from './testing-prices.ts'

let t: TestDatabase
beforeEach(async () => {
  t = await testDatabase()
})
afterEach(() => t.close())

const READS = [
  'list-customers',
  'list-keys',
  'list-pricing',
  'list-models',
  'usage-report',
  'check-budget',
  'export-usage',
  'verify-ledger',
  'reconcile',
  'audit',
  'list-alerts',
  'list-payments',
  'explain',
  'top',
  'list-invoices',
  'invoice',
  'backup',
  'list-archives',
]

/** Need more than a customer and a key; the tests of each look at its note. */
const TRIED_ELSEWHERE = [
  ...['pay', 'credit', 'refund', 'close-month', 'credit-note', 'archive', 'restore', 'kill'],
  ...['rotate-access', 'rotate-provider-key'],
]

/** Each in an order in which it has something to change, and the targets that its notes name. */
const CHANGES: [args: string[], ...targets: string[]][] = [
  [['create-customer', 'Ada', 'ada@example.com', '--budget', '5'], 'customer 1'],
  [['update-customer', '1', '--budget', '20'], 'customer 1'],
  [['generate-key', '1', '--name', 'laptop', '--models', 'gemma3:270m'], 'key 1'],
  [['rotate-key', '1'], 'key 1', 'key 2'],
  [['revoke-key', '2', '--yes'], 'key 2'],
  [['set-pricing', 'gemma3:270m', '0.0001', '0', '--input', '0.10'], 'price gemma3:270m'],
  [['withdraw-pricing', 'gemma3:270m', '--yes'], 'price gemma3:270m'],
  [['import-prices', '--from', 'catalogue.json', '--yes'], 'price gpt-6-sol', 'price claude-haiku-5-5'],
  [['add-alert', 'https://user:s3cret@example.com/hook?token=s3cret'], 'alert 1'],
  [['test-alert', '1'], 'alert 1'],
  [['remove-alert', '1', '--yes'], 'alert 1'],
]

interface Note {
  at: string
  who: string
  command: string
  target: string
  before: Record<string, unknown> | null
  after: Record<string, unknown> | null
}
const notes = async (...args: string[]) => (await t.admin('audit', '--limit', '1000', ...args, '--json')).json<Note[]>()

test('every command of the program reads, or is known to leave a note', async () => {
  const { out } = await t.admin('--help')
  const all = [...out.matchAll(/^ {2}(?!help)([a-z]+(?:-[a-z]+)*) /gm)].map((match) => match[1])
  expect([...new Set([...READS, ...TRIED_ELSEWHERE, ...CHANGES.map(([[name]]) => name)])].sort()).toEqual(all.sort())
})

test('every command that changes something leaves its notes, and the same again, without a change, none', async () => {
  const file = await catalogueFile(t, SOL, HAIKU)
  let before: Note[] = []
  for (const [asked, ...targets] of CHANGES) {
    const args = asked.map((arg) => (arg === 'catalogue.json' ? file : arg))
    const { code, err } = await t.adminIn({ environment: { GATEWAY_ADMIN: 'grace', USER: 'root' } }, ...args)
    expect([code, err]).toEqual([0, ''])
    const after = await notes()
    const made = after.slice(0, after.length - before.length)
    expect(made.map(({ who, command, target }) => ({ who, command, target }))).toEqual(
      targets.map((target) => ({ who: 'grace', command: args[0], target })).reverse(),
    )
    for (const note of made) expect(note.after).not.toBeNull()
    before = after
  }
  for (const args of [
    ['rotate-key', '2'],
    ['revoke-key', '2', '--yes'],
    ['withdraw-pricing', 'gemma3:270m', '--yes'],
    ['import-prices', '--from', file],
    ['remove-alert', '1', '--yes'],
  ]) {
    await t.admin(...args)
  }
  expect(await notes()).toEqual(before)
  expect(JSON.stringify(before)).not.toContain('s3cret')
})

test('a change that fails leaves no note, and a note no secret', async () => {
  await t.admin('create-customer', 'Ada', 'ada@example.com', '--unlimited')
  expect((await t.admin('create-customer', 'Eve', 'ada@example.com', '--unlimited')).code).toBe(1)
  expect((await t.admin('update-customer', '9', '--budget', '5')).code).toBe(1)
  const { key } = (await t.admin('generate-key', '1', '--json')).json<{ key: string }>()
  await t.admin('rotate-key', '1')
  const [row] = await t.db.all('SELECT hash FROM api_keys WHERE id = 1')
  const log = JSON.stringify(await t.db.all('SELECT * FROM audit_log'))
  expect((await notes()).map(({ target }) => target)).toEqual(['key 2', 'key 1', 'key 1', 'customer 1'])
  expect(log).not.toContain(String(row?.hash))
  expect(log).not.toContain(key)
  expect(log).not.toContain('hash')
})

test('the list says what has changed, in dollars and dates', async () => {
  for (const [args] of CHANGES.slice(0, 7)) await t.adminIn({ environment: { USER: 'ada' } }, ...args)
  const { out } = await t.admin('audit')
  const lines = out.trim().split('\n')
  expect(lines[0]).toBe('when (UTC)        who  command           target             what')
  expect(lines.slice(1, -1).map((line) => line.replace(/20\d\d-\d\d-\d\d \d\d:\d\d/g, '<time>'))).toEqual([
    '<time>  ada  withdraw-pricing  price gemma3:270m  withdrawn 0 → 1',
    '<time>  ada  set-pricing       price gemma3:270m  new, upstream ollama, request $0.0001, input $0.1/Mtok, cached input $0.1/Mtok, output default 2048, output max 8192',
    '<time>  ada  revoke-key        key 2              revoked - → <time>',
    '<time>  ada  rotate-key        key 2              new, name laptop, models gemma3:270m, budget period month',
    '<time>  ada  rotate-key        key 1              expires - → <time>',
    '<time>  ada  generate-key      key 1              new, name laptop, models gemma3:270m, budget period month',
    '<time>  ada  update-customer   customer 1         budget $5 → $20',
    '<time>  ada  create-customer   customer 1         new, name Ada, email ada@example.com, status active, budget $5, budget period month',
  ])
  expect(lines.at(-1)).toBe('8 changes')
})

test('it can be narrowed by target, by who and by day', async () => {
  await t.adminIn({ environment: { GATEWAY_ADMIN: 'ada' } }, 'create-customer', 'Ada', 'ada@example.com', '--budget', '5')
  await t.adminIn({ environment: { GATEWAY_ADMIN: 'bob' } }, 'create-customer', 'Bob', 'bob@example.com', '--budget', '5')
  await t.admin('update-customer', '1', '--unlimited')
  expect((await notes('--target', 'customer 1')).map(({ who }) => who)).toEqual(['unknown', 'ada'])
  expect((await notes('--who', 'bob')).map(({ target }) => target)).toEqual(['customer 2'])
  expect(await notes('--since', '2999-01-01')).toEqual([])
  expect((await t.admin('audit', '--since', '2999-01-01')).out).toBe('No change is noted.\n')
  expect((await t.admin('audit', '--limit', '1', '--json')).json<Note[]>()).toMatchObject([
    { command: 'update-customer', before: { budget_nano: 5_000_000_000 }, after: { budget_nano: null } },
  ])
  expect((await t.admin('audit', '--since', 'yesterday')).code).toBe(2)
})

test('what the first start makes is noted, too', async () => {
  await makeDemo(t.d1, [{ name: 'gemma3:270m', family: 'gemma3', embeds: false } as never], t.stateDir, Date.now())
  expect((await notes()).map(({ who, target }) => [who, target])).toEqual([
    ['npm start', 'price gemma3:270m'],
    ['npm start', 'key 1'],
    ['npm start', 'customer 1'],
  ])
})

import { expect, test } from 'vitest'
import { runCommand } from './run-command.ts'

const COMMANDS = [
  'create-customer',
  'update-customer',
  'list-customers',
  'generate-key',
  'rotate-key',
  'rotate-access',
  'rotate-provider-key',
  'revoke-key',
  'list-keys',
  'set-pricing',
  'list-pricing',
  'withdraw-pricing',
  'import-prices',
  'list-models',
  'usage-report',
  'check-budget',
  'pay',
  'list-payments',
  'credit',
  'refund',
  'export-usage',
  'explain',
  'top',
  'kill',
  'verify-ledger',
  'reconcile',
  'audit',
  'add-alert',
  'list-alerts',
  'remove-alert',
  'test-alert',
  'close-month',
  'list-invoices',
  'invoice',
  'credit-note',
  'backup',
  'restore',
  'archive',
  'list-archives',
]

/** Runs without a database, and without a deployment. */
function run(...args: string[]) {
  return runCommand(args, { project: import.meta.dirname }, async () => {
    throw new Error('a bug: {"token":"x"}')
  })
}

test('the help names every command', async () => {
  const { code, out, err } = await run('--help')
  expect([code, err]).toEqual([0, ''])
  expect([...out.matchAll(/^ {2}(?!help)([a-z]+(?:-[a-z]+)*) /gm)].map((match) => match[1])).toEqual(COMMANDS)
})

test('every command has help with an example that it takes, and the common options', async () => {
  for (const name of COMMANDS) {
    const { code, out, err } = await run(name, '--help')
    expect([code, err]).toEqual([0, ''])
    expect(out).toContain('--json')
    expect(out).toContain('--remote')
    const example = out.match(/Example:\n {2}npm run admin -- (.+)\n/)?.[1] ?? ''
    expect(example).toMatch(new RegExp(`^${name}\\b`))
    // It gets as far as the database, or as the deployment, which rotate-access looks for first.
    const end = name === 'rotate-access' ? 'run npm run setup first' : 'this should not happen: Error: a bug'
    const args = [...example.matchAll(/'([^']*)'|(\S+)/g)].map((match) => match[1] ?? match[2] ?? '')
    expect((await run(...args)).err, example).toContain(end)
  }
})

test('an unknown command, or none, is a mistake', async () => {
  expect(await run('frobnicate')).toMatchObject({ code: 2, out: '', err: expect.stringContaining("unknown command 'frobnicate'") })
  expect(await run()).toMatchObject({ code: 2, out: '', err: expect.stringContaining('Usage:') })
})

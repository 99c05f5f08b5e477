// generate-key: an API key for a customer, shown this once.
import { Argument, type Command, Option } from 'commander'
import { sql } from 'drizzle-orm'
import { newKey } from '../../worker/keys.ts'
import { apiKeys } from '../../worker/schema.ts'
import { type Expiry, expiry, id, label, models } from './arguments.ts'
import { audited, rowMade } from './audit.ts'
import { nowMs } from './clock.ts'
import { type Context, Failure, type Output, UsageError } from './context.ts'
import { findCustomer } from './customers.ts'
import { findKey, KEY_COLUMNS, type Key, keyJson, keyTitle } from './keys.ts'
import { budgetOption, type LimitOptions, limitOptions, limitsText, periodOption } from './limits.ts'
import type { CommonOptions, Shell } from './shell.ts'
import { dollars, minute } from './table.ts'

interface Options extends CommonOptions, LimitOptions {
  name?: string
  expires?: Expiry
  models?: string[]
  account?: true
}

export function generateKeyCommand(shell: Shell): Command {
  const command = shell
    .command(
      'generate-key',
      'Makes an API key. It is shown once: only its hash is stored.',
      'generate-key 1 --name laptop --expires 90d --models gemma3:270m,qwen3:0.6b --budget 5',
    )
    .addArgument(new Argument('<customer_id>', 'as in list-customers').argParser(id))
    .addOption(new Option('--name <name>', 'to tell it from others').argParser(label))
    .addOption(
      new Option('--expires <date | time>', 'the last day it works (YYYY-MM-DD, UTC), or a time from now such as 30d').argParser(expiry),
    )
    .addOption(new Option('--models <a,b>', 'the only models it may use').argParser(models))
    .option('--account', "it sees all of its customer's account at /account/*, not only what is done with it")
    .addOption(budgetOption('the most it may spend in a period, within the budget of its customer'))
    .addOption(periodOption('when its own budget renews, in UTC (default: month)'))
  for (const option of limitOptions({ change: false })) command.addOption(option)
  return command.action((customerId: number, options: Options) => {
    if (options.period !== undefined && options.budget === undefined)
      throw new UsageError('--period needs --budget: it says when that renews.')
    return shell.run(options, (context) => generateKey(context, customerId, options))
  })
}

async function generateKey({ db, who }: Context, customerId: number, options: Options): Promise<Output> {
  await findCustomer(db, customerId)
  const { key, hash, prefix } = newKey()
  const insert = db.orm
    .insert(apiKeys)
    .values({
      hash,
      customerId,
      prefix,
      name: options.name ?? '',
      models: options.models ?? null,
      budgetNano: options.budget ?? null,
      budgetPeriod: options.period ?? 'month',
      rpm: options.rpm ?? null,
      tpm: options.tpm ?? null,
      concurrency: options.concurrency ?? null,
      expiresMs: expiresMs(options.expires),
      createdMs: nowMs,
      account: options.account ? 1 : 0,
    })
    .returning({ id: apiKeys.id })
    .toSQL()
  const made = rowMade('key', 'api_keys', KEY_COLUMNS, ['hash', hash])
  const [written] = await audited(db, { who, command: 'generate-key', made }, [insert])
  const keyId = written?.[0]?.id
  if (typeof keyId !== 'number') throw new Failure('the database did not say what it wrote: see list-keys.')
  const stored = await findKey(db, keyId)
  return { json: { ...keyJson(stored), key }, text: `${keyText(key, stored)}\n${settingsText(stored)}` }
}

function expiresMs(asked: Expiry | undefined) {
  if (asked === undefined) return null
  return 'atMs' in asked ? asked.atMs : sql`${nowMs} + CAST(${asked.inMs} AS INTEGER)`
}

/** The key itself: the only time it can be read. */
export function keyText(key: string, stored: Key): string {
  const suspended = stored.status === 'suspended' ? '\nThe customer is suspended: it works when they are active again.' : ''
  return `${key}\nShown this once. It is ${keyTitle(stored)} of customer ${stored.customerId}, ${stored.customerName}.${suspended}`
}

export function settingsText(key: Key): string {
  const budget = key.budgetNano === null ? "its customer's" : `${dollars(key.budgetNano)} (${key.budgetPeriod})`
  const expires = key.expiresMs === null ? 'never' : `${minute(key.expiresMs)} UTC`
  return `Models: ${key.modelNames?.join(', ') ?? 'all'}. Budget: ${budget}. Limits: ${limitsText(key)}. Expires: ${expires}.${key.account === 1 ? " It sees all of its customer's account." : ''}`
}

// add-alert: where alerts go from now on, for the operator or for a customer.
import { Argument, type Command, Option } from 'commander'
import { type Kind, THRESHOLDS } from '../../worker/alerts/alert.ts'
import { FORMATS, type Format } from '../../worker/alerts/formats.ts'
import { shownUrl } from '../../worker/alerts/target-url.ts'
import { alertTargets } from '../../worker/schema.ts'
import { alertUrl, findTarget, kinds, kindsFor, secretOf, targetJson, targetMade, thresholds, whomInWords } from './alert-targets.ts'
import { id } from './arguments.ts'
import { audited } from './audit.ts'
import { nowMs } from './clock.ts'
import { type Context, Failure, type Output, UsageError } from './context.ts'
import { findCustomer } from './customers.ts'
import type { CommonOptions, Shell } from './shell.ts'

interface Options extends CommonOptions {
  customer?: number
  format: Format
  kinds?: Kind[]
  thresholds: number[]
}

export function addAlertCommand(shell: Shell): Command {
  return shell
    .command(
      'add-alert',
      'Sends alerts to an address: all to the operator, or a customer those of their own budgets and balance.',
      'add-alert https://ntfy.sh/my-topic --format ntfy --kinds budget,host --thresholds 80,100',
    )
    .addArgument(new Argument('<url>', 'https; it may hold a user and password').argParser(alertUrl))
    .addOption(new Option('--customer <customer_id>', "a customer's own, as in list-customers (default: the operator's)").argParser(id))
    .addOption(new Option('--format <format>', 'a signed webhook, or what ntfy or Slack takes').choices(FORMATS).default('json'))
    .addOption(
      new Option('--kinds <a,b>', `which (default: all of ${kindsFor(null).join(', ')}; a customer: ${kindsFor(0).join(', ')})`).argParser(
        kinds,
      ),
    )
    .addOption(
      new Option('--thresholds <a,b>', 'percent of a budget; a balance is told of at 80 and 100 % of the last payment')
        .argParser(thresholds)
        .default(THRESHOLDS, THRESHOLDS.join(',')),
    )
    .action((url: string, options: Options) => {
      const { customer = null } = options
      const others = options.kinds?.filter((kind) => !kindsFor(customer).includes(kind)) ?? []
      if (others.length > 0)
        throw new UsageError(
          `--kinds: a customer is told of their own budgets and balance alone; ${others.join(', ')} is for the operator.`,
        )
      return shell.run(options, (context) => addAlert(context, url, options))
    })
}

async function addAlert(context: Context, url: string, options: Options): Promise<Output> {
  const { db, who } = context
  const { customer = null, format } = options
  if (customer !== null) await findCustomer(db, customer)
  const insert = db.orm
    .insert(alertTargets)
    .values({ customerId: customer, url, format, kinds: options.kinds ?? null, thresholds: options.thresholds, createdMs: nowMs })
    .returning({ id: alertTargets.id })
    .toSQL()
  const [written] = await audited(db, { who, command: 'add-alert', made: targetMade(url) }, [insert])
  const targetId = written?.[0]?.id
  if (typeof targetId !== 'number') throw new Failure('the database did not say what it wrote: see list-alerts.')
  const target = await findTarget(db, targetId)
  const secret = secretOf(context, target)
  const told = (target.kinds ?? kindsFor(customer)).join(', ')
  return {
    json: { ...targetJson(target), secret },
    text: [
      `Alert target ${targetId}: ${told} for ${whomInWords(customer)} to ${shownUrl(url)} (${format}).`,
      ...signingText(target, secret),
      `Next: npm run admin -- test-alert ${targetId}`,
    ].join('\n'),
  }
}

function signingText({ id: targetId, format }: { id: number; format: Format }, secret: string | null): string[] {
  if (format !== 'json') return []
  if (secret !== null) return [`The receiver checks the signature with ${secret}`]
  return [
    `It is signed only if the gateway has ALERT_SIGNING_SECRET, and is not sent without. With that set here, list-alerts --secrets shows what receiver ${targetId} checks with.`,
  ]
}

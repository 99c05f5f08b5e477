// withdraw-pricing: from now on a model is not offered. A new row, so its history stays.
import { Argument, type Command } from 'commander'
import { getTableColumns } from 'drizzle-orm'
import { prices } from '../../worker/schema.ts'
import { listedModel } from './arguments.ts'
import { audited } from './audit.ts'
import { NOW_MS } from './clock.ts'
import { type Context, Failure, type Output } from './context.ts'
import { isVendor, newestPrice, type PriceRow, priceJson, priceState, soldAs } from './prices.ts'
import type { AskingOptions, Shell } from './shell.ts'

export function withdrawPricingCommand(shell: Shell): Command {
  return shell
    .command('withdraw-pricing', 'Takes a model off the offer until it is given a price again.', 'withdraw-pricing gemma3:270m --yes')
    .addArgument(new Argument('<model>', "as in list-pricing; '*' is the price of those without one of their own").argParser(listedModel))
    .option('--yes', 'do not ask')
    .action((names: string[], options: AskingOptions) =>
      shell.runAfterYes(options, `Withdraw the price of ${names.join(' or ')}? New requests for it are refused.`, (context) =>
        withdrawPricing(context, names),
      ),
    )
}

const {
  id: _id,
  model: _model,
  withdrawn: _withdrawn,
  validFromMs: _validFromMs,
  createdMs: _createdMs,
  ...copied
} = getTableColumns(prices)
const PRICE = Object.values(copied)
  .map(({ name }) => name)
  .join(', ')
/** The price that is in force, or was withdrawn. */
const NEWEST = `SELECT * FROM prices WHERE model = ? AND variant = '' AND valid_from_ms <= ${NOW_MS} ORDER BY valid_from_ms DESC, id DESC LIMIT 1`
/** Copies the price that is in force; no row where none is. */
const WITHDRAW = `INSERT INTO prices (model, ${PRICE}, withdrawn, valid_from_ms, created_ms)
SELECT model, ${PRICE}, 1, ${NOW_MS}, ${NOW_MS} FROM (${NEWEST}) WHERE withdrawn = 0 RETURNING id`

/** A price that was withdrawn before stays as it was. */
async function withdrawPricing({ db, who }: Context, names: string[]): Promise<Output> {
  const found = await Promise.all(names.map((name) => newestPrice(db, name)))
  const named = found.find((price) => price?.withdrawn === 0) ?? found.find((price) => price !== undefined)
  const model = named?.model ?? (names.at(-1) as string)
  const state = priceState(model)
  const only = { sql: `SELECT 1 FROM (${NEWEST}) WHERE withdrawn = 0`, params: [model] }
  const note = { who, command: 'withdraw-pricing', target: `price ${model}`, before: state, after: state, only }
  const [written] = await audited(db, note, [{ sql: WITHDRAW, params: [model] }])
  const price = await newestPrice(db, model)
  if (price === undefined) throw new Failure(`model: ${model} has no price; list-pricing shows those that have one.`)
  const said = written?.length === 0 ? 'was withdrawn before' : 'is withdrawn'
  const rest = model === '*' ? 'Models without a price of their own are' : 'It is'
  return { json: priceJson(price), text: `The price of ${model} ${said}. ${rest} offered again after ${again(price)}.` }
}

/** What gives it a price again. A name without the vendor's id beside it was imported. */
function again(price: PriceRow): string {
  if (!isVendor(price.upstream)) return 'set-pricing'
  if (price.upstreamModel === null) return `import-prices --model ${price.model}`
  const alias = price.upstreamModel === price.model ? '' : `import-prices --model ${soldAs(price)} --as ${price.model}, or `
  return `${alias}set-pricing ${price.model} --upstream ${price.upstream}`
}

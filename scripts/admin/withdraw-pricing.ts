// withdraw-pricing: from now on a model is not offered. A new row, so its history stays.
import { Argument, type Command } from 'commander'
import { modelOrAll } from './arguments.ts'
import { NOW_MS } from './clock.ts'
import { type Context, Failure, type Output } from './context.ts'
import { newestPrice, priceJson } from './prices.ts'
import type { AskingOptions, Shell } from './shell.ts'

export function withdrawPricingCommand(shell: Shell): Command {
  return shell
    .command(
      'withdraw-pricing',
      'Takes a model off the offer until set-pricing gives it a price again.',
      'withdraw-pricing gemma3:270m --yes',
    )
    .addArgument(new Argument('<model>', "as in list-pricing; '*' is the price of those without one of their own").argParser(modelOrAll))
    .option('--yes', 'do not ask')
    .action((model: string, options: AskingOptions) =>
      shell.runAfterYes(options, `Withdraw the price of ${model}? New requests for it are refused.`, (context) =>
        withdrawPricing(context, model),
      ),
    )
}

const PRICE =
  'upstream, upstream_model, request_nano, model_nano, input_pico, cached_input_pico, output_pico, gpu_second_nano, output_default, output_max'
/** Copies the price that is in force; no row where none is. */
const WITHDRAW = `INSERT INTO prices (model, ${PRICE}, withdrawn, valid_from_ms, created_ms)
SELECT model, ${PRICE}, 1, ${NOW_MS}, ${NOW_MS} FROM (
  SELECT * FROM prices WHERE model = ?1 AND valid_from_ms <= ${NOW_MS} ORDER BY valid_from_ms DESC, id DESC LIMIT 1
) WHERE withdrawn = 0 RETURNING id`

/** A price that was withdrawn before stays as it was. */
async function withdrawPricing({ db }: Context, model: string): Promise<Output> {
  const [written] = await db.all(WITHDRAW, [model])
  const price = await newestPrice(db, model)
  if (price === undefined) throw new Failure(`model: ${model} has no price; list-pricing shows those that have one.`)
  const said = written === undefined ? 'was withdrawn before' : 'is withdrawn'
  const rest = model === '*' ? 'Models without a price of their own are' : 'It is'
  return { json: priceJson(price), text: `The price of ${model} ${said}. ${rest} offered again after set-pricing.` }
}

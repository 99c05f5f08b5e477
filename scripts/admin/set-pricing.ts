// set-pricing: from now on a model costs this. A new row; requests that are running keep the price they began with.
import { Argument, type Command, Option } from 'commander'
import { prices } from '../../worker/schema.ts'
import { count, modelOrAll, price, tokenPrice } from './arguments.ts'
import { audited } from './audit.ts'
import { nowMs } from './clock.ts'
import { type Context, Failure, type Output, UsageError } from './context.ts'
import { newestPrice, priceJson, priceState, priceText } from './prices.ts'
import type { CommonOptions, Shell } from './shell.ts'

const OUTPUT_DEFAULT = 2048
const OUTPUT_MAX = 8192

interface Options extends CommonOptions {
  input?: number
  cachedInput?: number
  output?: number
  gpuSecond?: number
  outputDefault?: number
  outputMax?: number
}

export function setPricingCommand(shell: Shell): Command {
  return shell
    .command(
      'set-pricing',
      'Sets what a model costs from now on. What is not given is 0.',
      'set-pricing gemma3:270m 0.0001 0 --input 0.15 --output 0.60',
    )
    .addArgument(new Argument('<model>', "of the host; '*' is every one without a price of its own").argParser(modelOrAll))
    .addArgument(new Argument('<per_request>', 'USD for each request').argParser(price))
    .addArgument(new Argument('<per_model>', 'USD for each use of the model, on top').argParser(price))
    .addOption(new Option('--input <usd>', 'USD per million input tokens').argParser(tokenPrice))
    .addOption(
      new Option('--cached-input <usd>', 'USD per million input tokens that were cached (default: as --input)').argParser(tokenPrice),
    )
    .addOption(new Option('--output <usd>', 'USD per million output tokens').argParser(tokenPrice))
    .addOption(new Option('--gpu-second <usd>', 'USD per second of GPU time').argParser(price))
    .addOption(
      new Option('--output-default <n>', `output tokens where a request sets no limit (default: ${OUTPUT_DEFAULT})`).argParser(
        count(1, 1_000_000),
      ),
    )
    .addOption(
      new Option('--output-max <n>', `the most output tokens a request may ask for (default: ${OUTPUT_MAX})`).argParser(
        count(1, 1_000_000),
      ),
    )
    .action((model: string, requestNano: number, modelNano: number, options: Options) => {
      const price = newPrice({ model, requestNano, modelNano }, options)
      return shell.run(options, (context) => setPricing(context, price))
    })
}

type NewPrice = Omit<typeof prices.$inferInsert, 'validFromMs' | 'createdMs'>

/** Throws UsageError. */
function newPrice(fixed: Pick<NewPrice, 'model' | 'requestNano' | 'modelNano'>, options: Options): NewPrice {
  const { input = 0, cachedInput = input, output = 0, gpuSecond = 0 } = options
  const outputMax = options.outputMax ?? Math.max(OUTPUT_MAX, options.outputDefault ?? 0)
  const outputDefault = options.outputDefault ?? Math.min(OUTPUT_DEFAULT, outputMax)
  if (outputDefault > outputMax) {
    throw new UsageError(`--output-default ${outputDefault} is more than --output-max ${outputMax}: lower the one or raise the other.`)
  }
  return {
    ...fixed,
    inputPico: input,
    cachedInputPico: cachedInput,
    outputPico: output,
    gpuSecondNano: gpuSecond,
    outputDefault,
    outputMax,
  }
}

async function setPricing({ db, who }: Context, price: NewPrice): Promise<Output> {
  const insert = db.orm
    .insert(prices)
    .values({ ...price, validFromMs: nowMs, createdMs: nowMs })
    .toSQL()
  const state = priceState(price.model)
  await audited(db, { who, command: 'set-pricing', target: `price ${price.model}`, before: state, after: state }, [insert])
  const row = await newestPrice(db, price.model)
  if (row === undefined) throw new Failure('the database did not say what it wrote: see list-pricing.')
  const what = row.model === '*' ? 'Every local model without a price of its own' : row.model
  return {
    json: priceJson(row),
    text: `${what}: ${priceText(row)}; output ${row.outputDefault} tokens by default, ${row.outputMax} at most. In force from now on.`,
  }
}

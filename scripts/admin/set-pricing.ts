// set-pricing: from now on a model costs this. A new row; requests that are running keep the price they began with.
import { Argument, type Command, Option } from 'commander'
import { prices } from '../../worker/schema.ts'
import { VENDORS, type Vendor } from '../catalogue/format.ts'
import { count, type PricedModel, price, pricedModel, tokenPrice, upstreamModel } from './arguments.ts'
import { audited } from './audit.ts'
import { nowMs } from './clock.ts'
import { type Context, Failure, type Output, UsageError } from './context.ts'
import { keyHints } from './key-hints.ts'
import { isVendor, newestPrice, placeText, priceJson, priceState, priceText } from './prices.ts'
import type { CommonOptions, Shell } from './shell.ts'

const OUTPUT_DEFAULT = 2048
const OUTPUT_MAX = 8192

interface Options extends CommonOptions {
  upstream?: Vendor
  upstreamModel?: string
  input?: number
  cachedInput?: number
  cacheWrite?: number
  cacheWriteLong?: number
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
    .addArgument(
      new Argument('<model>', "of the host, or of --upstream; '*' is every one of the host without a price of its own").argParser(
        pricedModel,
      ),
    )
    .addArgument(new Argument('<per_request>', 'USD for each request').argParser(price))
    .addArgument(new Argument('<per_model>', 'USD for each use of the model, on top').argParser(price))
    .addOption(new Option('--upstream <vendor>', 'the model is not of the host but of this vendor').choices(VENDORS))
    .addOption(new Option('--upstream-model <id>', "its id there, if that is not the model's name").argParser(upstreamModel))
    .addOption(new Option('--input <usd>', 'USD per million input tokens').argParser(tokenPrice))
    .addOption(
      new Option('--cached-input <usd>', 'USD per million input tokens that were cached (default: as --input)').argParser(tokenPrice),
    )
    .addOption(
      new Option(
        '--cache-write <usd>',
        'USD per million input tokens that a vendor keeps for minutes; without it requests for that are refused',
      ).argParser(tokenPrice),
    )
    .addOption(new Option('--cache-write-long <usd>', 'the same, for hours').argParser(tokenPrice))
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
    .action((model: PricedModel, requestNano: number, modelNano: number, options: Options) => {
      const price = newPrice({ ...soldModel(model, options), requestNano, modelNano }, options)
      return shell.run(options, (context) => setPricing(context, price))
    })
}

type NewPrice = Omit<typeof prices.$inferInsert, 'validFromMs' | 'createdMs'>

/** Whose model it is, and its names. A price by hand has the vendor's id always, by which an import knows it. Throws UsageError. */
function soldModel({ typed, ofHost, ofVendor }: PricedModel, options: Options): Pick<NewPrice, 'model' | 'upstream' | 'upstreamModel'> {
  const { upstream, gpuSecond } = options
  if (upstream === undefined) {
    const vendors = {
      '--upstream-model': options.upstreamModel,
      '--cache-write': options.cacheWrite,
      '--cache-write-long': options.cacheWriteLong,
    }
    const alone = Object.entries(vendors).find(([, value]) => value !== undefined)
    if (alone !== undefined) throw new UsageError(`${alone[0]} needs --upstream: it is for a model of a vendor.`)
    return { model: ofHost }
  }
  if (ofHost === '*')
    throw new UsageError("model: '*' is for models of the host, and does not go with --upstream: name the vendor's model.")
  if (ofVendor === null) {
    throw new UsageError(
      "model: with --upstream it is a name without a tag, such as gpt-6-sol; the vendor's own id of it may be anything: --upstream-model.",
    )
  }
  if (gpuSecond !== undefined) throw new UsageError('--gpu-second does not go with --upstream: vendors bill tokens.')
  return { model: ofVendor, upstream, upstreamModel: options.upstreamModel ?? typed }
}

/** Throws UsageError. */
function newPrice(fixed: Pick<NewPrice, 'model' | 'upstream' | 'upstreamModel' | 'requestNano' | 'modelNano'>, options: Options): NewPrice {
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
    cacheWritePico: options.cacheWrite ?? null,
    cacheWriteLongPico: options.cacheWriteLong ?? null,
    outputPico: output,
    gpuSecondNano: gpuSecond,
    outputDefault,
    outputMax,
  }
}

async function setPricing(context: Context, price: NewPrice): Promise<Output> {
  const { db, who } = context
  const insert = db.orm
    .insert(prices)
    .values({ ...price, validFromMs: nowMs, createdMs: nowMs })
    .toSQL()
  const state = priceState(price.model)
  await audited(db, { who, command: 'set-pricing', target: `price ${price.model}`, before: state, after: state }, [insert])
  const row = await newestPrice(db, price.model)
  if (row === undefined) throw new Failure('the database did not say what it wrote: see list-pricing.')
  const what =
    row.model === '*'
      ? 'Every local model without a price of its own'
      : isVendor(row.upstream)
        ? `${row.model} (${placeText(row)})`
        : row.model
  const limits = `output ${row.outputDefault} tokens by default, ${row.outputMax} at most`
  return {
    json: priceJson(row),
    text: [`${what}: ${priceText(row)}; ${limits}. In force from now on.`, ...keyHints([row.upstream].filter(isVendor), context)].join(
      '\n',
    ),
  }
}

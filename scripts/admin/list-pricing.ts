// list-pricing: what is in force, or every price there ever was.
import type { Command } from 'commander'
import type { Context, Output } from './context.ts'
import { adminCommand } from './next-command.ts'
import { allPrices, type PriceRow, placeText, priceJson, tierText, tokenPrice } from './prices.ts'
import type { CommonOptions, Shell } from './shell.ts'
import { type Column, dollars, minute, plural, table, thousands } from './table.ts'

interface Options extends CommonOptions {
  all?: true
}

export function listPricingCommand(shell: Shell): Command {
  return shell
    .command('list-pricing', 'Lists the prices in force.', 'list-pricing --all')
    .option('--all', 'withdrawn and past ones, too')
    .action((options: Options) => shell.run(options, (context) => listPricing(context, options.all === true)))
}

type Priced = Awaited<ReturnType<typeof allPrices>>[number]

async function listPricing({ db, remote }: Context, all: boolean): Promise<Output> {
  const every = await allPrices(db)
  const rows = all ? every : every.filter(({ state }) => state === 'in force')
  const none = `No price is in force, so no model is offered: ${adminCommand({ remote }, 'set-pricing --help')}`
  return {
    json: rows.map(({ price, state }) => ({ ...priceJson(price), state })),
    text: rows.length === 0 ? none : `${pricesTable(rows, all)}\n${plural(rows.length, 'price')}; tokens per million, times in UTC`,
  }
}

function pricesTable(rows: Priced[], all: boolean): string {
  const money = (title: string, of: (price: PriceRow) => number): Column<Priced> => ({
    title,
    value: ({ price }) => dollars(of(price)),
    right: true,
  })
  const tokens = (title: string, of: (price: PriceRow) => number | null): Column<Priced> => ({
    title,
    value: ({ price }) => tokenPrice(of(price)),
    right: true,
  })
  // Columns that only vendors' prices fill are not there where all are the host's.
  const where = (holds: (price: PriceRow) => boolean, ...columns: Column<Priced>[]) =>
    rows.some(({ price }) => holds(price)) ? columns : []
  return table(rows, [
    { title: 'model', value: ({ price }) => price.model },
    ...where(({ upstream }) => upstream !== 'ollama', { title: 'at', value: ({ price }) => placeText(price) }),
    money('request', (price) => price.requestNano),
    money('model use', (price) => price.modelNano),
    tokens('input', (price) => price.inputPico),
    tokens('cached', (price) => price.cachedInputPico),
    ...where(
      ({ cacheWritePico, cacheWriteLongPico }) => cacheWritePico !== null || cacheWriteLongPico !== null,
      tokens('cache write', (price) => price.cacheWritePico),
      tokens('long write', (price) => price.cacheWriteLongPico),
    ),
    tokens('output', (price) => price.outputPico),
    ...where(({ aboveTokens }) => aboveTokens !== null, { title: 'longer input', value: ({ price }) => tierText(price) }),
    money('GPU second', (price) => price.gpuSecondNano),
    { title: 'output limit', value: ({ price }) => `${thousands(price.outputDefault)}, at most ${thousands(price.outputMax)}` },
    { title: 'since', value: ({ price }) => minute(price.validFromMs) },
    ...(all ? [{ title: 'state', value: ({ state }: Priced) => state }] : []),
  ])
}

// import-prices: the vendors' prices of the kept catalogue, or of a newer file, as price rows; the change is shown first.
import { readFile } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import { type Command, Option } from 'commander'
import { type Catalogue, VENDORS, type Vendor } from '../catalogue/format.ts'
import { CatalogueError, type LeftOut } from '../catalogue/litellm.ts'
import { readCatalogue } from '../catalogue/read.ts'
import { PROJECT_ROOT } from '../start/project.ts'
import { appendPrices, type NewRow } from './append-prices.ts'
import { vendorModel } from './arguments.ts'
import { NOW_MS } from './clock.ts'
import { type Context, Failure, type Output } from './context.ts'
import { type PlannedModel, planImport } from './import-plan.ts'
import { rowOf, said } from './import-rows.ts'
import { markupText, planJson, planText } from './import-table.ts'
import { keyHints } from './key-hints.ts'
import { type Markup, markup } from './markup.ts'
import { isVendor, standingPrices } from './prices.ts'
import type { AskingOptions, Shell } from './shell.ts'
import { iso, plural } from './table.ts'

const KEPT = join(PROJECT_ROOT, 'scripts', 'catalogue', 'catalogue.json')

interface Options extends AskingOptions {
  vendor?: Vendor
  model: string[]
  as?: string
  markup: Markup
  from?: string
  withdrawRetired?: true
  all?: true
}

export function importPricesCommand(shell: Shell): Command {
  return shell
    .command(
      'import-prices',
      "Brings OpenAI's and Anthropic's prices up to date: shows what would change, asks, and appends it.",
      'import-prices --vendor openai --model gpt-6-sol --markup 20% --yes',
    )
    .addOption(new Option('--vendor <name>', 'only its models').choices(VENDORS))
    .addOption(
      new Option('--model <id>', "only this one, by the vendor's id; may be given several times")
        .argParser((id, before: string[]) => [...before, id])
        .default([], 'all'),
    )
    .addOption(new Option('--as <name>', 'sell that one model by this name, too: an alias, at the price of now').argParser(vendorModel))
    .addOption(new Option('--markup <percent>', 'what is added to each price, such as 20%').argParser(markup).default(0, 'nothing'))
    .option('--from <file>', "another catalogue, or LiteLLM's model_prices_and_context_window.json, instead of the kept one")
    .option('--withdraw-retired', 'take models that the vendor has retired off the offer')
    .option('--all', 'list what stays as it is, too')
    .option('--yes', 'do not ask')
    .action((options: Options) => importPrices(shell, options))
}

interface Import {
  catalogue: Catalogue
  leftOut: LeftOut[]
  plan: PlannedModel[]
  rows: NewRow[]
}

/** The database is opened twice: it is not held while a person thinks. */
async function importPrices(shell: Shell, options: Options): Promise<void> {
  let planned: Import | undefined
  await shell.run(options, async (context) => {
    planned = await plan(context, options)
    if (planned.rows.length === 0) return report(planned, options, context)
    const text = `${head(planned, options)}\n${planText(planned.plan, options.all === true)}\n`
    // With --json standard output is one value, and the change is told to whoever is asked.
    if (!context.json) await context.io.out(text)
    else if (!options.yes) context.io.err(text)
    return null
  })
  if (planned === undefined || planned.rows.length === 0) return
  const { rows, ...rest } = planned
  await shell.confirm(options, `${said(rows, 'Write', 'withdraw')}?`)
  await shell.run(options, async (context) => {
    if (await appendPrices(context.db, context.who, rows)) return report({ rows, ...rest }, options, context)
    throw new Failure('prices have been changed in the meantime: nothing was written. Run it again to see what is left to do.')
  })
}

/** Throws Failure, UsageError. */
async function plan({ db, io }: Context, options: Options): Promise<Import> {
  const { catalogue, leftOut } = await readFrom(options.from === undefined ? KEPT : resolve(io.directory, options.from), options.from)
  const [clock] = await db.all(`SELECT ${NOW_MS} AS now`)
  const selection = { vendor: options.vendor ?? null, models: options.model, markup: options.markup, alias: options.as ?? null }
  const today = iso(Number(clock?.now)).slice(0, 10)
  const plan = planImport(catalogue.models, await standingPrices(db), today, selection)
  return { catalogue, leftOut, plan, rows: plan.flatMap((model) => rowOf(model, options.withdrawRetired === true)) }
}

async function readFrom(path: string, named: string | undefined): Promise<ReturnType<typeof readCatalogue>> {
  const what = named === undefined ? 'the kept catalogue' : `--from: ${named}`
  try {
    return readCatalogue(await readFile(path, 'utf8'))
  } catch (error) {
    if (error instanceof CatalogueError) throw new Failure(`${what}: ${error.message} Nothing was written.`)
    if (error instanceof Error && 'code' in error) throw new Failure(`${what} cannot be read (${error.code}); give another file.`)
    throw error
  }
}

function head({ catalogue: { source, version, date }, leftOut }: Import, options: Options): string {
  const out = leftOut.length === 0 ? '' : `; ${plural(leftOut.length, 'model')} left out, --json says why`
  const of = [version === null ? source : `${source} ${version}`, ...(date === null ? [] : [date])].join(', ')
  return `${of}; markup ${markupText(options.markup)}${out}`
}

function report(done: Import, options: Options, context: Context): Output {
  const { catalogue, leftOut, plan, rows } = done
  const withdrawn = rows.filter(({ row }) => row.withdrawn === 1).length
  const offered = rows.filter(({ row }) => row.withdrawn === 0).map(({ row }) => row.upstream)
  return {
    json: {
      source: catalogue.source,
      version: catalogue.version,
      date: catalogue.date,
      markup: markupText(options.markup),
      written: rows.length - withdrawn,
      withdrawn,
      models: planJson(plan),
      left_out: leftOut,
    },
    text:
      rows.length === 0
        ? `${head(done, options)}\n${planText(plan, options.all === true)}\nNothing to change.`
        : [`${said(rows, 'Wrote', 'withdrew')}, in force from now on.`, ...keyHints(offered.filter(isVendor), context)].join('\n'),
  }
}

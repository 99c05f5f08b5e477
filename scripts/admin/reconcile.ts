// reconcile: the vendor's own usage export beside the ledger, by UTC day and model. It writes nothing.
import { type Command, Option } from 'commander'
import { DAY_MS } from '../../worker/ledger/periods.ts'
import { VENDORS, type Vendor } from '../catalogue/format.ts'
import { archivedIn, archivedText } from './archives.ts'
import { type Context, Failure, type Output } from './context.ts'
import { type Markup, markup } from './markup.ts'
import { type Month, month } from './month.ts'
import { type Comparison, compare } from './reconcile-compare.ts'
import { ledgerUsage, vendorPrices } from './reconcile-ledger.ts'
import { comparisonJson, comparisonText } from './reconcile-table.ts'
import type { CommonOptions, Shell } from './shell.ts'
import { dayName, plural, thousands } from './table.ts'
import type { VendorExport } from './vendor-export.ts'
import { readExports } from './vendor-files.ts'

/** 0.1%, in ten-thousandths of a percent. */
const TOLERANCE: Markup = 1000

interface Options extends CommonOptions {
  vendor: Vendor
  month: Month
  from: string[]
  tolerance: Markup
}

export function reconcileCommand(shell: Shell): Command {
  return shell
    .command(
      'reconcile',
      "Compares a vendor's own usage export with the ledger, by UTC day and model. Exit code 1 if they do not agree.",
      'reconcile --vendor openai --month 2026-11 --from usage.json --from costs.json',
    )
    .addOption(new Option('--vendor <name>', 'whose export it is').choices(VENDORS).makeOptionMandatory())
    .addOption(new Option('--month <month>', 'YYYY-MM, in UTC').argParser(month).makeOptionMandatory())
    .addOption(
      new Option('--from <file>', 'pages of its usage or cost API (docs/reconciliation.md); may be given several times')
        .argParser((file, before?: string[]) => [...(before ?? []), file])
        .makeOptionMandatory(),
    )
    .addOption(
      new Option('--tolerance <percent>', "how much of the vendor's tokens may differ").argParser(markup).default(TOLERANCE, '0.1%'),
    )
    .action((options: Options) => shell.run(options, (context) => reconcile(context, options)))
}

/** Throws Failure. */
async function reconcile({ db, io }: Context, { vendor, month, from, tolerance }: Options): Promise<Output> {
  const archived = await archivedIn(db, month.first, month.last)
  if (archived.length > 0) throw new Failure(`--month: there are no rows to compare any more: ${archivedText(archived)}`)
  const today = Math.floor(Date.now() / DAY_MS)
  const exported = await readExports(vendor, from, io.directory, month, today)
  const [ledger, prices] = [await ledgerUsage(db, vendor, month), await vendorPrices(db, vendor)]
  const isCompared = (day: number) => day >= month.first && day <= month.last && exported.days.usage.has(day)
  const compared = compare(ledger, exported, prices, isCompared, tolerance)
  const notes = notesOn(compared, exported, month, today)
  return {
    json: { vendor, month: month.name, ...comparisonJson(compared, tolerance), notes },
    text: [`${vendor}, ${month.name} (UTC)`, comparisonText(compared, tolerance), ...notes].join('\n'),
    exitCode: compared.agrees ? 0 : 1,
  }
}

function notesOn(compared: Comparison, exported: VendorExport, { first, last }: Month, today: number): string[] {
  const { tiered, unpriced, estimated, driftTokens } = compared
  const notes: string[] = []
  if (tiered.length > 0) {
    notes.push(`Priced by the length of a request, which a day's sum does not tell; the drift is at the base price: ${tiered.join(', ')}.`)
  }
  if (unpriced.length > 0) notes.push(`Without a price, so that the drift in dollars is without it: ${unpriced.join(', ')}.`)
  if (estimated > 0 && driftTokens > 0) {
    notes.push(
      `The tokens of ${plural(estimated, 'request')} in the ledger are estimated (cut off, or expired): some of the drift may be that.`,
    )
  }
  const searches = exported.searches.reduce((sum, { day, count }) => (day >= first && day <= last ? sum + count : sum), 0)
  if (searches > 0) {
    notes.push(`The vendor counts ${thousands(searches)} searches of the web, which the gateway does not pass: another key was used.`)
  }
  if (last < today) return notes
  const until = Math.max(...[...exported.days.usage].filter((day) => day <= Math.min(last, today)))
  notes.push(
    until === today
      ? `The month is not over: ${dayName(today)} is compared as far as it is known.`
      : `The month is not over: compared up to ${dayName(until)}.`,
  )
  return notes
}

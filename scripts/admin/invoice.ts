// invoice: an invoice or credit note as it was written, however often it is asked for.
import { Argument, type Command, Option } from 'commander'
import { csvOf } from '../invoices/csv.ts'
import type { InvoiceDocument } from '../invoices/document.ts'
import { htmlOf } from '../invoices/html.ts'
import { textOf } from '../invoices/text.ts'
import { type Context, type Output, UsageError } from './context.ts'
import { fileSink, outputOption, standardOutput } from './export-sink.ts'
import { findInvoice, type InvoiceNumber, invoiceNumber } from './invoices.ts'
import type { CommonOptions, Shell } from './shell.ts'

/** A pure function of the stored document each. */
const FORMS = {
  html: htmlOf,
  csv: csvOf,
  json: (document: InvoiceDocument) => `${JSON.stringify(document, null, 2)}\n`,
  text: (document: InvoiceDocument) => `${textOf(document)}\n`,
}
type Form = keyof typeof FORMS

interface Options extends CommonOptions {
  format?: Form
  output?: string
}

export function invoiceCommand(shell: Shell): Command {
  return shell
    .command(
      'invoice',
      'Prints an invoice or credit note: the same each time.',
      'invoice 2026-0001 --format html --output invoice-2026-0001.html',
    )
    .addArgument(new Argument('<number>', 'as in list-invoices').argParser(invoiceNumber))
    .addOption(
      new Option('--format <format>', 'for printing, for a spreadsheet, all of it, or for here (default: text)').choices(
        Object.keys(FORMS),
      ),
    )
    .addOption(outputOption())
    .action((number: InvoiceNumber, options: Options) => {
      const { json, format, output } = options
      if (json && output === undefined && format !== undefined && format !== 'json') {
        throw new UsageError(`--format ${format} does not go with --json, which prints one JSON value: add --output.`)
      }
      return shell.run(options, (context) => invoice(context, number, options))
    })
}

/** Null where it went to standard output itself. Throws Failure. */
async function invoice({ db, io, json }: Context, number: InvoiceNumber, { format, output }: Options): Promise<Output | null> {
  const { document } = await findInvoice(db, number)
  const text = FORMS[format ?? (json && output === undefined ? 'json' : 'text')](document)
  const sink = output === undefined ? standardOutput(io) : await fileSink(io, output)
  await sink.write(text).catch(async (error) => {
    await sink.abandon()
    throw error
  })
  await sink.finish()
  return output === undefined ? null : { json: { number: document.number, file: output }, text: `${document.number} written to ${output}` }
}

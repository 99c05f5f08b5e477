// invoice.json: who writes the invoices, the tax, the currency's name, and what has to stand below.
import { readFile } from 'node:fs/promises'
import { basename } from 'node:path'
import * as z from 'zod'
import { formatDecimal, parseDecimal } from '../../worker/money.ts'

const line = z
  .string()
  .trim()
  .min(1)
  .max(200)
  .refine((text) => !/\p{Cc}/u.test(text), 'has to be one line')
const lines = z.array(line).max(20)

const settings = z.strictObject({
  issuer: z.strictObject({
    name: line,
    address: lines.min(1),
    tax_id: line.optional(),
    email: z.email().max(254).optional(),
  }),
  tax: z.strictObject({
    label: line.default('Tax'),
    percent: z.number().refine((percent) => basisPoints(percent) !== null, 'has to be from 0 to 100, with at most two decimals'),
  }),
  currency: line.default('USD'),
  payment: z
    .strictObject({
      days: z.int().min(0).max(365).nullable().default(null),
      terms: lines.default([]),
      prepaid_terms: lines.default(['Paid in advance, out of your balance.']),
      prepaid_credit_terms: lines.default([]),
    })
    .prefault({}),
  legal: lines.default([]),
})

export type InvoiceSettings = z.infer<typeof settings>

/** The settings cannot be used; the message names the file, the field and the remedy. */
export class SettingsError extends Error {
  override name = 'SettingsError'
}

/** Throws SettingsError. */
export async function readInvoiceSettings(path: string): Promise<InvoiceSettings> {
  const text = await readFile(path, 'utf8').catch((error: NodeJS.ErrnoException) => {
    if (error.code !== 'ENOENT') throw new SettingsError(`${basename(path)} cannot be read (${error.code}).`)
    throw new SettingsError(
      `${path} is missing, which says who writes the invoices: copy invoice.example.json to it and fill it in (docs/invoices.md).`,
    )
  })
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch (error) {
    throw new SettingsError(`${basename(path)} is no JSON: ${(error as Error).message}`)
  }
  const read = settings.safeParse(value)
  if (read.success) return read.data
  const wrong = read.error.issues.map((issue) => `${issue.path.join('.') || 'the whole'}: ${wordIssue(issue)}`)
  throw new SettingsError(`${basename(path)}: ${wrong.join('; ')}`)
}

/** zod's words for what is often wrong are no help. */
function wordIssue(issue: z.core.$ZodIssue): string {
  if (issue.code === 'invalid_type' && issue.message.endsWith('received undefined')) return 'is missing'
  if (issue.code === 'too_small') return issue.origin === 'string' ? 'may not be empty' : `has to be ${issue.minimum} at the least`
  if (issue.code === 'unrecognized_keys') return `there is no field ${issue.keys.map((key) => JSON.stringify(key)).join(', ')}`
  return issue.message
}

export function taxBpOf({ tax }: InvoiceSettings): number {
  return basisPoints(tax.percent) as number
}

/** 8.1 → 810; null for what is no such rate. */
function basisPoints(percent: number): number | null {
  return parseDecimal(String(percent), 2, 10_000)
}

/** 810 → 8.1. */
export function formatPercent(bp: number): string {
  return formatDecimal(bp, 2)
}

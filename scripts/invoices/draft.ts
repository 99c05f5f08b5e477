// The document of a month, or of a credit, before it has a number.
import type { InvoiceDocument, Party } from './document.ts'
import { type Adjustment, adjustmentLineOf, lineOf, type UsedLine } from './lines.ts'
import { formatPercent, type InvoiceSettings, taxBpOf } from './settings.ts'
import { creditOf, type Due, dueOf, formatAmount, formatCents } from './sums.ts'

export interface Draft {
  document: InvoiceDocument
  due: Due
  taxBp: number
}

interface Recipient {
  id: number
  name: string
  email: string
  /** Lines. */
  address: string
  taxId: string
}

export interface MonthFacts {
  from: string
  to: string
  customer: Recipient & { prepaid: boolean }
  lines: readonly UsedLine[]
  adjustments: readonly Adjustment[]
  usageNano: bigint
  adjustmentsNano: bigint
  before: { number: string; remainderNano: bigint } | null
}

export function draftInvoice(facts: MonthFacts, settings: InvoiceSettings): Draft {
  const { from, to, usageNano, adjustmentsNano, before } = facts
  const taxBp = taxBpOf(settings)
  const carriedNano = before?.remainderNano ?? 0n
  const due = dueOf(usageNano + adjustmentsNano + carriedNano, taxBp)
  return {
    due,
    taxBp,
    document: {
      version: 1,
      kind: 'invoice',
      number: '',
      issued: '',
      due: null,
      from,
      to,
      corrects: null,
      currency: settings.currency,
      issuer: issuerOf(settings),
      customer: recipientOf(facts.customer),
      lines: facts.lines.map(lineOf),
      adjustments: facts.adjustments.map(adjustmentLineOf),
      // A remainder of nothing is no line.
      carried_from: carriedNano === 0n ? null : (before?.number ?? null),
      sums: {
        usage: formatAmount(usageNano),
        adjustments: formatAmount(adjustmentsNano),
        carried: formatAmount(carriedNano),
        remainder: formatAmount(due.remainderNano),
        ...centsOf(due),
        tax_label: settings.tax.label,
        tax_percent: formatPercent(taxBp),
      },
      payment: termsOf(due, facts.customer.prepaid, settings),
      prepaid: facts.customer.prepaid,
      legal: settings.legal,
    },
  }
}

/** What is not to be paid, or has been, is not due. */
export function isDue({ totalCents }: Due, prepaid: boolean): boolean {
  return totalCents > 0n && !prepaid
}

function termsOf(due: Due, prepaid: boolean, { payment }: InvoiceSettings): string[] {
  if (isDue(due, prepaid)) return payment.terms
  return due.totalCents > 0n ? payment.prepaid_terms : []
}

export interface CreditFacts {
  invoice: InvoiceDocument
  taxBp: number
  /** Above zero, and no more than is left. */
  creditCents: bigint
  /** Of the invoice's net, what was not credited yet. */
  leftCents: bigint
  reason: string
  customer: Recipient & { prepaid: boolean }
}

/** A credit note says who it is from as of now, and what of its invoice it takes back. Its remainder is the one that was carried to it. */
export function draftCredit(facts: CreditFacts, settings: InvoiceSettings): Omit<Draft, 'due'> & { due: Omit<Due, 'remainderNano'> } {
  const { invoice, taxBp, creditCents, leftCents, reason } = facts
  const due = creditOf(creditCents, leftCents, taxBp)
  const net = formatCents(due.netCents)
  return {
    due,
    taxBp,
    document: {
      ...invoice,
      kind: 'credit_note',
      number: '',
      issued: '',
      due: null,
      corrects: { number: invoice.number, issued: invoice.issued, reason },
      issuer: issuerOf(settings),
      customer: recipientOf(facts.customer),
      lines: [],
      adjustments: [],
      carried_from: null,
      sums: {
        ...invoice.sums,
        usage: '0.00',
        adjustments: net,
        carried: '0.00',
        remainder: '0.00',
        ...centsOf(due),
      },
      payment: facts.customer.prepaid ? settings.payment.prepaid_credit_terms : [],
      prepaid: facts.customer.prepaid,
      legal: settings.legal,
    },
  }
}

function centsOf({ netCents, taxCents, totalCents }: Omit<Due, 'remainderNano'>) {
  return { net: formatCents(netCents), tax: formatCents(taxCents), total: formatCents(totalCents) }
}

function issuerOf({ issuer }: InvoiceSettings): Party {
  return { name: issuer.name, address: issuer.address, tax_id: issuer.tax_id ?? '', email: issuer.email ?? '' }
}

function recipientOf({ id, name, email, address, taxId }: Recipient): Party & { id: number } {
  const lines = address.split('\n').map((line) => line.trim())
  return { id, name, address: lines.filter((line) => line !== ''), tax_id: taxId, email }
}

// What an invoice or credit note says, whole: it is stored with the row, and what is printed is made of it and of nothing else.
// Money is a decimal string: exact where it is `amount`, in cents where it is to be paid. Days are YYYY-MM-DD in UTC.

export interface Party {
  name: string
  address: string[]
  tax_id: string
  email: string
}

/** USD per request, per million tokens, per second of GPU time. */
export interface LinePrice {
  id: number
  since: string
  per_request: string
  input: string
  cached_input: string
  cache_write: string
  cache_write_long: string
  output: string
  gpu_second: string
  /** Which requests it is for: those with an input of more tokens than this, or of no more; null: all. */
  input_above: number | null
  input_up_to: number | null
}

/** What was used of a model at one price. */
export interface Line {
  model: string
  /** Null: the requests were archived, and of their prices only the sum is left. */
  price: LinePrice | null
  requests: number
  /** Of them, those that cost nothing. */
  uncharged_requests: number
  /** Without those of the next three. */
  input_tokens: number
  cached_tokens: number
  cache_write_tokens: number
  cache_write_long_tokens: number
  output_tokens: number
  /** Of output_tokens. */
  reasoning_tokens: number
  gpu_ms: number
  /** What the amount is less than its tokens at the price: more was used than was held, and that is not charged where there is a budget. */
  over: string
  amount: string
}

export interface AdjustmentLine {
  day: string
  reason: string
  request_id: string | null
  amount: string
}

interface Sums {
  usage: string
  adjustments: string
  /** From the document before, below a cent. */
  carried: string
  /** To the next one, below a cent; usage + adjustments + carried = net + remainder. */
  remainder: string
  net: string
  tax_label: string
  tax_percent: string
  tax: string
  total: string
}

export interface InvoiceDocument {
  /** Of this shape. */
  version: 1
  kind: 'invoice' | 'credit_note'
  /** The database sets it, the two days after it, and the year in it as it writes the row. */
  number: string
  issued: string
  due: string | null
  /** The days that it is for, both included. */
  from: string
  to: string
  /** The invoice that a credit note corrects, and why. */
  corrects: { number: string; issued: string; reason: string } | null
  currency: string
  issuer: Party
  customer: Party & { id: number }
  lines: Line[]
  adjustments: AdjustmentLine[]
  carried_from: string | null
  sums: Sums
  payment: string[]
  /** Its customer paid in advance: an invoice is paid out of their balance, and the net of a credit note goes back into it. Older ones do not say. */
  prepaid?: boolean
  legal: string[]
}

/** 2026-0007. */
export function numberOf(year: number, seq: number): string {
  return `${year}-${String(seq).padStart(4, '0')}`
}

/** The same in SQL, of two expressions. */
export function numberSql(year: string, seq: string): string {
  return `printf('%d-%04d', ${year}, ${seq})`
}

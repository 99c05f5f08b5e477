// An invoice as CSV: a row for each line, adjustment and sum, so that the amounts of usage and adjustments add up.
import { csvLine, type Decimal } from '../../worker/csv.ts'
import type { InvoiceDocument, LinePrice } from './document.ts'

type Cell = string | number | null | Decimal
const HEAD = ['number', 'kind', 'issued', 'customer_id', 'customer', 'from', 'to', 'row', 'model', 'price_id', 'day', 'text', 'request_id']
const COUNTS = [
  ...(['requests', 'uncharged_requests', 'input_tokens', 'cached_tokens', 'cache_write_tokens', 'cache_write_long_tokens'] as const),
  ...(['output_tokens', 'reasoning_tokens', 'gpu_ms'] as const),
]
const PRICES = [
  ...(['per_request', 'input', 'cached_input', 'cache_write', 'cache_write_long', 'output', 'gpu_second'] as const),
  ...(['input_above', 'input_up_to'] as const),
] satisfies (keyof LinePrice)[]

export function csvOf(document: InvoiceDocument): string {
  const { number, kind, issued, customer, from, to, currency, sums } = document
  const of = [number, kind, issued, customer.id, customer.name, from, to]
  const blank = (cells: readonly string[]): Cell[] => cells.map(() => null)
  const plain = (row: string, text: string | null, amount: string, day: string | null = null, request: string | null = null): Cell[] => [
    ...of,
    row,
    null,
    null,
    day,
    text,
    request,
    ...blank(COUNTS),
    ...blank(PRICES),
    null,
    { decimal: amount },
    currency,
  ]
  const rows = [
    ...document.lines.map((line): Cell[] => {
      const { price } = line
      const figures = price === null ? blank(PRICES) : PRICES.map((name) => price[name])
      return [
        ...of,
        'usage',
        line.model,
        price?.id ?? null,
        null,
        null,
        null,
        ...COUNTS.map((name) => line[name]),
        ...figures,
        { decimal: line.over },
        { decimal: line.amount },
        currency,
      ]
    }),
    ...document.adjustments.map(({ day, reason, request_id: id, amount }) => plain('adjustment', reason, amount, day, id)),
    plain('carried', document.carried_from, sums.carried),
    plain('remainder', null, sums.remainder),
    plain('net', document.corrects?.reason ?? null, sums.net),
    plain('tax', `${sums.tax_label} ${sums.tax_percent}%`, sums.tax),
    plain('total', null, sums.total),
  ]
  const titles = [...HEAD, ...COUNTS, ...PRICES.map((name) => `price_${name}`), 'over', 'amount', 'currency']
  return csvLine(titles) + rows.map((row) => csvLine(row)).join('')
}

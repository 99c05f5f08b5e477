// How numbers and days read on paper, and what a line was charged for: the same in HTML and text.
import type { InvoiceDocument, Line, LinePrice } from './document.ts'

/** What was counted, and what one, or a million, of it costs, where that is known. */
interface Quantity {
  what: string
  count: string
  price: string
}

const MONTHS = [
  ...['January', 'February', 'March', 'April', 'May', 'June', 'July', 'August', 'September', 'October', 'November', 'December'],
]

/** 2026-10-05 → 5 October 2026. */
export function longDay(day: string): string {
  const [year, month, date] = day.split('-')
  return `${Number(date)} ${MONTHS[Number(month) - 1]} ${year}`
}

/** The month that it is for: October 2026. */
export function monthOf({ from }: InvoiceDocument): string {
  return longDay(from).replace(/^\d+ /, '')
}

/** 1234567.5 → 1,234,567.50, with so many decimals at the least. */
export function grouped(decimal: string, decimals = 0): string {
  const [whole = '', fraction = ''] = decimal.split('.')
  const padded = fraction.padEnd(decimals, '0')
  return `${whole.replace(/\B(?=(\d{3})+$)/g, ',').replace('-', '−')}${padded === '' ? '' : `.${padded}`}`
}

/** How many decimals the exact amounts of a document take, so that they stand under one another. */
export function decimalsOf({ lines, adjustments, sums }: InvoiceDocument): number {
  const amounts = [...lines, ...adjustments].map(({ amount }) => amount)
  const all = [...amounts, sums.usage, sums.adjustments, sums.carried, sums.remainder]
  return Math.max(2, ...all.map((amount) => amount.split('.')[1]?.length ?? 0))
}

/** An adjustment's day, why, and the request if it was for one. */
export function requestOf(id: string | null): string {
  return id === null ? '' : `request ${id}`
}

/** How many requests there were, and what each cost before its tokens. */
export function requestsOf({ requests, price }: Line): { count: string; price: string } {
  const each = price === null || price.per_request === '0' ? '' : `${grouped(price.per_request, 2)} each`
  return { count: `${grouped(String(requests))} request${requests === 1 ? '' : 's'}`, price: each }
}

/** What was used, without what was not. */
export function quantitiesOf(line: Line): Quantity[] {
  const { price } = line
  const million = (figure: (price: LinePrice) => string) => (price === null ? '' : `${grouped(figure(price), 2)} / million`)
  const tokens = (what: string, count: number, figure: (price: LinePrice) => string): Quantity[] =>
    count === 0 ? [] : [{ what, count: grouped(String(count)), price: million(figure) }]
  const reasoning = line.reasoning_tokens === 0 ? '' : `, ${grouped(String(line.reasoning_tokens))} of them reasoning`
  return [
    ...tokens('Input tokens', line.input_tokens, ({ input }) => input),
    ...tokens('Cached input tokens', line.cached_tokens, ({ cached_input }) => cached_input),
    ...tokens('Input tokens written to the cache', line.cache_write_tokens, ({ cache_write }) => cache_write),
    ...tokens('Input tokens written to the cache for hours', line.cache_write_long_tokens, ({ cache_write_long }) => cache_write_long),
    ...tokens(`Output tokens${reasoning}`, line.output_tokens, ({ output }) => output),
    ...(line.gpu_ms === 0 || (price !== null && price.gpu_second === '0')
      ? []
      : [
          {
            what: 'GPU seconds',
            count: grouped((line.gpu_ms / 1000).toFixed(3)),
            price: price === null ? '' : `${grouped(price.gpu_second, 2)} / second`,
          },
        ]),
  ]
}

/** What price it was, and what is odd about the line. */
export function notesOf({ price, requests, uncharged_requests: uncharged, over, amount }: Line): string {
  const notes = price === null ? ['at the prices of the time'] : [`price no. ${price.id}, in force since ${longDay(price.since)}`]
  if (price?.input_above != null) notes.push(`requests of more than ${grouped(String(price.input_above))} input tokens`)
  if (price?.input_up_to != null) notes.push(`requests of up to ${grouped(String(price.input_up_to))} input tokens`)
  if (uncharged > 0 && uncharged < requests && amount !== '0.00') notes.push(`${grouped(String(uncharged))} of the requests not charged`)
  if (over !== '0.00') notes.push(`${grouped(over)} beyond what was held for them, not charged`)
  return notes.join('; ')
}

/** Invoice 2026-0007. */
export function titleOf({ kind }: InvoiceDocument): string {
  return kind === 'invoice' ? 'Invoice' : 'Credit note'
}

interface Sum {
  what: string
  amount: string
}

/** How the lines come to the net, exactly. */
export function exactSums({ kind, sums, carried_from: from }: InvoiceDocument): Sum[] {
  if (kind === 'credit_note') return []
  const isNothing = (amount: string) => amount === '0.00'
  return [
    { what: 'Usage', amount: sums.usage },
    ...(isNothing(sums.adjustments) ? [] : [{ what: 'Adjustments', amount: sums.adjustments }]),
    ...(isNothing(sums.carried) ? [] : [{ what: `Carried over from ${from}, less than a cent`, amount: sums.carried }]),
    ...(isNothing(sums.remainder) ? [] : [{ what: 'Carried over to the next invoice, less than a cent', amount: `-${sums.remainder}` }]),
  ]
}

/** What the customer is to do with the total. */
export function dueText({ kind, due, sums, currency, corrects, prepaid }: InvoiceDocument): string {
  const size = (amount: string) => `${grouped(amount.replace('-', ''))} ${currency}`
  if (kind === 'credit_note' && prepaid) return `${size(sums.net)} net of invoice ${corrects?.number} are given back to your balance.`
  if (kind === 'credit_note') return `${size(sums.total)} of invoice ${corrects?.number} are not to be paid, or are paid back.`
  if (sums.total.startsWith('-')) return `${size(sums.total)} are in your favour.`
  if (sums.total === '0.00') return 'Nothing is to be paid.'
  return due === null ? '' : `Payable by ${longDay(due)}.`
}

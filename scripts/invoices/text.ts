// An invoice for a terminal.
import { table } from '../admin/table.ts'
import type { InvoiceDocument } from './document.ts'
import { decimalsOf, dueText, exactSums, grouped, notesOf, quantitiesOf, requestOf, requestsOf, titleOf } from './wording.ts'

export function textOf(document: InvoiceDocument): string {
  const { number, issued, issuer, customer, from, to, corrects, sums, currency, payment, legal } = document
  const decimals = decimalsOf(document)
  const rows = [
    ...document.lines.flatMap((line) => [
      { what: line.model, ...requestsOf(line), amount: grouped(line.amount, decimals) },
      { what: `  ${notesOf(line)}`, count: '', price: '', amount: '' },
      ...quantitiesOf(line).map(({ what, ...rest }) => ({ what: `  ${what}`, ...rest, amount: '' })),
    ]),
    ...document.adjustments.map(({ day, reason, request_id: id, amount }) => {
      return { what: [day, reason, requestOf(id)].join(' ').trim(), count: '', price: '', amount: grouped(amount, decimals) }
    }),
    ...exactSums(document).map(({ what, amount }) => ({ what, count: '', price: '', amount: grouped(amount, decimals) })),
    { what: 'Net', count: '', price: '', amount: grouped(sums.net) },
    { what: `${sums.tax_label} ${sums.tax_percent} %`, count: '', price: '', amount: grouped(sums.tax) },
    { what: 'Total', count: '', price: '', amount: `${grouped(sums.total)}` },
  ]
  const about = corrects === null ? `for ${from} to ${to}` : `to invoice ${corrects.number} of ${corrects.issued}: ${corrects.reason}`
  return [
    `${titleOf(document)} ${number} of ${issued}, ${about}`,
    `From ${[issuer.name, ...issuer.address, issuer.tax_id].filter((text) => text !== '').join(', ')}`,
    `To ${[customer.name, ...customer.address, customer.tax_id].filter((text) => text !== '').join(', ')} (customer ${customer.id})`,
    table(rows, [
      { title: 'what', value: ({ what }) => what },
      { title: 'quantity', value: ({ count }) => count, right: true },
      { title: 'price', value: ({ price }) => price, right: true },
      { title: currency, value: ({ amount }) => amount, right: true },
    ]),
    ...[dueText(document), ...payment, ...legal].filter((text) => text !== ''),
  ].join('\n')
}

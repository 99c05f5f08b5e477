// An invoice as one page of HTML: no scripts, nothing from elsewhere, made to be printed on A4.
import type { AdjustmentLine, InvoiceDocument, Line, Party } from './document.ts'
import { styleOf } from './html-style.ts'
import {
  decimalsOf,
  dueText,
  exactSums,
  grouped,
  longDay,
  monthOf,
  notesOf,
  quantitiesOf,
  requestOf,
  requestsOf,
  titleOf,
} from './wording.ts'

export function htmlOf(document: InvoiceDocument): string {
  const title = `${titleOf(document)} ${document.number}`
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'">
<title>${escaped(`${title} – ${document.issuer.name}`)}</title>
<style>${styleOf(document.number)}</style>
</head>
<body>
${head(document)}
<main>
<h1>${escaped(title)}</h1>
<p>${escaped(subject(document))}</p>
${usage(document)}${adjustments(document)}${sums(document)}
</main>
${close(document)}
</body>
</html>
`
}

function escaped(text: string): string {
  return text.replace(/[&<>"']/g, (character) => `&#${character.charCodeAt(0)};`)
}

/** Lines of an address and the like, those that are there. */
function lines(texts: readonly string[]): string {
  return texts
    .filter((text) => text !== '')
    .map(escaped)
    .join('<br>\n')
}

function head({ issuer, customer, issued, due, number, from, to, corrects, kind }: InvoiceDocument): string {
  const facts: [string, string][] = [
    ['Number', number],
    ['Date', longDay(issued)],
    [kind === 'invoice' ? 'Period' : 'Invoice for', `${longDay(from).replace(/ \d+$/, '')} – ${longDay(to)}`],
    ['Customer', String(customer.id)],
    ...(customer.tax_id === '' ? [] : ([['Your tax ID', customer.tax_id]] satisfies [string, string][])),
    ...(corrects === null ? [] : ([['Corrects', corrects.number]] satisfies [string, string][])),
    ...(due === null ? [] : ([['Payable by', longDay(due)]] satisfies [string, string][])),
  ]
  return `<header class="head">
<address class="to"><p class="small">${escaped(returnAddress(issuer))}</p>
${lines([customer.name, ...customer.address, ...(customer.address.length === 0 ? [customer.email] : [])])}</address>
<address class="issuer"><strong>${escaped(issuer.name)}</strong>
${lines([...issuer.address, issuer.tax_id === '' ? '' : `Tax ID ${issuer.tax_id}`, issuer.email])}</address>
<dl class="facts">${facts.map(([name, value]) => `<dt>${name}</dt><dd>${escaped(value)}</dd>`).join('\n')}</dl>
</header>`
}

/** One line above the recipient, where a window envelope shows it. */
function returnAddress({ name, address }: Party): string {
  return [name, ...address].join(' · ')
}

function subject(document: InvoiceDocument): string {
  const { corrects } = document
  if (corrects === null) return `Use of language models in ${monthOf(document)}`
  return `To invoice ${corrects.number} of ${longDay(corrects.issued)}: ${corrects.reason}`
}

function usage(document: InvoiceDocument): string {
  if (document.lines.length === 0) return ''
  const decimals = decimalsOf(document)
  return `<table class="lines">
<colgroup><col><col class="count"><col class="price"><col class="amount"></colgroup>
<thead><tr><th scope="col">Model</th><th scope="col" class="n">Quantity</th><th scope="col" class="n">Price in ${escaped(document.currency)}</th><th scope="col" class="n">Amount in ${escaped(document.currency)}</th></tr></thead>
${document.lines.map((line) => usageLine(line, decimals)).join('\n')}
</table>
`
}

function usageLine(line: Line, decimals: number): string {
  const requests = requestsOf(line)
  const parts = quantitiesOf(line).map(
    ({ what, count, price }) =>
      `<tr class="part"><td>${escaped(what)}</td><td class="n">${count}</td><td class="n">${price}</td><td></td></tr>`,
  )
  return `<tbody class="line"><tr><td class="model">${escaped(line.model)}</td><td class="n">${requests.count}</td><td class="n">${requests.price}</td><td class="n">${grouped(line.amount, decimals)}</td></tr>
<tr class="part"><td colspan="3" class="note">${escaped(notesOf(line))}</td><td></td></tr>
${parts.join('\n')}</tbody>`
}

function adjustments(document: InvoiceDocument): string {
  if (document.adjustments.length === 0) return ''
  const decimals = decimalsOf(document)
  return `<h2>Adjustments</h2>
<table class="lines">
<colgroup><col class="day"><col><col class="amount"></colgroup>
<thead><tr><th scope="col">Day</th><th scope="col">Reason</th><th scope="col" class="n">Amount in ${escaped(document.currency)}</th></tr></thead>
${document.adjustments.map((line) => adjustmentLine(line, decimals)).join('\n')}
</table>
`
}

function adjustmentLine({ day, reason, request_id: id, amount }: AdjustmentLine, decimals: number): string {
  const request = id === null ? '' : `<br><span class="small">${escaped(requestOf(id))}</span>`
  return `<tbody class="line"><tr><td>${longDay(day)}</td><td>${escaped(reason)}${request}</td><td class="n">${grouped(amount, decimals)}</td></tr></tbody>`
}

function sums(document: InvoiceDocument): string {
  const { sums, currency } = document
  const decimals = decimalsOf(document)
  const row = (kind: string, what: string, amount: string) =>
    `<tr${kind === '' ? '' : ` class="${kind}"`}><td>${escaped(what)}</td><td class="n">${amount}</td></tr>`
  return `<table class="end"><tbody class="exact">
${exactSums(document)
  .map(({ what, amount }) => row('', what, grouped(amount, decimals)))
  .join('\n')}
</tbody><tbody class="cents">
${row('', 'Net', grouped(sums.net))}
${row('', `${sums.tax_label} ${sums.tax_percent} %`, grouped(sums.tax))}
${row('total', `Total in ${currency}`, grouped(sums.total))}
</tbody></table>`
}

function close(document: InvoiceDocument): string {
  const due = dueText(document)
  const said = [...(due === '' ? [] : [`<p class="due">${escaped(due)}</p>`]), ...document.payment.map((text) => `<p>${escaped(text)}</p>`)]
  const legal = document.legal.length === 0 ? '' : `<footer class="legal">${lines(document.legal)}</footer>`
  return `<section class="close">${said.join('\n')}</section>
${legal}`
}

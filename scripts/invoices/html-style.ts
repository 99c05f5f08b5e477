// How an invoice looks, on a screen and on A4.

/** @param number of the document, for the foot of each page: digits and a dash. */
export function styleOf(number: string): string {
  return `
@page { size: A4; margin: 18mm 18mm 22mm 22mm;
  @bottom-left { content: "${number}"; font: 7.5pt ${FONT}; color: #667; }
  @bottom-right { content: counter(page) " / " counter(pages); font: 7.5pt ${FONT}; color: #667; } }
*, *::before { box-sizing: border-box; }
html { font: 9.5pt/1.45 ${FONT}; color: #1a1d24; background: #fff; -webkit-print-color-adjust: exact; print-color-adjust: exact; }
body { margin: 0; overflow-wrap: anywhere; }
p, h1, h2, dl, dd, address { margin: 0; font-style: normal; }
.head { display: grid; grid-template-columns: 1fr 62mm; column-gap: 12mm; }
.issuer { grid-column: 2; }
.issuer strong { display: block; font-size: 11.5pt; line-height: 1.3; margin-bottom: 1mm; }
.issuer, .small { color: #454b58; font-size: 8.5pt; }
.to { grid-row: 1 / span 2; padding-top: 27mm; min-height: 62mm; }
.to .small { border-bottom: .25mm solid #b8bdc9; padding-bottom: .6mm; margin-bottom: 2mm; font-size: 7pt; }
.facts { grid-column: 2; align-self: end; display: grid; grid-template-columns: auto 1fr; column-gap: 4mm; font-size: 8.5pt; }
.facts dt { color: #667; }
.facts dd { text-align: right; font-variant-numeric: tabular-nums; }
h1 { font-size: 17pt; line-height: 1.2; font-weight: 650; margin: 9mm 0 1mm; letter-spacing: -.01em; }
h2 { font-size: 10.5pt; margin: 7mm 0 0; break-after: avoid; }
table { border-collapse: separate; border-spacing: 0; width: 100%; font-variant-numeric: tabular-nums; }
.lines { margin-top: 5mm; table-layout: fixed; }
h2 + .lines { margin-top: 2.5mm; }
.lines col.count { width: 33mm; } .lines col.price { width: 33mm; } .lines col.amount { width: 31mm; } .lines col.day { width: 33mm; }
thead { display: table-header-group; }
th { font-weight: 600; font-size: 7.5pt; color: #667; text-align: left; padding: 0 0 1mm; border-bottom: .35mm solid #1a1d24; vertical-align: bottom; }
td { padding: 0; vertical-align: top; }
th + th, td + td { padding-left: 3mm; }
.n { text-align: right; white-space: nowrap; }
.line { break-inside: avoid; }
.line tr:first-child td { padding-top: 1.8mm; }
.line tr:last-child td { padding-bottom: 1.8mm; border-bottom: .2mm solid #d9dce4; }
.model { font-weight: 600; }
.part td { font-size: 8.5pt; line-height: 1.38; color: #454b58; }
.part .note { color: #667; padding-bottom: .6mm; }
.end { break-inside: avoid; margin: 5mm 0 0 auto; width: 104mm; }
.end td { padding-top: .5mm; padding-bottom: .5mm; }
.exact td { font-size: 8.5pt; color: #454b58; }
.exact tr:last-child td { padding-bottom: 1.6mm; border-bottom: .2mm solid #b8bdc9; }
.cents tr:first-child td { padding-top: 1.6mm; }
.cents .total td { padding-top: 1.6mm; padding-bottom: 1.6mm; border: solid #1a1d24; border-width: .35mm 0; font-weight: 650; font-size: 12pt; }
.cents tr:nth-last-child(2) td { padding-bottom: 1.6mm; }
.close { margin-top: 7mm; break-inside: avoid; }
.close p + p { margin-top: .6mm; }
.due { font-weight: 600; margin-bottom: 1.5mm; }
.legal { margin-top: 7mm; padding-top: 2mm; border-top: .2mm solid #d9dce4; color: #667; font-size: 7.5pt; break-inside: avoid; }
@media screen { html { background: #eceef2; } body { width: 210mm; min-height: 297mm; margin: 8mm auto; padding: 18mm 18mm 22mm 22mm; background: #fff; box-shadow: 0 1mm 6mm #0002; } }
@media screen and (max-width: 220mm) { body { width: auto; margin: 0; padding: 6mm; } }
`
}

const FONT = '"Helvetica Neue", Helvetica, Arial, "Liberation Sans", "Noto Sans", sans-serif'

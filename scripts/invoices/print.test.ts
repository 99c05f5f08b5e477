import { expect, test } from 'vitest'
import { csvOf } from './csv.ts'
import { htmlOf } from './html.ts'
import { DOCUMENT, LINE, PRICE } from './testing.ts'
import { textOf } from './text.ts'
import { decimalsOf, dueText, grouped, notesOf, quantitiesOf } from './wording.ts'

const EVIL = `<script>alert("1")</script> & 'co'`
const evil = {
  ...DOCUMENT,
  currency: EVIL,
  issuer: { name: EVIL, address: [EVIL], tax_id: EVIL, email: EVIL },
  customer: { id: 3, name: EVIL, address: [EVIL], tax_id: EVIL, email: EVIL },
  lines: [{ ...LINE, model: EVIL }],
  adjustments: [{ day: '2026-10-12', reason: EVIL, request_id: EVIL, amount: '1.00' }],
  corrects: { number: EVIL, issued: '2026-10-01', reason: EVIL },
  sums: { ...DOCUMENT.sums, tax_label: EVIL },
  payment: [EVIL],
  legal: [EVIL],
}

test('nothing that anybody can name is markup', () => {
  for (const kind of ['invoice', 'credit_note'] as const) {
    const html = htmlOf({ ...evil, kind })
    expect(html).not.toContain('<script')
    expect(html).not.toContain('alert("1")')
    expect(html.split('&#60;script&#62;alert(&#34;1&#34;)&#60;/script&#62; &#38; &#39;co&#39;').length).toBeGreaterThan(10)
  }
})

test('the page takes nothing from elsewhere, runs nothing, and is made for A4', () => {
  const html = htmlOf(DOCUMENT)
  expect(html).not.toMatch(/<script|https?:|src=|href=|@import|url\(|javascript:/)
  expect(html).toContain("default-src 'none'")
  for (const rule of [
    'size: A4',
    'display: table-header-group',
    '.line { break-inside: avoid; }',
    '.end { break-inside: avoid',
    'tabular-nums',
  ]) {
    expect(html).toContain(rule)
  }
})

test('every line of many is on the page, each in a body of its own', () => {
  const lines = Array.from({ length: 300 }, (_, index) => ({ ...LINE, model: `model-${index}` }))
  const html = htmlOf({ ...DOCUMENT, lines })
  expect(html.match(/<tbody class="line">/g)).toHaveLength(301)
  expect(html.match(/<thead>/g)).toHaveLength(2)
})

test('exact amounts stand under one another, with as many decimals as the longest has', () => {
  expect(decimalsOf(DOCUMENT)).toBe(9)
  expect(htmlOf(DOCUMENT)).toContain('>−0.500000000<')
  expect(grouped('1234567.5', 2)).toBe('1,234,567.50')
  expect(grouped('-1234', 0)).toBe('−1,234')
  expect(grouped('999.00', 2)).toBe('999.00')
})

test('a line tells what was counted and what it cost, and nothing that was not used', () => {
  expect(quantitiesOf(LINE)).toEqual([
    { what: 'Input tokens', count: '1,000,000', price: '2.50 / million' },
    { what: 'Cached input tokens', count: '400,000', price: '0.25 / million' },
    { what: 'Output tokens, 20,000 of them reasoning', count: '50,000', price: '10.00 / million' },
  ])
  expect(quantitiesOf({ ...LINE, price: null, gpu_ms: 1500 }).at(-1)).toEqual({ what: 'GPU seconds', count: '1.500', price: '' })
  expect(notesOf({ ...LINE, price: { ...PRICE, input_above: 272_000 }, uncharged_requests: 2 })).toBe(
    'price no. 12, in force since 1 September 2026; requests of more than 272,000 input tokens; 2 of the requests not charged',
  )
  expect(notesOf({ ...LINE, price: null })).toBe('at the prices of the time')
  expect(notesOf({ ...LINE, over: '0.25' })).toMatch(/; 0\.25 beyond what was held for them, not charged$/)
})

test('what is to be done with the total is said, also where it is nothing or less', () => {
  const total = (text: string) => ({ ...DOCUMENT, sums: { ...DOCUMENT.sums, total: text } })
  expect(dueText(total('3.09'))).toBe('Payable by 15 November 2026.')
  expect(dueText({ ...total('3.09'), due: null })).toBe('')
  expect(dueText(total('0.00'))).toBe('Nothing is to be paid.')
  expect(dueText(total('-1234.00'))).toBe('1,234.00 USD are in your favour.')
})

test('a credit note says where the money goes: off what is to be paid, or its net back into the balance', () => {
  const sums = { ...DOCUMENT.sums, net: '-2.00', tax: '-0.38', total: '-2.38' }
  const credit = { ...DOCUMENT, kind: 'credit_note' as const, sums, corrects: { number: '2026-0001', issued: '2026-10-01', reason: 'x' } }
  expect(dueText(credit)).toBe('2.38 USD of invoice 2026-0001 are not to be paid, or are paid back.')
  const prepaid = { ...credit, prepaid: true, payment: ['Its tax is paid back.'] }
  expect(textOf(prepaid)).toContain('\n2.00 USD net of invoice 2026-0001 are given back to your balance.\nIts tax is paid back.\n')
  expect(htmlOf(prepaid)).toContain('2.00 USD net of invoice 2026-0001 are given back to your balance.')
})

test('the CSV has a row for each line and sum, all as long as the first', () => {
  const rows = csvOf(DOCUMENT).split('\r\n')
  expect(rows.pop()).toBe('')
  expect(new Set(rows.map((row) => row.split(',').length)).size).toBe(1)
  const cells = rows.map((row) => row.split(','))
  const [kind, amount] = [cells[0]?.indexOf('row') ?? -1, cells[0]?.indexOf('amount') ?? -1]
  expect(cells.slice(1).map((row) => [row[kind], row[amount]])).toEqual([
    ['usage', '3.100000001'],
    ['adjustment', '-0.50'],
    ['carried', '0.004'],
    ['remainder', '0.004000001'],
    ['net', '2.60'],
    ['tax', '0.49'],
    ['total', '3.09'],
  ])
})

test('a spreadsheet finds no formula in the CSV, and negative amounts are numbers', () => {
  const csv = csvOf({
    ...DOCUMENT,
    customer: { ...DOCUMENT.customer, name: '=HYPERLINK("http://x")' },
    lines: [{ ...LINE, model: '@SUM(A1)' }],
    adjustments: [{ day: '2026-10-12', reason: '-2+3', request_id: '+1', amount: '-0.50' }],
  })
  expect(csv).toContain(`"'=HYPERLINK(""http://x"")"`)
  expect(csv).toContain(",'@SUM(A1),")
  expect(csv).toContain(",'-2+3,'+1,")
  expect(csv).toContain(',-0.50,USD\r\n')
})

test('the text has the same figures', () => {
  const text = textOf(DOCUMENT)
  expect(text).toMatch(/^Invoice 2026-0007 of 2026-11-01, for 2026-10-01 to 2026-10-31\n/)
  expect(text).toMatch(/gpt-6-sol +1,234 requests +3\.100000001\n/)
  expect(text).toMatch(/Total +3\.09\n/)
})

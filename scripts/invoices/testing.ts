// Test support: a document with a line, changed where a test wants it.
import type { InvoiceDocument, Line, LinePrice } from './document.ts'

export const PRICE: LinePrice = {
  id: 12,
  since: '2026-09-01',
  per_request: '0',
  input: '2.5',
  cached_input: '0.25',
  cache_write: '2.5',
  cache_write_long: '2.5',
  output: '10',
  gpu_second: '0',
  input_above: null,
  input_up_to: null,
}

export const LINE: Line = {
  model: 'gpt-6-sol',
  price: PRICE,
  requests: 1234,
  uncharged_requests: 0,
  input_tokens: 1_000_000,
  cached_tokens: 400_000,
  cache_write_tokens: 0,
  cache_write_long_tokens: 0,
  output_tokens: 50_000,
  reasoning_tokens: 20_000,
  gpu_ms: 0,
  over: '0.00',
  amount: '3.100000001',
}

export const DOCUMENT: InvoiceDocument = {
  version: 1,
  kind: 'invoice',
  number: '2026-0007',
  issued: '2026-11-01',
  due: '2026-11-15',
  from: '2026-10-01',
  to: '2026-10-31',
  corrects: null,
  currency: 'USD',
  issuer: { name: 'Box & Sons', address: ['1 Rack Street', 'Exampletown'], tax_id: 'GB123', email: 'bill@example.com' },
  customer: { id: 3, name: 'ACME', address: ['2 Long Lane', 'London'], tax_id: '', email: 'ops@acme.example' },
  lines: [LINE],
  adjustments: [{ day: '2026-10-12', reason: 'goodwill', request_id: null, amount: '-0.50' }],
  carried_from: '2026-0003',
  sums: {
    usage: '3.100000001',
    adjustments: '-0.50',
    carried: '0.004',
    remainder: '0.004000001',
    net: '2.60',
    tax_label: 'VAT',
    tax_percent: '19',
    tax: '0.49',
    total: '3.09',
  },
  payment: ['By transfer.'],
  legal: ['Registered in Exampletown.'],
}

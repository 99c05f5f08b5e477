// What is kept of a request beside the ledger: a log line, and one data point where Analytics Engine is bound; neither has content or a key.
import { expect, test, vi } from 'vitest'
import { UNUSED } from './pricing.ts'
import { type EndedRequest, logRequest } from './request-log.ts'

const REQUEST: EndedRequest = {
  ...{ id: '019ab3c1-57e2-7c1d-8a52-4f0d2b6e9a10', customerId: 7, customerName: 'ACME', keyId: 3, model: 'gemma3:270m' },
  ...{ dialect: 'openai-chat', upstream: 'ollama', status: 200, outcome: 'completed', code: null, firstMs: 40, totalMs: 900 },
  metered: { used: { ...UNUSED, input: 10, cached: 4, output: 5, gpuMs: 800 }, costNano: 1_000_000 as never, estimated: false },
  chargedNano: 900_000 as never,
}

function lines(run: () => void): Record<string, unknown>[] {
  const log = vi.spyOn(console, 'log').mockImplementation(() => {})
  run()
  const said = log.mock.calls.map(([line]) => JSON.parse(String(line)) as Record<string, unknown>)
  log.mockRestore()
  return said
}

test('one line and one data point, of the same figures', () => {
  const points: unknown[] = []
  const [line, ...more] = lines(() => logRequest(REQUEST, { writeDataPoint: (point) => points.push(point) }))
  expect(more).toEqual([])
  expect(line).toEqual({
    ...{
      event: 'request',
      request_id: REQUEST.id,
      customer: 'ACME',
      customer_id: 7,
      key_id: 3,
      model: 'gemma3:270m',
      dialect: 'openai-chat',
    },
    ...{ upstream: 'ollama', status: 200, outcome: 'completed', code: null, input_tokens: 10, cached_tokens: 4, output_tokens: 5 },
    ...{ cost_usd: '0.0009', estimated: false, first_ms: 40, total_ms: 900 },
  })
  // The places are documented in docs/watching.md, and stay.
  expect(points).toEqual([
    {
      indexes: ['7'],
      blobs: ['gemma3:270m', 'openai-chat', 'ollama', 'completed', '', '3', REQUEST.id],
      doubles: [200, 10, 4, 5, 900_000, 40, 900, 0, 800, 0, 0],
    },
  ])
})

test('without the binding there is the line alone; a data point that cannot be written is logged, and nothing else', () => {
  expect(lines(() => logRequest(REQUEST, null))).toHaveLength(1)
  const broken = () => {
    throw new Error('too many data points')
  }
  const said = lines(() => logRequest({ ...REQUEST, firstMs: null }, { writeDataPoint: broken }))
  expect(said.map(({ event, code }) => [event, code])).toEqual([
    ['request', null],
    ['error', 'metrics'],
  ])
})

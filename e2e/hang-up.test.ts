// Callers who leave: at every frame of a stream, before the first byte, while the answer is put together, or by no longer reading.
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest'
import { startTestGateway, type TestGateway } from './harness.ts'
import { expectProved, settled, usageOf } from './ledger.ts'
import { streamingCall } from './streaming-call.ts'

let gateway: TestGateway

beforeAll(async () => {
  gateway = await startTestGateway({ vars: { STREAM_BUFFER_BYTES: '65536' } })
  await gateway.setPrice('*', { request: '0.0001', input: '1', output: '1' })
})
beforeEach(() => gateway.standIn.reset())
afterAll(() => gateway.stop())

const messages = [{ role: 'user', content: 'Why is the sky blue?' }]
const ROUTES: [path: string, separator: string, body: Record<string, unknown>, delta: RegExp][] = [
  ['/api/chat', '\n', { messages, options: { num_predict: 24 } }, /"content":"[^"]/g],
  ['/api/generate', '\n', { prompt: 'Why is the sky blue?', options: { num_predict: 24 } }, /"response":"[^"]/g],
  // With its usage asked for it passes natively, which the next one does not.
  ['/v1/chat/completions', '\n\n', { messages, stream: true, stream_options: { include_usage: true }, max_tokens: 24 }, /"content":"[^"]/g],
  ['/v1/completions', '\n\n', { prompt: 'x', stream: true, max_tokens: 10 }, /"text":"[^"]/g],
  ['/v1/responses', '\n\n', { input: 'x', stream: true, max_output_tokens: 24 }, /"delta":"[^"]/g],
  ['/v1/messages', '\n\n', { messages, stream: true, max_tokens: 24 }, /"text_delta","text":"[^"]/g],
]

test.for(ROUTES)(
  '%s: a hang-up at any frame is charged for what was delivered at least',
  { timeout: 120_000 },
  async ([path, separator, body, delta]) => {
    const whole = await gateway.makeCustomer({ budgetUsd: '1' })
    const full = streamingCall(gateway.url, path, whole.key, { model: 'gemma3:270m', ...body })
    await full.ended
    await settled(gateway.db)
    const [complete] = await usageOf(gateway.db, whole.id)
    expect(complete).toMatchObject({ outcome: 'completed', estimated: 0 })
    const frames = full.body().split(separator).length - 1

    gateway.standIn.setPace(8)
    for (let at = 1; at <= frames; at++) {
      const customer = await gateway.makeCustomer({ budgetUsd: '1' })
      const call = streamingCall(gateway.url, path, customer.key, { model: 'gemma3:270m', ...body })
      await call.frames(at, separator)
      call.hangUp()
      const delivered = call.body().match(delta)?.length ?? 0
      await settled(gateway.db)
      const [row] = await usageOf(gateway.db, customer.id)
      // $0.0001 + a token at $0.000001 for each that was delivered
      const least = delivered === 0 ? 0 : 100_000 + delivered * 1000
      expect([at, delivered, (row?.cost_nano ?? -1) >= least, row?.outcome]).toEqual([
        at,
        delivered,
        true,
        expect.stringMatching(/abandoned|completed/),
      ])
      expect(row?.cost_nano).toBeLessThanOrEqual(row?.hold_nano ?? 0)
      // A frame before the end is not cheaper than the end by more than that frame.
      if (at === frames - 1) expect(row?.cost_nano).toBeGreaterThanOrEqual((complete?.cost_nano ?? 0) - 1000)
    }
    gateway.standIn.setPace('instant')
    await expectProved(gateway.db)
  },
)

test.for([
  [1, 'message_start', false],
  [2, 'content_block_start', false],
  [3, 'content_block_delta', true],
] as const)('/v1/messages: a hang-up after frame %i, %s, is charged: %s', async ([frames, last, charged]) => {
  // A second between two frames: none that was not waited for is delivered.
  gateway.standIn.setPace(1000)
  const customer = await gateway.makeCustomer({ budgetUsd: '1' })
  const call = streamingCall(gateway.url, '/v1/messages', customer.key, { model: 'gemma3:270m', messages, stream: true, max_tokens: 24 })
  await call.frames(frames, '\n\n')
  call.hangUp()
  expect(call.body().match(/event: \w+/g)).toHaveLength(frames)
  expect(
    call
      .body()
      .match(/event: \w+/g)
      ?.at(-1),
  ).toBe(`event: ${last}`)
  await settled(gateway.db)
  const [row] = await usageOf(gateway.db, customer.id)
  expect(row?.outcome).toBe('abandoned')
  if (charged) {
    // $0.0001, a token at $0.000001, and the input at its bound, which is more than 256 tokens.
    expect(row).toMatchObject({ output_tokens: 1, first_ms: expect.any(Number) })
    expect(row?.cost_nano).toBeGreaterThan(100_000 + 1000 + 256_000)
  } else {
    // The opening of a message holds no token: nothing is delivered yet.
    expect(row).toMatchObject({ cost_nano: 0, input_tokens: 0, output_tokens: 0, first_ms: null })
  }
  gateway.standIn.setPace('instant')
})

test('the host is let go when the caller hangs up', async () => {
  gateway.standIn.setPace(20)
  const customer = await gateway.makeCustomer({ budgetUsd: '1' })
  const call = streamingCall(gateway.url, '/api/chat', customer.key, { model: 'gemma3:270m', messages })
  await call.frames(3, '\n')
  call.hangUp()
  await gateway.standIn.idle()
  expect(gateway.standIn.requests.at(-1)?.closedEarly).toBe(true)
  await settled(gateway.db)
  expect((await usageOf(gateway.db, customer.id))[0]).toMatchObject({ outcome: 'abandoned', estimated: 1 })
  gateway.standIn.setPace('instant')
})

test.for(['hangUp', 'close'] as const)('%s before the first byte costs nothing and frees the host', async (leave) => {
  gateway.standIn.fault({ kind: 'no-header' })
  const customer = await gateway.makeCustomer({ budgetUsd: '1' })
  const call = streamingCall(gateway.url, '/api/chat', customer.key, { model: 'gemma3:270m', messages })
  await expect.poll(() => gateway.standIn.active()).toBe(1)
  call[leave]()
  await settled(gateway.db)
  expect(await usageOf(gateway.db, customer.id)).toMatchObject([{ outcome: 'abandoned', cost_nano: 0, first_ms: null }])
  await gateway.standIn.idle()
})

test.for(['hangUp', 'close'] as const)('%s while a single answer is put together pays for what was made', async (leave) => {
  gateway.standIn.setPace(20)
  const customer = await gateway.makeCustomer({ budgetUsd: '1' })
  const call = streamingCall(gateway.url, '/api/chat', customer.key, { model: 'gemma3:270m', messages, stream: false })
  await expect.poll(() => gateway.standIn.active()).toBe(1)
  // At 20 ms a token some of them are made by then.
  await expect.poll(async () => (gateway.standIn.requests.at(-1)?.receivedAt ?? Date.now()) + 200 < Date.now()).toBe(true)
  call[leave]()
  await settled(gateway.db)
  const [row] = await usageOf(gateway.db, customer.id)
  expect(row).toMatchObject({ outcome: 'abandoned', estimated: 1 })
  expect(row?.output_tokens).toBeGreaterThan(1)
  gateway.standIn.setPace('instant')
})

test('a caller who stops reading never stalls the read from the host, and is ended once the buffer is full', async () => {
  // 40 MB cannot wait in socket buffers and 64 KiB of ours. Usage is taken out of this stream, so it does not pass natively.
  gateway.standIn.fault({ kind: 'huge-frame', bytes: 40_000_000 })
  const customer = await gateway.makeCustomer({ budgetUsd: '1' })
  const body = { model: 'gemma3:270m', messages, stream: true, max_tokens: 30 }
  const call = streamingCall(gateway.url, '/v1/chat/completions', customer.key, body)
  await call.head
  call.pause()
  await gateway.standIn.idle()
  await settled(gateway.db)
  const [row] = await usageOf(gateway.db, customer.id)
  expect(row?.outcome).toBe('abandoned')
  call.hangUp()
})

test('a caller who stalls on an answer larger than it can be is charged when they leave, and the host is let go', async () => {
  gateway.standIn.fault({ kind: 'huge-frame', bytes: 40_000_000 })
  const customer = await gateway.makeCustomer({ budgetUsd: '1' })
  const body = { model: 'gemma3:270m', messages, options: { num_predict: 30 } }
  const call = streamingCall(gateway.url, '/api/chat', customer.key, body)
  await call.frames(3, '\n')
  call.pause()
  call.hangUp()
  await gateway.standIn.idle()
  await settled(gateway.db)
  expect(await usageOf(gateway.db, customer.id)).toMatchObject([{ outcome: 'abandoned', estimated: 1 }])
})

test('an answer larger than the buffer reaches a caller who reads it', async () => {
  gateway.standIn.fault({ kind: 'huge-frame', bytes: 10_000_000 })
  const customer = await gateway.makeCustomer({ budgetUsd: '1' })
  const response = await fetch(`${gateway.url}/api/chat`, {
    method: 'POST',
    headers: { authorization: `Bearer ${customer.key}` },
    body: JSON.stringify({ model: 'gemma3:270m', messages, options: { num_predict: 30 } }),
  })
  expect((await response.text()).length).toBeGreaterThan(10_000_000)
  await settled(gateway.db)
  expect(await usageOf(gateway.db, customer.id)).toMatchObject([{ outcome: 'completed' }])
})

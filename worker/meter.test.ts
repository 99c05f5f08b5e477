// What is charged for an answer that ends here or there: every cut of every recorded stream.
import { expect, test } from 'vitest'
import type { Dialect } from './dialects/dialect.ts'
import { inputBound } from './input-bound.ts'
import { isObject, type JsonObject } from './json.ts'
import type { Hold } from './ledger/admission.ts'
import { type Bounds, Meter } from './meter.ts'
import type { NanoUsd } from './money.ts'
import { bodyBytes, CAPTURES, type Capture, captureOf, dialectOf, isStreamed, requestBody } from './testing/captures.ts'
import { priceOf } from './testing/price.ts'

const GPU_PRICE = priceOf({ gpuSecondNano: 1_000_000 })
const PRICE = priceOf({ requestNano: 1_000_000, inputPico: 100_000, cachedInputPico: 50_000, outputPico: 400_000 })

function holdOf(outputLimit: number, price = PRICE): Hold {
  const model = { upstream: 'ollama', model: 'm:latest', upstreamModel: null } as const
  return { id: 'x', customerId: 1, priceId: 1, price, ...model, holdNano: 1_000_000_000 as NanoUsd, outputLimit, createdMs: 0 }
}

const bounds = (inputEstimate: number): Bounds => ({ inputBound: inputEstimate, inputEstimate, runs: 1, cacheWrite: 'none' })

function limitOf(body: JsonObject): number {
  const options = isObject(body.options) ? body.options : {}
  const asked = [options.num_predict, body.max_tokens, body.max_output_tokens].find((limit) => typeof limit === 'number' && limit > 0)
  return typeof asked === 'number' ? asked : 2048
}

/** A meter for the capture's own request. */
function meterFor(capture: Capture, dialect: Dialect, price = PRICE): Meter {
  const body = requestBody(capture)
  const asked = dialect.read({ ...body, tools: undefined })
  const input = inputBound(JSON.stringify(body), asked)
  return new Meter(
    dialect,
    holdOf(limitOf(body), price),
    { inputBound: input.bound, inputEstimate: input.estimate, runs: asked.runs, cacheWrite: 'none' },
    0,
  )
}

function streams(): [name: string, capture: Capture, dialect: Dialect][] {
  return [...CAPTURES].flatMap(([name, capture]) => {
    const dialect = dialectOf(capture)
    if (dialect === undefined || !isStreamed(capture) || capture.chunks_left_out !== undefined || !/^(api|v1)-/.test(name)) return []
    return [[name, capture, dialect] as [string, Capture, Dialect]]
  })
}

test('hanging up at any frame is never cheaper than reading to the end by more than what was not delivered', () => {
  let cuts = 0
  for (const [name, capture, dialect] of streams()) {
    const pieces = (capture.response?.chunks ?? []).map((chunk) => new TextEncoder().encode(chunk.text ?? ''))
    const whole = meterFor(capture, dialect)
    for (const piece of pieces) whole.push(piece, 1)
    if (!whole.seen.terminated) continue
    const full = whole.metered('completed', 1)
    const cut = meterFor(capture, dialect)
    for (const piece of pieces) {
      cut.push(piece, 1)
      if (cut.firstTokenMs === null) continue
      cuts++
      const early = cut.metered('abandoned', 1)
      // What comes later, by the same measure, and the token without text that ends an answer.
      const undelivered = (whole.seen.estimate - cut.seen.estimate + 1) * PRICE.outputPico
      expect([name, early.costNano * 1000 + undelivered >= full.costNano * 1000]).toEqual([name, true])
    }
  }
  expect(cuts).toBeGreaterThan(1000)
})

test('at a price for GPU time, hanging up at any frame costs all that was used until then', () => {
  for (const [name, capture, dialect] of streams()) {
    const chunks = capture.response?.chunks ?? []
    const whole = meterFor(capture, dialect, GPU_PRICE)
    const cut = meterFor(capture, dialect, GPU_PRICE)
    for (const chunk of chunks) whole.push(new TextEncoder().encode(chunk.text ?? ''), Math.ceil(chunk.at_ms))
    const endMs = Math.ceil(chunks.at(-1)?.at_ms ?? 0)
    if (!whole.seen.terminated) continue
    const full = whole.metered('completed', endMs).used.gpuMs
    for (const chunk of chunks) {
      cut.push(new TextEncoder().encode(chunk.text ?? ''), Math.ceil(chunk.at_ms))
      const nowMs = Math.ceil(chunk.at_ms)
      // What is still to come at this moment, and a millisecond for each rounding.
      if (cut.firstTokenMs !== null)
        expect([name, cut.metered('abandoned', nowMs).used.gpuMs + (endMs - nowMs) + 2 >= full]).toEqual([name, true])
    }
  }
})

test('text that was held back and comes merged is counted by the byte beyond a token’s length', () => {
  const meter = new Meter(dialectOf(captureOf('api-chat.stream')) as Dialect, holdOf(10_000), bounds(1), 0)
  meter.push(new TextEncoder().encode(`${JSON.stringify({ message: { content: '7 '.repeat(900) }, done: false })}\n`), 1)
  expect(meter.metered('abandoned', 1).used.output).toBe(4 + 1800 - 16)
})

test('the input bound covers what the host read, for every recorded request', () => {
  let compared = 0
  for (const [name, capture, dialect] of streams()) {
    const meter = meterFor(capture, dialect)
    meter.push(bodyBytes(capture), 1)
    if (meter.seen.input === null) continue
    compared++
    const body = requestBody(capture)
    const { bound } = inputBound(JSON.stringify(body), { images: [] })
    // The second run of think with format reads the first one's thinking.
    const read = meter.seen.input - meter.seen.thinking
    expect([name, read <= bound]).toEqual([name, true])
  }
  expect(compared).toBeGreaterThan(25)
})

test('counts are the same at one byte a piece', () => {
  for (const [name, capture, dialect] of streams()) {
    const whole = meterFor(capture, dialect)
    whole.push(bodyBytes(capture), 1)
    const single = meterFor(capture, dialect)
    for (const byte of bodyBytes(capture)) single.push(Uint8Array.of(byte), 1)
    expect([name, single.seen]).toEqual([name, whole.seen])
  }
})

function metered(name: string, outcome: 'completed' | 'abandoned' | 'failed') {
  const capture = captureOf(name)
  const dialect = dialectOf(capture)
  if (dialect === undefined) throw new Error(name)
  const meter = meterFor(capture, dialect)
  meter.push(bodyBytes(capture), 1)
  meter.end(1)
  return meter.metered(outcome, 1)
}

test('a completed answer costs what the host counted', () => {
  // $0.001 + 15 × $0.10/Mtok + 40 × $0.40/Mtok = 0.001 + 0.0000015 + 0.000016
  expect(metered('api-chat.stream', 'completed')).toMatchObject({ costNano: 1_017_500, estimated: false })
})

test('text without counts is never free: the repetition guard is billed by an estimate', () => {
  for (const name of ['api-chat.repetition-guard.stream', 'v1-chat.repetition-guard.stream', 'v1-messages.repetition-guard.stream']) {
    const { used, estimated } = metered(name, 'failed')
    expect(used.output).toBeGreaterThanOrEqual(34)
    expect(estimated).toBe(true)
  }
})

test('zero counts on an answer with text are missing counts', () => {
  const meter = new Meter(dialectOf(captureOf('api-chat.stream')) as Dialect, holdOf(100), bounds(300), 0)
  meter.push(
    new TextEncoder().encode(
      '{"message":{"content":"hello"},"done":false}\n{"message":{"content":""},"done":true,"prompt_eval_count":0,"eval_count":0}\n',
    ),
    1,
  )
  expect(meter.metered('completed', 1)).toMatchObject({ used: { input: 300, output: 2 }, estimated: true })
})

test('counts that cannot be are not taken', () => {
  for (const eval_count of [-1, 1.5, '40', 1e12, null]) {
    const meter = new Meter(dialectOf(captureOf('api-chat.stream')) as Dialect, holdOf(100), bounds(300), 0)
    meter.push(
      new TextEncoder().encode(`${JSON.stringify({ message: { content: 'hello' }, done: true, prompt_eval_count: 5, eval_count })}\n`),
      1,
    )
    expect(meter.metered('completed', 1)).toMatchObject({ used: { output: 2 }, estimated: true })
  }
})

test('thinking of a first run that the host does not count is added to the second', () => {
  const { used, estimated } = metered('api-chat.think-and-format.stream', 'completed')
  // 12 tokens of answer as counted, and the 14 pieces of thinking that came before
  expect(used.output).toBeGreaterThanOrEqual(12 + 14)
  expect(estimated).toBe(true)
})

test('an answer that only says a model was loaded costs nothing', () => {
  expect(metered('api-chat.load', 'completed').costNano).toBe(0)
})

test('nothing delivered, nothing charged, fixed prices neither', () => {
  const meter = new Meter(dialectOf(captureOf('api-chat.stream')) as Dialect, holdOf(100), bounds(300), 0)
  expect(meter.metered('failed', 1).costNano).toBe(0)
  expect(meter.metered('abandoned', 1).costNano).toBe(0)
})

test('GPU time is the host’s own where it says it, and from the first byte where it does not', () => {
  const price = { ...PRICE, requestNano: 0, inputPico: 0, outputPico: 0, gpuSecondNano: 1_000_000_000 }
  const native = dialectOf(captureOf('api-chat.stream')) as Dialect
  const meter = new Meter(native, holdOf(100, price), bounds(0), 0)
  meter.push(bodyBytes(captureOf('api-chat.stream')), 1)
  // 73,976,000 + 594,228,000 ns = 668.204 ms, begun milliseconds count; $1 a second
  expect(meter.metered('completed', 9_000).costNano).toBe(669_000_000)
  const embed = dialectOf(captureOf('api-embed.one')) as Dialect
  const embedding = new Meter(embed, holdOf(0, price), bounds(0), 0)
  embedding.whole(JSON.parse(new TextDecoder().decode(bodyBytes(captureOf('api-embed.one')))) as JsonObject, 9_000)
  // 54,710,797 − 629,492 ns of loading = 54.08 ms
  expect(embedding.metered('completed', 9_000).costNano).toBe(55_000_000)
  const v1 = new Meter(dialectOf(captureOf('v1-chat.stream.usage')) as Dialect, holdOf(100, price), bounds(0), 0)
  v1.push(bodyBytes(captureOf('v1-chat.stream.usage')), 500)
  expect(v1.metered('completed', 1_500).costNano).toBe(1_000_000_000)
})

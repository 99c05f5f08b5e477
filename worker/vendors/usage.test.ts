// What is read of a vendor's usage: every fixture, and every captured answer where they lie, however the bytes are cut.
import { expect, test } from 'vitest'
import type { Wire } from '../dialects/dialect.ts'
import { isObject, type JsonObject } from '../json.ts'
import type { Hold } from '../ledger/admission.ts'
import { Meter } from '../meter.ts'
import type { NanoUsd } from '../money.ts'
import type { Seen } from '../seen.ts'
import { priceOf } from '../testing/price.ts'
import { CAPTURED, FIXTURES, type NamedExchange } from '../testing/vendor-exchanges.ts'
import { messagesStreamed, messagesWhole } from './anthropic-wires.ts'
import {
  chatStreamed,
  chatWhole,
  completionsStreamed,
  completionsWhole,
  embeddingsWhole,
  responsesStreamed,
  responsesWhole,
} from './openai-wires.ts'

const INPUT_BOUND = 1_000_000
const OUTPUT_LIMIT = 100_000

const HOLD: Hold = {
  ...{ id: 'x', customerId: 1, priceId: 1, holdNano: 1e12 as NanoUsd, outputLimit: OUTPUT_LIMIT, createdMs: 0 },
  ...{ price: priceOf(), upstream: 'openai', model: 'm', upstreamModel: null },
}

function meterOf(wire: Wire): Meter {
  return new Meter(wire, HOLD, { inputBound: INPUT_BOUND, inputEstimate: INPUT_BOUND, runs: 1, cacheWrite: 'none' }, 0)
}

/** Which wire an answer is for, by what is in it; null for errors, lists of models and counts of tokens. */
function wireOf({ vendor, exchange }: NamedExchange): Wire | null {
  const { status, body } = exchange
  if (status !== 200 || typeof body !== 'string') return null
  const isStream = /^(event|data):/m.test(body)
  if (vendor === 'anthropic') {
    if (isStream) return messagesStreamed
    return /"type":\s*"message"/.test(body) ? messagesWhole : null
  }
  if (isStream)
    return /"response\.|"type":\s*"error"/.test(body)
      ? responsesStreamed
      : /"text_completion"/.test(body)
        ? completionsStreamed
        : chatStreamed
  const answer = jsonOf(body)
  if (answer === null) return null
  const kinds: Record<string, Wire> = { 'chat.completion': chatWhole, text_completion: completionsWhole, response: responsesWhole }
  return kinds[String(answer.object)] ?? (/"embedding"/.test(body) ? embeddingsWhole : null)
}

function jsonOf(body: string): JsonObject | null {
  try {
    const value: unknown = JSON.parse(body)
    return isObject(value) ? value : null
  } catch {
    return null
  }
}

/** The answer, in pieces of so many bytes. */
function read(wire: Wire, body: string, pieceBytes: number): Meter {
  const meter = meterOf(wire)
  if (wire.framing === null) {
    const answer = jsonOf(body)
    if (answer !== null) meter.whole(answer, 1)
    return meter
  }
  const bytes = new TextEncoder().encode(body)
  for (let at = 0; at < bytes.byteLength; at += pieceBytes) meter.push(bytes.subarray(at, at + pieceBytes), 1)
  meter.end(1)
  return meter
}

/** In the words of the files: disjoint buckets. */
function bucketsOf(seen: Seen) {
  return {
    input: (seen.input ?? 0) - seen.cached - seen.cacheWrite,
    cached_input: seen.cached,
    cache_write: seen.cacheWrite,
    cache_write_1h: seen.cacheWriteLong ?? 0,
    output: seen.output ?? 0,
    reasoning: seen.reasoning,
  }
}

const READABLE = [...FIXTURES, ...CAPTURED].flatMap((named) => {
  const wire = wireOf(named)
  return wire === null ? [] : [{ ...named, wire, body: named.exchange.body as string, expected: named.exchange.usage_expected }]
})

test('there is an answer of every kind', () => {
  const kinds = new Set(READABLE.map(({ wire }) => `${wire.name} ${wire.framing}`))
  expect([...kinds].sort()).toEqual([
    ...['anthropic-messages null', 'anthropic-messages sse', 'openai-chat null', 'openai-chat sse', 'openai-completions null'],
    ...['openai-completions sse', 'openai-embeddings null', 'openai-responses null', 'openai-responses sse'],
  ])
})

test.for(READABLE)('$name: the usage is what the vendor’s rules make of it, at every cut', ({ wire, body, expected }) => {
  for (const pieceBytes of [1, 2, 3, 7, 64, 1000, body.length + 10]) {
    const meter = read(wire, body, pieceBytes)
    if (expected === null) {
      // Nothing that can be believed: whatever is charged says so.
      expect(meter.metered('completed', 1).estimated).toBe(true)
      continue
    }
    const { input, cached_input, cache_write, cache_write_1h, output, reasoning } = expected
    expect(bucketsOf(meter.seen)).toEqual({ input, cached_input, cache_write, cache_write_1h, output, reasoning })
  }
})

test.for(READABLE.filter(({ expected, exchange }) => expected !== null && exchange.ended === 'completed'))(
  '$name: it is charged as reported, bucket by bucket',
  ({ wire, body, expected }) => {
    if (expected === null) return
    const { used, estimated } = read(wire, body, 64).metered('completed', 1)
    expect(estimated).toBe(false)
    expect(used).toEqual({
      input: expected.input + expected.cached_input + expected.cache_write,
      cached: expected.cached_input,
      cacheWrite: expected.cache_write - expected.cache_write_1h,
      cacheWriteLong: expected.cache_write_1h,
      output: expected.output,
      reasoning: expected.reasoning,
      gpuMs: 0,
    })
  },
)

test.for(READABLE.filter(({ wire, exchange }) => wire.framing !== null && exchange.ended === 'completed'))(
  '$name: it has its end, and without its last bytes it has none',
  ({ wire, body }) => {
    expect(read(wire, body, 64).seen.terminated).toBe(true)
    const cut = body.trimEnd()
    expect(read(wire, cut.slice(0, cut.lastIndexOf('\n\n')), 64).seen.terminated).toBe(false)
  },
)

// What a request to a vendor is charged for: every cut of every stream, and whatever counts may come.
import * as fc from 'fast-check'
import { expect, test } from 'vitest'
import type { FrameValue } from '../dialects/dialect.ts'
import { FrameSplitter } from '../frames.ts'
import { Seen } from '../seen.ts'
import { CAPTURED, FIXTURES } from '../testing/vendor-exchanges.ts'
import { messagesStreamed } from './anthropic-wires.ts'
import { chatStreamed, responsesStreamed } from './openai-wires.ts'
import { type VendorBounds, vendorCharge } from './vendor-charge.ts'

const BOUNDS: VendorBounds = { inputBound: 50_000, outputMost: 5_000, cacheWrite: 'none' }
const at = (elapsedMs: number, begun = true) => ({ begun, elapsedMs })

function seenWith(counts: Parameters<Seen['counts']>[0], estimate = 0): Seen {
  const seen = new Seen()
  seen.counts(counts)
  seen.estimate = estimate
  return seen
}

const STREAMS = [...FIXTURES, ...CAPTURED].flatMap(({ name, vendor, exchange: { body, ended, usage_expected: usage } }) => {
  // What the lists of fields refuse: tools and compaction on the vendor's side add input in mid-answer.
  if (/web-search|compaction/.test(name)) return []
  if (typeof body !== 'string' || ended !== 'completed' || usage === null || !/^(event|data):/m.test(body)) return []
  const wire = vendor === 'anthropic' ? messagesStreamed : /"response\./.test(body) ? responsesStreamed : chatStreamed
  return [{ name, wire, body }]
})

test.for(STREAMS)('$name: to leave a frame early is never cheaper than to stay, by more than that frame', ({ wire, body }) => {
  const splitter = new FrameSplitter('sse')
  const frames = [...splitter.push(new TextEncoder().encode(body)), splitter.rest()].flatMap((frame) =>
    frame?.data == null ? [] : [(frame.data === '[DONE]' ? frame.data : JSON.parse(frame.data)) as FrameValue],
  )
  const read = (count: number) => {
    const seen = new Seen()
    for (const frame of frames.slice(0, count)) wire.observe(frame, seen)
    return seen
  }
  const full = vendorCharge('completed', read(frames.length), BOUNDS, at(0))
  for (let count = 0; count < frames.length; count++) {
    const seen = read(count)
    // The time that a model with this many tokens a second took, which a recording does not have.
    const elapsedMs = ((full?.used.output ?? 0) / 200) * 1000
    const early = vendorCharge('abandoned', seen, BOUNDS, at(elapsedMs, seen.estimate > 0))
    expect(early?.used.input).toBeGreaterThanOrEqual(full?.used.input ?? 0)
    expect(early?.used.output).toBeGreaterThanOrEqual(Math.min(full?.used.output ?? 0, seen.estimate))
    expect(early?.used.output).toBeGreaterThanOrEqual(full?.used.output ?? 0)
  }
})

test('reported counts are charged as reported; of cache writes without a word on their time, as long as was asked for', () => {
  const seen = seenWith({ input: 1000, cached: 200, cacheWrite: 300, output: 40, reasoning: 30 })
  expect(vendorCharge('completed', seen, BOUNDS, at(9000))).toEqual({
    used: { input: 1000, cached: 200, cacheWrite: 300, cacheWriteLong: 0, output: 40, reasoning: 30, gpuMs: 0 },
    estimated: false,
  })
  const long = vendorCharge('completed', seen, { ...BOUNDS, cacheWrite: 'long' }, at(9000))
  expect(long?.used).toMatchObject({ cacheWrite: 0, cacheWriteLong: 300 })
  const split = seenWith({ input: 1000, cacheWrite: 300, cacheWriteLong: 100, output: 40 })
  expect(vendorCharge('completed', split, { ...BOUNDS, cacheWrite: 'long' }, at(0))?.used).toMatchObject({
    cacheWrite: 200,
    cacheWriteLong: 100,
  })
})

test('who leaves pays the input, and the greater of what came and 200 tokens a second, within the limit', () => {
  // 3.5 s are 4 begun ones: 800 tokens.
  expect(vendorCharge('abandoned', seenWith({}, 10), BOUNDS, at(3500))).toMatchObject({
    used: { input: 50_000, output: 800 },
    estimated: true,
  })
  expect(vendorCharge('abandoned', seenWith({}, 900), BOUNDS, at(3500))?.used.output).toBe(900)
  expect(vendorCharge('abandoned', seenWith({}, 900), BOUNDS, at(600_000))?.used.output).toBe(5000)
  // Nothing had come yet: the vendor reads and thinks all the same.
  expect(vendorCharge('abandoned', new Seen(), BOUNDS, at(1000, false))?.used).toMatchObject({ input: 50_000, output: 200 })
  expect(vendorCharge('abandoned', new Seen(), { ...BOUNDS, cacheWrite: 'long' }, at(0))?.used.cacheWriteLong).toBe(50_000)
})

test('a first count of the input stands, with some room, where no last one came', () => {
  const seen = seenWith({ input: 1000, cached: 600, output: 1 })
  seen.provisional = true
  expect(vendorCharge('abandoned', seen, BOUNDS, at(0))).toMatchObject({ used: { input: 1256, cached: 600, output: 1 }, estimated: true })
})

test('a failure before the first token costs nothing; after it, what was delivered and no time', () => {
  expect(vendorCharge('failed', seenWith({}, 0), BOUNDS, at(9000, false))).toBeNull()
  expect(vendorCharge('failed', seenWith({}, 7), BOUNDS, at(9000))).toMatchObject({ used: { input: 50_000, output: 7 }, estimated: true })
})

test('explicit zeros are an answer, but not for one that has text', () => {
  expect(vendorCharge('completed', seenWith({ input: 12, output: 0 }), BOUNDS, at(9000))).toMatchObject({
    used: { input: 12, output: 0 },
    estimated: false,
  })
  expect(vendorCharge('completed', seenWith({ input: 12, output: 0 }, 5), BOUNDS, at(1000))).toMatchObject({
    used: { output: 200 },
    estimated: true,
  })
})

const anyCount = fc.oneof(fc.nat(100_000), fc.double(), fc.integer(), fc.constantFrom(null, undefined, '12', 1e15, -1))
const counts = fc.record({
  ...{ input: anyCount, cached: anyCount, cacheWrite: anyCount, cacheWriteLong: anyCount, output: anyCount, reasoning: anyCount },
})

test('whatever is reported, what is charged is whole, disjoint, within the bounds, and flagged unless it is what was reported', () => {
  fc.assert(
    fc.property(
      counts,
      fc.nat(10_000),
      fc.nat(700_000),
      fc.constantFrom('completed', 'abandoned', 'failed'),
      fc.constantFrom('none', 'automatic', 'short', 'long'),
      fc.boolean(),
      (reported, estimate, elapsedMs, outcome, cacheWrite, provisional) => {
        const seen = seenWith(reported, estimate)
        seen.provisional = provisional
        const charge = vendorCharge(outcome, seen, { ...BOUNDS, cacheWrite }, at(elapsedMs))
        if (charge === null) throw new Error('it had begun')
        const { used, estimated } = charge
        for (const count of Object.values(used)) expect(Number.isInteger(count) && count >= 0).toBe(true)
        expect(used.cached + used.cacheWrite + used.cacheWriteLong).toBeLessThanOrEqual(used.input)
        expect(used.input).toBeLessThanOrEqual(BOUNDS.inputBound)
        expect(used.reasoning).toBeLessThanOrEqual(used.output)
        expect(used.output).toBeLessThanOrEqual(BOUNDS.outputMost)
        expect(estimated || (used.input === reported.input && used.output === reported.output)).toBe(true)
        // Where it is not the vendor's own count.
        if (estimated && outcome !== 'completed' && used.output !== reported.output)
          expect(used.output).toBeGreaterThanOrEqual(Math.min(estimate, BOUNDS.outputMost))
      },
    ),
    { numRuns: 2000 },
  )
})

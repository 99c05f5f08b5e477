// A hold holds: nothing that a request can be billed for within its bounds costs more, whatever the price row says.
import * as fc from 'fast-check'
import { beforeAll, expect, test } from 'vitest'
import { costOf, UNUSED } from '../pricing.ts'
import { admit, askOf, db, makeCustomer, makeKey, migrate, type TestKey } from '../testing/ledger.ts'

let key: TestKey

beforeAll(async () => {
  await migrate()
  key = await makeKey(await makeCustomer())
})

const pico = fc.nat(10_000_000)
const picoOrNull = fc.option(pico)
const row = fc
  .record({ request: fc.nat(1_000_000), input: pico, cached: pico, output: pico, write: picoOrNull, long: picoOrNull })
  .chain((base) =>
    fc
      .option(
        fc.record({
          tokens: fc.integer({ min: 1, max: 2000 }),
          input: pico,
          cached: pico,
          output: pico,
          write: picoOrNull,
          long: picoOrNull,
        }),
      )
      .map((above) => ({ ...base, above })),
  )
const ask = fc.record({
  ...{ inputBound: fc.integer({ min: 1, max: 3000 }), outputAsked: fc.integer({ min: 0, max: 500 }), runs: fc.integer({ min: 1, max: 5 }) },
  ...{ rereads: fc.constant(false), cacheWrite: fc.constantFrom('none', 'automatic', 'short', 'long') },
})
/** Shares of what there can be, in thousandths. */
const shares = fc.record({ input: fc.nat(1000), cached: fc.nat(1000), written: fc.nat(1000), long: fc.nat(1000), output: fc.nat(1000) })

let models = 0

test('no usage within the bounds costs more than its hold', async () => {
  let admitted = 0
  await fc.assert(
    fc.asyncProperty(row, ask, fc.array(shares, { minLength: 1, maxLength: 20 }), async (price, asked, used) => {
      const name = `m${models++}`
      await db
        .prepare(
          `INSERT INTO prices (model, upstream, request_nano, input_pico, cached_input_pico, output_pico, cache_write_pico, cache_write_long_pico, above_tokens,
             above_input_pico, above_cached_input_pico, above_output_pico, above_cache_write_pico, above_cache_write_long_pico, valid_from_ms, created_ms)
           VALUES (?, 'openai', ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, 0, 0)`,
        )
        .bind(
          ...[name, price.request, price.input, price.cached, price.output, price.write, price.long, price.above?.tokens ?? null],
          ...[price.above?.input ?? null, price.above?.cached ?? null, price.above?.output ?? null],
          ...[price.above?.write ?? null, price.above?.long ?? null],
        )
        .run()
      const verdict = await admit(db, askOf(key, { ...asked, model: `${name}:latest`, upstream: 'openai' }))
      if (!verdict.admitted) {
        // The one reason there can be: what it may write to the cache has no price.
        expect([verdict.refusal, asked.cacheWrite === 'short' || asked.cacheWrite === 'long']).toEqual(['cache_not_priced', true])
        return
      }
      admitted++
      const of = (share: number, most: number) => Math.floor((share * most) / 1000)
      for (const share of used) {
        const input = of(share.input, asked.inputBound)
        const cached = of(share.cached, input)
        const written = asked.cacheWrite === 'none' ? 0 : of(share.written, input - cached)
        const cacheWriteLong = asked.cacheWrite === 'long' ? of(share.long, written) : 0
        const output = of(share.output, verdict.hold.outputLimit * asked.runs)
        const cost = costOf(verdict.hold.price, { ...UNUSED, input, cached, cacheWrite: written - cacheWriteLong, cacheWriteLong, output })
        expect(cost).toBeLessThanOrEqual(verdict.hold.holdNano)
      }
    }),
    { numRuns: 300 },
  )
  expect(admitted).toBeGreaterThan(100)
})

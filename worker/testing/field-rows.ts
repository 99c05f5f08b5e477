// What every test of a field list does: one row a field, written by hand; the list and the rows name the same fields; nothing else gets through.
import * as fc from 'fast-check'
import { expect, test } from 'vitest'
import { GatewayError } from '../errors.ts'
import type { JsonObject } from '../json.ts'
import type { Decided, VendorAsked, VendorRequest } from '../vendors/vendor-request.ts'

/** `decided`: sent, with the gateway's value. `left out`: taken, but not sent. */
export type Row = [field: string, sample: unknown, fate: 'passes' | 'decided' | 'pinned' | 'left out' | 'refused', words?: string]

export const DECIDED: Decided = { model: 'gpt-6-2026', outputLimit: 1000, limitField: 'max_completion_tokens' }

/** The refusal of a body: `param`, then the message. */
export function refusalOf(request: VendorRequest, body: JsonObject): { param: string | undefined; message: string } {
  try {
    request.read(body)
  } catch (error) {
    if (!(error instanceof GatewayError) || error.code !== 'invalid_request') throw error
    return { param: error.details.param, message: error.message }
  }
  return { param: undefined, message: 'not refused' }
}

/** Registers the tests. `base` is the smallest body that is read. */
export function testFields(name: string, request: VendorRequest, base: JsonObject, rows: readonly Row[]): void {
  const pinned = rows.filter(([, , fate]) => fate === 'pinned').map(([field]) => field)

  test.for(rows)(`${name}: the field %s, as %j, %s`, ([field, sample, fate, words]) => {
    const body = { ...base, [field]: sample }
    if (fate === 'refused') {
      const refused = refusalOf(request, body)
      expect(refused.param?.split('.')[0]).toBe(field)
      expect(refused.message).toContain(words)
      return
    }
    request.read(body)
    const sent = request.forward(body, DECIDED)
    if (fate === 'passes') expect(sent[field]).toEqual(sample)
    else if (fate === 'left out') expect(sent).not.toHaveProperty(field)
    else expect(sent).toHaveProperty(field)
    if (fate === 'pinned') expect(sent[field]).toEqual(request.fields.pinned[field])
  })

  test(`${name}: the rows name every field of the list, and no other`, () => {
    const { passed, pinned: pins, refused, taken } = request.fields
    const listed = [passed, pins, refused, taken ?? {}].flatMap((part) => Object.keys(part))
    expect([...new Set(rows.map(([field]) => field))].sort()).toEqual([...new Set(listed)].sort())
    expect([...new Set(pinned)].sort()).toEqual(Object.keys(pins).sort())
  })

  test.for(['mystery', 'extra_body', 'Model', '__proto__', 'toString', 'constructor', 'keep_alive'])(
    `${name}: the unknown field %s is refused`,
    (field) => {
      const refused = refusalOf(request, JSON.parse(`{${JSON.stringify(field)}:null,${JSON.stringify(base).slice(1)}`))
      expect(refused.param).toBe(field)
      expect(refused.message).toMatch(/leave it out|spell it exactly so/)
    },
  )

  test(`${name}: whatever comes, it is refused by name, or no other field than the listed is sent`, () => {
    const fields = [...new Set(rows.map(([field]) => field))]
    const samples = rows.map(([, sample]) => sample)
    const value = fc.oneof(fc.jsonValue({ maxDepth: 4 }), fc.constantFrom(...samples)) as fc.Arbitrary<unknown>
    const own = fc.constantFrom(...rows).map(([field, sample]): [string, unknown] => [field, sample])
    const pair = fc.oneof(
      { weight: 4, arbitrary: own },
      { weight: 1, arbitrary: fc.tuple(fc.oneof(fc.constantFrom(...fields), fc.string()), value) },
    )
    const body = fc
      .tuple(fc.boolean(), fc.array(pair, { maxLength: 6 }))
      .map(([whole, pairs]) => ({ ...(whole ? base : {}), ...Object.fromEntries(pairs) }))
    const allowed = new Set([...Object.keys(request.fields.passed), ...Object.keys(request.fields.pinned), DECIDED.limitField])
    let read = 0
    fc.assert(
      fc.property(body, (each) => {
        const before = structuredClone(each)
        let asked: VendorAsked
        try {
          asked = request.read(each)
        } catch (error) {
          if (!(error instanceof GatewayError)) throw error
          expect([error.code, typeof error.details.param, error.details.param === '']).toEqual(['invalid_request', 'string', false])
          return
        }
        read++
        const sent = request.forward(each, DECIDED)
        expect(Object.keys(sent).filter((key) => !allowed.has(key))).toEqual([])
        expect(sent).toMatchObject({ ...request.fields.pinned, model: DECIDED.model })
        expect(asked.answers).toBeGreaterThanOrEqual(1)
        expect(asked.marginTokens).toBeGreaterThanOrEqual(0)
        expect(each).toEqual(before)
      }),
      { numRuns: 400 },
    )
    expect(read).toBeGreaterThan(20)
  })
}

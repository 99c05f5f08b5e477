// Every fixture is whole, its numbers follow the rules, and none of its words are those of a captured exchange.
import { expect, test } from 'vitest'
import { isObject } from '../../worker/json.ts'
import { VENDORS, type Vendor } from '../../worker/vendors/vendor-request.ts'
import { type VendorExchange, vendorCaptures, vendorFixture, vendorFixtures } from './fixtures.ts'
import { dataOf, isStream, splitEvents } from './sse.ts'

const KEYS = ['about', 'body', 'ended', 'headers', 'name', 'request', 'status', 'url', 'usage_expected']
const COPY_MAX = 60
/** Cut short or no JSON on purpose. */
const BROKEN = ['bad-json-broken', 'error-502-html']

const fixtures = VENDORS.flatMap((vendor) =>
  vendorFixtures(vendor).map((exchange) => ({ id: `${vendor}/${exchange.name}`, vendor, exchange })),
)
const whole = fixtures.filter(({ exchange }) => !BROKEN.includes(exchange.name))
const counted = fixtures.filter(({ exchange }) => exchange.usage_expected !== null)

test.each(fixtures)('$id has all keys and a type of content', ({ exchange }) => {
  expect(Object.keys(exchange).sort()).toEqual(KEYS)
  expect(exchange.headers['content-type']).toBeTruthy()
  expect(new URL(exchange.url).pathname).toMatch(/^\/v1\//)
  expect(exchange.about).toMatch(exchange.usage_expected === null && exchange.name.startsWith('bad-') ? /^Bad on purpose: .*\.$/ : /\.$/)
})

test.each(whole)('$id parses', ({ exchange }) => {
  expect(valuesOf(exchange).length).toBeGreaterThan(0)
  expect(isStream(exchange.headers)).toBe(exchange.request.stream === true)
})

test.each(whole.filter(({ vendor, exchange }) => vendor === 'anthropic' && isStream(exchange.headers)))(
  '$id names each event by its type',
  ({ exchange }) => {
    for (const event of splitEvents(exchange.body)) {
      const { type } = JSON.parse(dataOf(event) ?? '')
      expect(event.startsWith(`event: ${type}\n`)).toBe(true)
    }
  },
)

test.each(counted)('$id has usage in buckets that make sense', ({ exchange }) => {
  const usage = exchange.usage_expected
  if (usage === null) return
  const { input, cached_input, cache_write, cache_write_1h, output, reasoning } = usage
  for (const count of [input, cached_input, cache_write, cache_write_1h, output, reasoning]) expect(count).toSatisfy(isCount)
  expect(cache_write_1h).toBeLessThanOrEqual(cache_write)
  expect(reasoning).toBeLessThanOrEqual(output)
})

test.each(counted.filter(({ vendor, exchange }) => vendor === 'openai' && exchange.url.startsWith('https://api.openai.com/')))(
  "$id: OpenAI's buckets add up to what is on the wire",
  ({ exchange }) => {
    const usage = valuesOf(exchange)
      .flatMap((value) => usageIn(value))
      .at(-1)
    const { input, cached_input, cache_write, output } = exchange.usage_expected ?? { input: 0, cached_input: 0, cache_write: 0, output: 0 }
    expect(input + cached_input + cache_write).toBe(usage?.prompt_tokens ?? usage?.input_tokens)
    expect(output).toBe(usage?.completion_tokens ?? usage?.output_tokens ?? 0)
    expect(input + cached_input + cache_write + output).toBe(usage?.total_tokens)
  },
)

test('a fixture is found by its name, and no other is', () => {
  expect(vendorFixture('openai', 'chat-json').name).toBe('chat-json')
  expect(() => vendorFixture('anthropic', 'chat-json')).toThrow()
})

test('captures: what is wanted is there', () => {
  const wanted = process.env.VENDOR_CAPTURES
  const count = VENDORS.flatMap((vendor) => vendorCaptures(vendor)).length
  // Not by console, which is silent where tests pass.
  if (wanted) process.stdout.write(`${count} captured exchanges with vendors\n`)
  expect(count > 0).toBe(Boolean(wanted))
})

test('captures: a folder without any is an error that names it', () => {
  const before = process.env.VENDOR_CAPTURES
  try {
    process.env.VENDOR_CAPTURES = import.meta.dirname
    expect(() => vendorCaptures('openai')).toThrow(import.meta.dirname)
    delete process.env.VENDOR_CAPTURES
    expect(vendorCaptures('openai')).toEqual([])
  } finally {
    if (before !== undefined) process.env.VENDOR_CAPTURES = before
  }
})

test.skipIf(!process.env.VENDOR_CAPTURES)('no fixture has a run of words of a captured exchange', () => {
  const captured = VENDORS.flatMap((vendor) => vendorCaptures(vendor))
    .map(wordsOf)
    .join('\n')
  for (const { id, exchange } of fixtures) expect(`${id}: ${copied(wordsOf(exchange), captured)}`).toBe(`${id}: null`)
  // The comparison itself: a captured text is found again.
  const [text] = VENDORS.flatMap((vendor: Vendor) => vendorCaptures(vendor))
    .map(wordsOf)
    .filter((words) => words.length > COPY_MAX)
  expect(copied(text ?? '', captured)).not.toBeNull()
})

function isCount(value: number): boolean {
  return Number.isSafeInteger(value) && value >= 0
}

/** The JSON of an answer, or of each of its events. */
function valuesOf({ headers, body }: VendorExchange): unknown[] {
  if (!isStream(headers)) return [JSON.parse(body)]
  expect(body.endsWith('\n\n')).toBe(true)
  return splitEvents(body)
    .map((event) => dataOf(event) ?? '')
    .filter((data) => data !== '[DONE]')
    .map((data) => JSON.parse(data))
}

function usageIn(value: unknown): Record<string, number>[] {
  if (!isObject(value)) return []
  const usage = value.usage ?? (isObject(value.response) ? value.response.usage : null)
  return isObject(usage) ? [usage as Record<string, number>] : []
}

/** What can be read in an answer: its texts, in order, one after the other, so that pieces of a stream become sentences. */
function wordsOf(exchange: VendorExchange): string {
  const found: string[] = []
  const walk = (value: unknown, key: string): void => {
    if (typeof value === 'string' && /^(text|content|message|thinking|delta|partial_json|arguments|explanation)$/.test(key))
      found.push(value)
    if (Array.isArray(value)) for (const item of value) walk(item, key)
    if (isObject(value)) for (const [name, item] of Object.entries(value)) walk(item, name)
  }
  try {
    const { body } = exchange
    if (!isStream(exchange.headers)) walk(JSON.parse(body), '')
    else for (const event of splitEvents(body)) if (/^\s*\{/.test(dataOf(event) ?? '')) walk(JSON.parse(dataOf(event) ?? ''), '')
  } catch {
    return exchange.body
  }
  return found.join('')
}

/** The first run of COPY_MAX characters that is in `captured`, too. */
function copied(words: string, captured: string): string | null {
  for (let at = 0; at + COPY_MAX <= words.length; at += 1) {
    const run = words.slice(at, at + COPY_MAX)
    if (captured.includes(run)) return run
  }
  return null
}

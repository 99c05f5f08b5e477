// Each error of a vendor's, written or captured, through the gateway: what the caller is told, what is charged, and what the operator can read.
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest'
import { isObject } from '../worker/json.ts'
import { VENDORS, type Vendor } from '../worker/vendors/vendor-request.ts'
import { expectProved, usageRow } from './ledger.ts'
import { type Paid, startPaid } from './paid.ts'
import { type VendorExchange, vendorCaptures, vendorFixture, vendorFixtures } from './vendors/fixtures.ts'
import { dataOf, isStream, splitEvents } from './vendors/sse.ts'

let paid: Paid

beforeAll(async () => {
  paid = await startPaid()
})
afterEach(() => expectProved(paid.gateway.db))
afterAll(() => paid.close())

interface Told {
  status: number
  /** OpenAI's code and Anthropic's type, as the gateway has them. */
  code: string
  /** What of the vendor's words reaches the caller; none unless told. */
  words?: RegExp
  retryAfter?: string
  /** The log's word for the cause. */
  logged: string
}

const REFUSED_KEY = { status: 502, logged: 'vendor_refused_key' }
const UNPAID = { status: 503, logged: 'vendor_unpaid' }
const FAILED = { status: 502, logged: 'vendor_failed' }
const NO_MODEL = { status: 404, logged: 'vendor_model_not_found' }
const OVERLOADED = { status: 503, retryAfter: '2', logged: 'upstream_overloaded' }
const OURS = { status: 400, logged: 'invalid_request' }

const TOLD: Record<Vendor, Record<string, Told>> = {
  openai: {
    'error-400-max-tokens': { ...OURS, code: 'invalid_request', words: /'max_completion_tokens'/ },
    'error-400-responses-model': { ...NO_MODEL, code: 'model_not_found' },
    'error-401-key': { ...REFUSED_KEY, code: 'upstream_error' },
    'error-403-region': { ...REFUSED_KEY, code: 'upstream_error' },
    'error-404-model': { ...NO_MODEL, code: 'model_not_found' },
    'error-429-quota': { ...UNPAID, code: 'upstream_unavailable' },
    'error-429-rate-limit': {
      status: 429,
      code: 'rate_limited',
      retryAfter: expect.stringMatching(/^[15]$/),
      logged: 'vendor_rate_limited',
    },
    'error-500': { ...FAILED, code: 'upstream_error' },
    'error-502-html': { ...FAILED, code: 'upstream_error' },
    'error-503': { ...OVERLOADED, code: 'upstream_overloaded' },
    'chat-stream-error': { ...FAILED, code: 'upstream_error' },
    'responses-stream-failed': { ...UNPAID, code: 'upstream_unavailable' },
    'responses-stream-failed-late': { ...FAILED, code: 'upstream_error' },
  },
  anthropic: {
    'error-400': { ...OURS, code: 'invalid_request_error', words: /^output_config\.effort: this model has no level 'utmost'\.$/ },
    'error-400-effort': { ...OURS, code: 'invalid_request_error', words: /does not support effort level 'xhigh'/ },
    'error-400-credit': { ...UNPAID, code: 'api_error' },
    'error-401-key': { ...REFUSED_KEY, code: 'api_error' },
    'error-402-billing': { ...UNPAID, code: 'api_error' },
    'error-403': { ...REFUSED_KEY, code: 'api_error' },
    'error-404-model': { ...NO_MODEL, code: 'not_found_error' },
    'error-413': { status: 413, code: 'request_too_large', logged: 'body_too_large' },
    'error-429': { status: 429, code: 'rate_limit_error', retryAfter: expect.stringMatching(/^[17]$/), logged: 'vendor_rate_limited' },
    'error-429-no-retry-after': { status: 429, code: 'rate_limit_error', retryAfter: '2', logged: 'vendor_rate_limited' },
    'error-500': { ...FAILED, code: 'api_error' },
    'error-502-html': { ...FAILED, code: 'api_error' },
    'error-504': { status: 504, code: 'timeout_error', logged: 'vendor_failed' },
    'error-529': { ...OVERLOADED, code: 'overloaded_error' },
    'messages-stream-error-first': { ...OVERLOADED, code: 'overloaded_error' },
    'messages-stream-overloaded': { ...OVERLOADED, code: 'overloaded_error' },
  },
}

interface Case {
  vendor: Vendor
  exchange: VendorExchange
  told: Told | undefined
}

const CASES: [name: string, each: Case][] = VENDORS.flatMap((vendor) =>
  [...vendorFixtures(vendor), ...vendorCaptures(vendor)].map((exchange): [string, Case] => {
    const name = `${vendor}: ${exchange.name}${exchange.source === undefined ? '' : ', captured'}`
    return [name, { vendor, exchange, told: TOLD[vendor][exchange.name] }]
  }),
)
const isRefusal = ({ exchange }: Case) => exchange.status >= 400
const isBrokenStream = ({ exchange }: Case) => isStream(exchange.headers) && (exchange.ended === 'error' || exchange.ended === 'failed')
const REFUSALS = CASES.filter(([, each]) => isRefusal(each)).flatMap(([name, each]) =>
  [false, true].map((stream) => [name, stream, each] as const),
)
const BROKEN_STREAMS = CASES.filter(([, each]) => isBrokenStream(each))

const messages = [{ role: 'user', content: 'A word, please.' }]
const BODIES: Record<string, object> = {
  '/v1/chat/completions': { model: 'gpt-4.1-test', messages, max_tokens: 40 },
  '/v1/responses': { model: 'gpt-4.1-test', input: 'A word, please.', max_output_tokens: 40 },
  '/v1/messages': { model: 'claude-test', messages, max_tokens: 40 },
}

/** Asks as whoever caught this exchange did, and has the vendor answer with it. */
async function ask({ vendor, exchange }: Case, stream: boolean) {
  const { id, key } = await paid.someone()
  paid.gateway.vendors[vendor].play({ exchange })
  const path = new URL(exchange.url).pathname
  const headers = { 'content-type': 'application/json', authorization: `Bearer ${key}` }
  const body = JSON.stringify({ ...BODIES[path], stream })
  const answer = await paid.fetch(`${paid.gateway.url}${path}`, { method: 'POST', headers, body })
  return { customerId: id, answer, text: await answer.text(), row: await usageRow(paid.gateway.db, answer.headers.get('x-request-id')) }
}

interface Envelope {
  type?: string
  error: Record<string, unknown>
  request_id?: string
}

/** The code or type of an envelope in its vendor's family, with no more than belongs there. */
function codeIn(vendor: Vendor, { type, error, request_id, ...rest }: Envelope): unknown {
  expect(rest).toEqual({})
  expect(error.message).toEqual(expect.stringMatching(/\w/))
  if (vendor === 'openai') {
    expect([Object.keys(error).sort(), type, request_id]).toEqual([['code', 'message', 'param', 'type'], undefined, undefined])
    return error.code
  }
  expect([Object.keys(error).sort(), type]).toEqual([['message', 'type'], 'error'])
  expect(request_id).toMatch(/^[0-9a-f-]{36}$/)
  return error.type
}

/** The codes of what the gateway has logged of a request. */
const loggedOf = (answer: Response) =>
  paid.gateway.logs.flatMap((entry) =>
    isObject(entry) && entry.request_id === answer.headers.get('x-request-id') && typeof entry.code === 'string' ? [entry.code] : [],
  )

test.each(REFUSALS)('%s, stream: %s', async (_, stream, each) => {
  const { vendor, exchange, told } = each
  if (told === undefined) throw new Error(`${exchange.name} is in no list of what is told`)
  const { answer, text, row } = await ask(each, stream)
  const envelope: Envelope = JSON.parse(text)
  expect([answer.status, codeIn(vendor, envelope)]).toEqual([told.status, told.code])
  expect(answer.headers.get('content-type')).toMatch(/^application\/json/)
  // What waiting cannot mend is not to be asked again.
  const final = told.status < 500 || told.logged === 'vendor_refused_key' || told.logged === 'vendor_unpaid'
  expect([answer.headers.get('retry-after'), answer.headers.get('x-should-retry')]).toEqual([
    told.retryAfter ?? null,
    final && told.retryAfter === undefined ? 'false' : null,
  ])
  if (told.words === undefined) expect(text).not.toContain(vendorsWords(exchange))
  else expect(envelope.error.message).toMatch(told.words)
  expect(row).toMatchObject({ outcome: 'failed', cost_nano: 0, input_tokens: 0, output_tokens: 0 })
  await expect.poll(() => loggedOf(answer)).toContain(told.logged)
})

/** The message, or the whole page. */
function vendorsWords({ body }: VendorExchange): string {
  return body.startsWith('<') ? body : String((JSON.parse(body) as Envelope).error.message)
}

test.each(BROKEN_STREAMS)('%s', async (_, each) => {
  const { vendor, exchange, told } = each
  if (told === undefined) throw new Error(`${exchange.name} is in no list of what is told`)
  const { answer, text, row } = await ask(each, true)
  expect(answer.status).toBe(200)
  const events = splitEvents(text).filter((event) => dataOf(event) !== null)
  const errors = events.filter((event) => /"error": ?\{|"type": ?"error"|response\.failed/.test(event))
  // One error, and nothing after it.
  expect(errors).toEqual(events.slice(-1))
  const error = JSON.parse(dataOf(errors[0] ?? '') ?? '')
  await expect.poll(() => loggedOf(answer)).toContain('upstream_failed')
  if (hasBegun(exchange)) {
    // It is charged for what was delivered, within what was held. Counts of an answer that failed are in its last event, if anywhere.
    expect(row).toMatchObject({ outcome: 'failed', estimated: exchange.ended === 'failed' ? 0 : 1 })
    expect([row.cost_nano > 0, row.cost_nano <= row.hold_nano]).toEqual([true, true])
    return
  }
  if (exchange.url.endsWith('/responses'))
    expect(error).toMatchObject({ type: 'error', code: told.code, message: expect.stringMatching(/\w/) })
  else expect(codeIn(vendor, error)).toBe(told.code)
  expect(row).toMatchObject({ outcome: 'failed', cost_nano: 0, input_tokens: 0, output_tokens: 0 })
  if (told.logged.startsWith('vendor')) expect(loggedOf(answer)).toContain(told.logged)
})

/** Some of the answer was delivered before the error. */
function hasBegun({ body }: VendorExchange): boolean {
  return /_delta"|output_text\.delta|"delta":\{"content":"\w/.test(body)
}

const TELLING =
  'Project `proj_madeup0000` of organization org-madeup0000 may not: key sk-proj-abcd****wxyz, user-madeup0000, see https://platform.openai.com/settings/organization/limits. Leave out logit_bias.'

test.each([
  [
    'openai',
    'error-400-max-tokens',
    (message: string) => ({ error: { message, type: 'invalid_request_error', param: 'logit_bias', code: null } }),
  ],
  ['anthropic', 'error-400', (message: string) => ({ type: 'error', error: { message, type: 'invalid_request_error' } })],
] as const)("%s: of the vendor's words for the caller's mistake who the operator is is left out", async (vendor, name, envelope) => {
  const exchange = { ...vendorFixture(vendor, name), body: JSON.stringify(envelope(TELLING)) }
  const { answer, text } = await ask({ vendor, exchange, told: undefined }, false)
  const { error }: Envelope = JSON.parse(text)
  expect([answer.status, error.message]).toEqual([400, expect.stringMatching(/ may not: key ….* Leave out logit_bias\.$/)])
  expect(text).not.toMatch(/madeup|sk-proj|wxyz|platform\.openai/)
  expect(JSON.stringify(paid.gateway.logs)).not.toMatch(/sk-proj|wxyz/)
})

// Streams that break off, as the official `openai` SDK sees them: its iterator throws, and what was delivered is charged by an estimate.
import OpenAI from 'openai'
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from 'vitest'
import type { Fault } from '../host/stand-in/server.ts'
import { startTestGateway, type TestGateway } from './harness.ts'
import { expectProved, settled, usageOf } from './ledger.ts'

let gateway: TestGateway
let client: OpenAI
let customerId: number

beforeAll(async () => {
  gateway = await startTestGateway({ vars: { IDLE_TIMEOUT_SECONDS: '1' } })
  // In nano-dollars: 1,000,000 a request, 1,000 an input token, 2,000 an output token.
  await gateway.setPrice('gemma3:270m', { request: '0.001', input: '1', output: '2' })
  await gateway.setPrice('embed-small:latest', { request: '0.001', input: '10' })
})
beforeEach(async () => {
  gateway.standIn.reset()
  const customer = await gateway.makeCustomer({ budgetUsd: '1' })
  customerId = customer.id
  client = new OpenAI({ apiKey: customer.key, baseURL: `${gateway.url}/v1`, maxRetries: 0 })
})
afterEach(() => expectProved(gateway.db))
afterAll(() => gateway.stop())

const model = 'gemma3:270m'
const messages = [{ role: 'user' as const, content: 'Why is the sky blue?' }]

/** Each route as a stream of the texts that it delivers, and the body that the SDK sends for it. */
const ROUTES = {
  'chat completions': {
    body: { model, messages, max_tokens: 40, stream: true as const },
    limit: 40,
    async *texts() {
      for await (const chunk of await client.chat.completions.create(this.body)) yield chunk.choices[0]?.delta.content ?? ''
    },
  },
  completions: {
    body: { model, prompt: 'Why is the sky blue?', max_tokens: 12, stream: true as const },
    limit: 12,
    async *texts() {
      for await (const chunk of await client.completions.create(this.body)) yield chunk.choices[0]?.text ?? ''
    },
  },
  responses: {
    body: { model, input: 'Why is the sky blue?', max_output_tokens: 40, stream: true as const },
    limit: 40,
    async *texts() {
      for await (const event of await client.responses.create(this.body))
        yield event.type === 'response.output_text.delta' ? event.delta : ''
    },
  },
}

/** What came, and what ended it. */
async function read(stream: AsyncIterable<string>): Promise<{ texts: string[]; error: unknown }> {
  const texts: string[] = []
  try {
    for await (const text of stream) texts.push(text)
    return { texts, error: null }
  } catch (error) {
    return { texts, error }
  }
}

const FAULTS: [name: string, fault: Fault, code: string, message: RegExp][] = [
  ['ends without its end', { kind: 'no-terminator' }, 'upstream_error', /broke off its answer.*charged/],
  ['has an error in it', { kind: 'error-line', afterChunks: 8 }, 'upstream_error', /broke off its answer.*charged/],
  ['is cut off', { kind: 'broken', afterChunks: 8 }, 'upstream_error', /broke off its answer.*charged/],
  ['falls silent', { kind: 'stall', afterChunks: 8 }, 'upstream_timeout', /fell silent.*charged/],
]
const CASES = Object.entries(ROUTES).flatMap(([name, route]) => FAULTS.map((fault) => [name, ...fault, route] as const))

test.each(CASES)('%s: a stream that %s throws in the iterator and is charged for what was delivered', async (...row) => {
  const [, , fault, code, message, route] = row
  gateway.standIn.fault(fault)
  const { texts, error } = await read(route.texts())
  expect(error).toBeInstanceOf(OpenAI.APIError)
  expect(error).toMatchObject({ code, message: expect.stringMatching(message), requestID: expect.stringMatching(/^[0-9a-f-]{36}$/) })

  const delivered = texts.filter((text) => text !== '')
  expect(delivered.length).toBeGreaterThan(0)
  // An input token for each byte of the body and 256 more; a token for each four bytes begun of a text, no more than the limit.
  const input = JSON.stringify(route.body).length + 256
  const output = Math.min(
    delivered.reduce((sum, text) => sum + Math.ceil(Buffer.byteLength(text) / 4), 0),
    route.limit,
  )
  await settled(gateway.db)
  const rows = await usageOf(gateway.db, customerId)
  expect(rows).toMatchObject([{ outcome: 'failed', estimated: 1, input_tokens: input, output_tokens: output }])
  expect(rows[0]?.cost_nano).toBe(1_000_000 + input * 1000 + output * 2000)
})

test.each(Object.entries(ROUTES))('%s: a stream that breaks off before its first token costs nothing', async (_, route) => {
  gateway.standIn.fault({ kind: 'broken', afterChunks: 0 })
  const { error } = await read(route.texts())
  expect(error).toMatchObject({ code: 'upstream_error' })
  await settled(gateway.db)
  expect(await usageOf(gateway.db, customerId)).toMatchObject([{ outcome: 'failed', cost_nano: 0, output_tokens: 0 }])
})

test.each(FAULTS)('an answer in one piece that %s is an InternalServerError for nothing', async (_, fault, code) => {
  gateway.standIn.fault(fault)
  const error = await client.chat.completions.create({ model, messages, max_tokens: 40 }).catch((reason: unknown) => reason)
  expect(error).toBeInstanceOf(OpenAI.InternalServerError)
  expect(error).toMatchObject({
    status: code === 'upstream_timeout' ? 504 : 502,
    code,
    message: expect.stringContaining('nothing is charged'),
  })
  await settled(gateway.db)
  expect(await usageOf(gateway.db, customerId)).toMatchObject([{ outcome: 'failed', cost_nano: 0, output_tokens: 0 }])
})

test('embeddings that break off are an InternalServerError for nothing', async () => {
  gateway.standIn.fault({ kind: 'broken', afterChunks: 1 })
  const error = await client.embeddings.create({ model: 'embed-small', input: 'red' }).catch((reason: unknown) => reason)
  expect(error).toBeInstanceOf(OpenAI.InternalServerError)
  expect(error).toMatchObject({ status: 502, code: 'upstream_error' })
  await settled(gateway.db)
  expect(await usageOf(gateway.db, customerId)).toMatchObject([{ outcome: 'failed', cost_nano: 0 }])
})

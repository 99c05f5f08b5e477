// Vercel's `ai` with its providers, unmodified, against models of both vendors through the gateway, and what each call costs.
import { type AnthropicProvider, createAnthropic } from '@ai-sdk/anthropic'
import { createOpenAI, type OpenAIProvider } from '@ai-sdk/openai'
import { createOpenAICompatible, type OpenAICompatibleProvider } from '@ai-sdk/openai-compatible'
import { APICallError, embed, embedMany, generateText, isStepCount, type LanguageModel, Output, streamText, tool } from 'ai'
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from 'vitest'
import * as z from 'zod'
import type { Vendor } from '../worker/vendors/vendor-request.ts'
import { expectProved } from './ledger.ts'
import { all, type Paid, saying, startPaid, thrown } from './paid.ts'
import { type VendorExchange, vendorFixture } from './vendors/fixtures.ts'

let paid: Paid
let customerId: number
let openai: OpenAIProvider
let anthropic: AnthropicProvider
let compatible: OpenAICompatibleProvider

beforeAll(async () => {
  paid = await startPaid()
})
beforeEach(async () => {
  const { id, key } = await paid.someone()
  customerId = id
  const settings = { apiKey: key, baseURL: `${paid.gateway.url}/v1`, fetch: paid.fetch }
  openai = createOpenAI(settings)
  anthropic = createAnthropic(settings)
  compatible = createOpenAICompatible({ ...settings, name: 'gateway', includeUsage: true, supportsStructuredOutputs: true })
})
afterEach(() => expectProved(paid.gateway.db))
afterAll(() => paid.close())

interface Way {
  name: string
  vendor: Vendor
  dialect: string
  model: () => LanguageModel
  /** The answers that fit it: in one piece and streamed, each with its cost. */
  whole: number
  streamed: number
  tool: number
  json: () => VendorExchange
}

const chatJson = () => saying(vendorFixture('openai', 'chat-json-structured'), '"Meltemi"', '"Sirocco"')
const WAYS: Way[] = [
  {
    name: '@ai-sdk/openai, chat',
    vendor: 'openai',
    dialect: 'openai-chat',
    model: () => openai.chat('gpt-4.1-test'),
    // 14 × 2,000 + 8 × 8,000; 15 × 2,000 + 6 × 8,000; 61 × 2,000 + 18 × 8,000
    ...{ whole: 92_000, streamed: 78_000, tool: 266_000, json: chatJson },
  },
  {
    name: '@ai-sdk/openai, responses',
    vendor: 'openai',
    dialect: 'openai-responses',
    model: () => openai('gpt-4.1-test'),
    // 12 × 2,000 + 7 × 8,000; 13 × 2,000 + 5 × 8,000; 55 × 2,000 + 16 × 8,000
    ...{ whole: 80_000, streamed: 66_000, tool: 238_000 },
    json: () => saying(vendorFixture('openai', 'responses-json'), 'A buoy is in sight.', '{"name":"Sirocco","masts":2}'),
  },
  {
    name: '@ai-sdk/openai-compatible',
    vendor: 'openai',
    dialect: 'openai-chat',
    model: () => compatible('gpt-4.1-test'),
    ...{ whole: 92_000, streamed: 78_000, tool: 266_000, json: chatJson },
  },
  {
    name: '@ai-sdk/anthropic',
    vendor: 'anthropic',
    dialect: 'anthropic-messages',
    model: () => anthropic('claude-test'),
    // 12 × 3,000 + 7 × 15,000; 11 × 3,000 + 6 × 15,000; 370 × 3,000 + 41 × 15,000
    ...{ whole: 141_000, streamed: 123_000, tool: 1_725_000 },
    json: () => saying(vendorFixture('anthropic', 'messages-json-text'), 'Salt on the railing.', '{"name":"Sirocco","masts":2}'),
  },
]
const NAMED = WAYS.map((way) => [way.name, way] as const)

const prompt = 'A word, please.'
const ask = { prompt, maxOutputTokens: 60, maxRetries: 0 }
const look_up_tide = tool({
  description: 'The tide in a harbour',
  inputSchema: z.object({ harbour: z.string() }),
  execute: ({ harbour }) => `High water in ${harbour} at noon.`,
})

test.each(NAMED)('a text is generated: %s', async (_, { model, dialect, whole }) => {
  const { text, usage, finishReason } = await generateText({ ...ask, model: model() })
  expect([text, finishReason]).toEqual([expect.stringMatching(/\w/), 'stop'])
  expect(usage.outputTokens).toBeGreaterThan(0)
  expect(await paid.bill(customerId)).toMatchObject({ dialect, outcome: 'completed', cost_nano: whole, estimated: 0 })
})

test.each(NAMED)('a text is streamed, with its usage: %s', async (_, { model, dialect, streamed }) => {
  const result = streamText({ ...ask, model: model() })
  expect((await all(result.textStream)).join('')).toMatch(/\w/)
  expect((await result.usage).outputTokens).toBeGreaterThan(0)
  expect(await result.finishReason).toBe('stop')
  expect(await paid.bill(customerId)).toMatchObject({ dialect, outcome: 'completed', cost_nano: streamed, estimated: 0 })
})

test.each(NAMED)('a tool is called: %s', async (_, { model, dialect, tool: cost_nano }) => {
  const { toolCalls, toolResults } = await generateText({ ...ask, model: model(), tools: { look_up_tide } })
  expect(toolCalls).toMatchObject([{ toolName: 'look_up_tide', input: { harbour: expect.stringMatching(/\w/) } }])
  expect(toolResults).toMatchObject([{ output: expect.stringContaining('at noon') }])
  expect(await paid.bill(customerId)).toMatchObject({ dialect, outcome: 'completed', cost_nano, estimated: 0 })
})

test.each(NAMED)('an object is generated by a schema: %s', async (_, { model, vendor, json }) => {
  paid.gateway.vendors[vendor].play({ exchange: json() })
  const schema = z.object({ name: z.string(), masts: z.int() })
  const { output } = await generateText({ ...ask, model: model(), output: Output.object({ schema }) })
  expect(output).toEqual({ name: 'Sirocco', masts: 2 })
  expect(paid.gateway.vendors[vendor].requests.at(-1)?.text).toContain('"masts"')
  expect(await paid.bill(customerId)).toMatchObject({ outcome: 'completed', estimated: 0 })
})

const STEPS: [name: string, vendor: Vendor, model: () => LanguageModel, first: string, second: string][] = [
  ['@ai-sdk/openai, chat', 'openai', () => openai.chat('gpt-4.1-test'), 'chat-json-tools', 'chat-json'],
  ['@ai-sdk/openai, responses', 'openai', () => openai('gpt-4.1-test'), 'responses-json-tool', 'responses-json'],
  ['@ai-sdk/openai-compatible', 'openai', () => compatible('gpt-4.1-test'), 'chat-json-tools', 'chat-json'],
  ['@ai-sdk/anthropic', 'anthropic', () => anthropic('claude-test'), 'messages-json-tool', 'messages-json-text'],
]
const inSteps = { ...ask, tools: { look_up_tide }, stopWhen: isStepCount(2) }

test.each(STEPS)('a tool result goes back in a second step: %s', async (_, vendor, model, first, second) => {
  paid.gateway.vendors[vendor].play({ exchanges: [vendorFixture(vendor, first), vendorFixture(vendor, second)] })
  const { text, steps } = await generateText({ ...inSteps, model: model(), providerOptions: { openai: { store: false } } })
  expect([steps.length, text]).toEqual([2, expect.stringMatching(/\w/)])
  expect(paid.gateway.vendors[vendor].requests.at(-1)?.text).toMatch(/High water in \w+ at noon/)
})

test('embeddings', async () => {
  const model = openai.embedding('embed-test')
  expect((await embed({ model, value: 'red', maxRetries: 0 })).embedding[0]).toBeTypeOf('number')
  // 6 × 20
  expect(await paid.bill(customerId)).toMatchObject({ dialect: 'openai-embeddings', outcome: 'completed', cost_nano: 120 })
  const { embeddings, usage } = await embedMany({ model: compatible.embeddingModel('embed-test'), values: ['red', 'blue'], maxRetries: 0 })
  expect([embeddings.length, usage.tokens]).toEqual([2, 12])
})

test('a turn that only names what OpenAI would have kept is refused, with the setting that helps: the gateway lets it keep nothing', async () => {
  const model = openai('gpt-4.1-test')
  const { response } = await generateText({ ...ask, model })
  const again = { role: 'user' as const, content: 'And another.' }
  const messages = [{ role: 'user' as const, content: prompt }, ...response.messages, again]
  const next = { messages, model, maxOutputTokens: 60, maxRetries: 0 }
  const error = await thrown(generateText(next), APICallError)
  expect(error).toMatchObject({ statusCode: 400, isRetryable: false, message: expect.stringMatching(/^input\.1\.type: .*store: false/) })
  const { text } = await generateText({ ...next, providerOptions: { openai: { store: false } } })
  expect(text).toMatch(/\w/)
})

/** A model that thinks before it calls a tool. */
function thinkingTool(): VendorExchange {
  const exchange = vendorFixture('openai', 'responses-json-tool')
  const { output, ...body } = JSON.parse(exchange.body)
  const thought = { id: 'rs_1', type: 'reasoning', summary: [], encrypted_content: 'c2VhbGVk' }
  return { ...exchange, body: JSON.stringify({ ...body, output: [thought, ...output] }) }
}

test.each([
  [undefined, 400],
  [false, 200],
])('what a model of OpenAI thought goes back sealed in the second step, if the setting says so, store: %s', async (store, status) => {
  paid.gateway.vendors.openai.play({ exchange: thinkingTool() })
  const setting = store === undefined ? {} : { providerOptions: { openai: { store } } }
  const steps = generateText({ ...inSteps, model: openai('gpt-6-test'), toolChoice: 'auto', ...setting })
  await Promise.allSettled([steps])
  expect(paid.answers.at(-1)?.status).toBe(status)
  const last = paid.gateway.vendors.openai.requests.at(-1)
  if (store === false) expect(last?.body).toMatchObject({ input: [{}, { type: 'reasoning', encrypted_content: 'c2VhbGVk' }, {}, {}] })
  else await expect(steps).rejects.toThrow(/store: false/)
})

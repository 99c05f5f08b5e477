// What the account's routes answer, field by field: for their types and for /openapi.json.
import * as z from 'zod'
import { OUTCOMES, UPSTREAMS } from '../schema.ts'

const usd = (about: string) => z.string().describe(`${about}; dollars as a decimal, exact`)
const time = (about: string) => z.iso.datetime().describe(about)

const tokens = {
  input_tokens: z.int().describe('All input, cached and written tokens too'),
  cached_tokens: z.int().describe('Of the input: read from a cache'),
  cache_write_tokens: z.int().describe('Of the input: written to a cache for minutes (Anthropic 5, OpenAI 30)'),
  cache_write_long_tokens: z.int().describe('Of the input: written to a cache for hours (Anthropic 1, OpenAI 12)'),
  output_tokens: z.int().describe('All output, reasoning too'),
  reasoning_tokens: z.int().describe('Of the output: what the model thought, where its vendor tells'),
}
const upstream = z.enum(UPSTREAMS)

export const accountUsage = z.strictObject({
  from: z.iso.date(),
  to: z.iso.date(),
  models: z.array(
    z.strictObject({
      model: z.string(),
      upstream: upstream.describe('Whose model it is: by the last price of its name in the range'),
      requests: z.int(),
      ...tokens,
      cost_usd: usd('What they cost'),
    }),
  ),
  cost_usd: usd('What all cost'),
})
export type AccountUsage = z.infer<typeof accountUsage>

const request = {
  id: z.string(),
  model: z.string(),
  dialect: z.string(),
  upstream: upstream.describe('Who serves it'),
  held_usd: usd('The most that it could cost'),
  output_limit: z.int().describe('Output tokens of one answer'),
  created_at: time('When it was admitted'),
}

export const accountRequest = z.discriminatedUnion('state', [
  z.strictObject({ ...request, state: z.literal('running') }),
  z.strictObject({
    ...request,
    state: z.literal('ended'),
    outcome: z.enum(OUTCOMES),
    ...tokens,
    estimated: z.boolean().describe('Whether the counts are an estimate'),
    cost_usd: usd('What was charged'),
    first_token_ms: z.int().nullable().describe('Milliseconds from admission to the first token; null: none was delivered'),
    settled_at: time('When it was charged'),
  }),
])
export type AccountRequest = z.infer<typeof accountRequest>

// What the account's routes answer, field by field: for their types and for /openapi.json.
import * as z from 'zod'
import { PART_NAMES } from '../pricing.ts'
import { BUDGET_PERIODS, OUTCOMES, UPSTREAMS } from '../schema.ts'

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

const budget = z.strictObject({
  budget_usd: usd('What may be spent in a period').nullable().describe('null: unlimited'),
  period: z.enum(BUDGET_PERIODS),
  spent_usd: usd('Spent in this period'),
  held_usd: usd('What running requests may cost at the most'),
  remaining_usd: usd('What is left').nullable().describe('null: unlimited'),
  renews_at: time('When the next period begins').nullable().describe('null: never'),
})

const prepaid = z.strictObject({
  paid_usd: usd('What was paid in'),
  used_usd: usd('What was used of it'),
  held_usd: usd('What running requests may cost at the most'),
  left_usd: usd('What is left'),
})

export const accountBudget = z.strictObject({
  prepaid: prepaid.optional().describe('Only of a prepaid account'),
  account: budget,
  key: budget.nullable().describe('null: the key has no budget of its own'),
  binds: z
    .enum(['key budget', 'account budget', 'prepaid balance'])
    .nullable()
    .describe('The limit that leaves least; null: nothing limits what may be spent'),
})
export type AccountBudget = z.infer<typeof accountBudget>

const figures = {
  requests: z.int(),
  ...tokens,
  cost_usd: usd('What they cost'),
  first_token_ms_average: z
    .int()
    .nullable()
    .describe('Milliseconds to the first token, rounded; null: none was delivered, or all are of before it was kept'),
  first_token_p95_ms_at_most: z
    .int()
    .nullable()
    .describe('95 of 100 first tokens took no longer than this; null: there are none, or more than five of 100 took longer than 51,200 ms'),
}

const report = {
  from: z.iso.date(),
  to: z.iso.date().describe('Included'),
  totals: z.strictObject(figures),
  cost_usd: usd('What all cost'),
}

export const accountUsage = z.discriminatedUnion('group', [
  z.strictObject({
    ...report,
    group: z.literal('model'),
    models: z.array(
      z.strictObject({
        model: z.string(),
        upstream: upstream.describe('Whose model it is: by the last price of its name in the range'),
        ...figures,
      }),
    ),
  }),
  z.strictObject({ ...report, group: z.literal('day'), days: z.array(z.strictObject({ day: z.iso.date(), ...figures })) }),
  z.strictObject({
    ...report,
    group: z.literal('key'),
    keys: z.array(z.strictObject({ key_id: z.int(), key_prefix: z.string(), key_name: z.string(), ...figures })),
  }),
])
export type AccountUsage = z.infer<typeof accountUsage>

const request = {
  id: z.string(),
  key_id: z.int(),
  model: z.string(),
  dialect: z.string(),
  upstream: upstream.describe('Who serves it'),
  held_usd: usd('The most that it could cost'),
  output_limit: z.int().describe('Output tokens of one answer'),
  created_at: time('When it was admitted'),
}

const running = { ...request, state: z.literal('running') }
const ended = {
  ...request,
  state: z.literal('ended'),
  outcome: z.enum(OUTCOMES),
  ...tokens,
  estimated: z.boolean().describe('Whether the counts are an estimate'),
  cost_usd: usd('What was charged'),
  first_token_ms: z.int().nullable().describe('Milliseconds from admission to the first token; null: none was delivered'),
  settled_at: time('When it was charged'),
}

const told = z.discriminatedUnion('state', [z.strictObject(running), z.strictObject(ended)])
export type ToldRequest = z.infer<typeof told>

export const accountRequests = z.strictObject({
  data: z.array(told).describe('Newest first'),
  next: z.string().nullable().describe('`before` of the next page; null: there is none'),
})
export type AccountRequests = z.infer<typeof accountRequests>

const explanation = z.strictObject({
  price: z.strictObject({
    id: z.int(),
    valid_from: time('Since when it was in force'),
    tier: z.string().nullable().describe('Which of its prices, where it has several by length of the input'),
  }),
  formula: z
    .array(
      z.strictObject({
        what: z.enum(PART_NAMES),
        count: z.int().describe('Tokens, milliseconds of GPU time, or 1'),
        price_usd: usd('Of a million tokens, a GPU second, a request or a use of the model'),
        amount_usd: usd('count × price'),
        text: z.string().describe('The same in one line'),
      }),
    )
    .nullable()
    .describe('null: not all counts are known, or nothing is charged'),
  sum_usd: usd('Of the formula, before it is rounded up to a whole nano-dollar').nullable(),
  cost: z.string(),
  hold: z.string(),
  output_limit: z.string(),
  ending: z.string().nullable().describe('The rule that it is charged by; null: it runs'),
  estimated: z.string().nullable().describe('Why counts are an estimate'),
  times: z.string(),
  adjustments: z.array(
    z.strictObject({ id: z.string(), amount_usd: usd('Below zero: given back'), reason: z.string(), created_at: time('') }),
  ),
  total_usd: usd('What was charged, with all adjustments').nullable(),
})

export const accountRequest = z.discriminatedUnion('state', [
  z.strictObject({ ...running, explanation }),
  z.strictObject({ ...ended, explanation }),
])
export type AccountRequest = z.infer<typeof accountRequest>

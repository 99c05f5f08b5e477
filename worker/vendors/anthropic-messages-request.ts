// Anthropic's messages as the vendor bills them. Source: Anthropic's API reference and the types of its SDK, 1.13.
import * as z from 'zod'
import { isObject, type JsonObject } from '../json.ts'
import { blocksOf, cacheControl, cacheWriteOf, citingTokens, imagesOf, message, system } from './anthropic-content.ts'
import { toolChoice, tools, toolTokens } from './anthropic-tools.ts'
import { fieldReader, limitWithin, refusal, vendorBody } from './field-list.ts'
import type { FieldList, VendorAsked, VendorRequest } from './vendor-request.ts'

const effort = z.string().nullish()
const jsonSchema = z.strictObject({ type: z.literal('json_schema'), schema: z.looseObject({}) }).nullish()
const display = z.string().nullish()
const binding = z.looseObject({}).nullish()

const shared = {
  model: z.string().min(1, 'name a model.'),
  messages: z.array(message).min(1, 'must hold at least one message.'),
  system: system.nullish(),
  tools,
  tool_choice: toolChoice,
  thinking: z
    .discriminatedUnion(
      'type',
      [
        z.strictObject({ type: z.literal('enabled'), budget_tokens: z.int().min(1), display, block_binding: binding }),
        z.strictObject({ type: z.literal('adaptive'), display, block_binding: binding }),
        z.strictObject({ type: z.enum(['disabled', 'between_tools']) }),
      ],
      { error: 'must be "enabled", "adaptive", "between_tools" or "disabled".' },
    )
    .nullish(),
  output_config: z
    .strictObject({
      effort,
      format: jsonSchema,
      task_budget: z.strictObject({ type: z.literal('tokens'), total: z.int().min(0), remaining: z.int().min(0).nullish() }).nullish(),
    })
    .nullish(),
}

/** Read here, but not by the counting of tokens. */
const ofMessages = {
  max_tokens: z.int('must be a whole number, 0 or more.').min(0, 'must be a whole number, 0 or more.'),
  stream: z.boolean().nullish(),
  temperature: z.number().nullish(),
  top_p: z.number().nullish(),
  top_k: z.int().nullish(),
  stop_sequences: z.array(z.string()).nullish(),
  metadata: z.strictObject({ user_id: z.string().nullish() }).nullish(),
  output_format: jsonSchema,
  cache_control: cacheControl,
}

const OTHER_ACCOUNT = "who is billed is not the caller's to say: leave it out."
const refused = {
  inference_geo: 'regions have prices of their own, which are not offered: leave it out.',
  fallbacks: 'other models have other prices: leave it out, and ask the other model yourself.',
  fallback_credit_token: 'other models have other prices: leave it out.',
  compaction: 'it is billed beside the answer and is not offered: shorten the conversation yourself.',
  mcp_servers: "they run on the vendor's side and cannot be bounded: use tools of your own.",
  container: "it is billed beside the tokens, and may be another customer's: leave it out.",
  thread: "what the vendor keeps cannot be counted and may be another customer's: send the whole conversation in messages.",
  billing_policy: OTHER_ACCOUNT,
  user_profile_id: OTHER_ACCOUNT,
  workspace_id: OTHER_ACCOUNT,
}

/** Keeping all thinking is to leave everything as it is, which is what Claude Code asks for. */
const keepsAll = z.strictObject({
  type: z.literal('clear_thinking_20251015'),
  keep: z.union([z.literal('all'), z.strictObject({ type: z.literal('all') })]),
})
const taken = {
  service_tier: z.enum(['auto', 'standard_only'], 'only the standard tier is offered here: leave it out.').nullish(),
  speed: z.literal('standard', 'fast mode has prices of its own, which are not offered: leave it out.').nullish(),
  context_management: z
    .strictObject({ edits: z.array(z.unknown()).nullish() })
    .refine(
      ({ edits }) => (edits ?? []).every((edit) => keepsAll.safeParse(edit).success),
      'what the vendor makes of the conversation cannot be bounded: leave it out, or keep all ("clear_thinking_20251015" with keep "all").',
    )
    .nullish(),
  // It only explains, and names an earlier answer, which may be another customer's.
  diagnostics: z.looseObject({}).nullish(),
}

const fields = { passed: { ...shared, ...ofMessages }, pinned: { service_tier: 'standard_only' }, refused, taken } satisfies FieldList
const readFields = fieldReader(fields)

const countFields = {
  passed: shared,
  pinned: {},
  refused,
  taken: { ...taken, ...ofMessages, max_tokens: ofMessages.max_tokens.nullish() },
} satisfies FieldList
const readCountFields = fieldReader(countFields)

type Shared = z.output<z.ZodObject<typeof shared>>

/** What the two requests have in common. */
function sizesOf(asked: Shared): Pick<VendorAsked, 'model' | 'usageAsked' | 'answers' | 'media' | 'marginTokens'> {
  const blocks = blocksOf(asked.messages)
  return {
    model: asked.model,
    usageAsked: true,
    answers: 1,
    media: imagesOf(blocks),
    marginTokens: toolTokens(asked.tools) + citingTokens(blocks),
  }
}

/** The vendor refuses a budget for thinking that is not below the limit, so it is lowered with it. */
function thinkingWithin(thinking: unknown, limit: number): JsonObject {
  if (!isObject(thinking) || typeof thinking.budget_tokens !== 'number' || thinking.budget_tokens < limit) return {}
  return { thinking: { ...thinking, budget_tokens: limit - 1 } }
}

/** A budget for thinking has 1,024 tokens at least and lies within the limit; as many are left for the answer. */
const THINKING_OUTPUT_LEAST = 2048

export const anthropicMessagesRequest: VendorRequest = {
  fields,

  read(body) {
    const asked = readFields(body)
    if (asked.thinking?.type === 'enabled' && asked.thinking.budget_tokens >= asked.max_tokens) {
      throw refusal(['thinking', 'budget_tokens'], 'must be less than max_tokens, for it lies within it.')
    }
    const marked = [...(Array.isArray(asked.system) ? asked.system : []), ...(asked.tools ?? []), ...blocksOf(asked.messages), asked]
    return {
      ...sizesOf(asked),
      stream: asked.stream ?? false,
      outputAsked: asked.max_tokens,
      ...(asked.thinking?.type === 'enabled' ? { outputLeast: THINKING_OUTPUT_LEAST } : {}),
      cacheWrite: cacheWriteOf(marked.map((each) => ('cache_control' in each ? each.cache_control : null))),
    }
  },

  forward(body, decided) {
    const limit = limitWithin(body.max_tokens, decided.outputLimit)
    return vendorBody(fields, body, { model: decided.model, max_tokens: limit, ...thinkingWithin(body.thinking, limit) })
  },
}

/** The same request, to be counted: nothing is written for it, and nothing is billed. */
export const anthropicCountTokensRequest: VendorRequest = {
  fields: countFields,
  read: (body) => ({ ...sizesOf(readCountFields(body)), stream: false, outputAsked: 0, cacheWrite: 'none' }),
  forward: (body, decided) => vendorBody(countFields, body, { model: decided.model }),
}

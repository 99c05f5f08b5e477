// OpenAI's responses as the vendor bills them. Source: OpenAI's API reference and the types of its SDK, 7.57.
import * as z from 'zod'
import { fieldReader, limitWithin, refusal, vendorBody } from './field-list.ts'
import {
  cacheOptions,
  cacheRetention,
  cacheWriteOf,
  count,
  defaultTier,
  flag,
  jsonObject,
  metadata,
  model,
  moderation,
  number,
  text,
} from './openai-content.ts'
import { imagesOf, inputItem } from './openai-items.ts'
import { isWebSearch, reasoning, responsesToolChoice, responsesTools, SERVER_SIDE } from './openai-tools.ts'
import type { FieldList, VendorRequest } from './vendor-request.ts'

/** The vendor refuses less. */
const OUTPUT_MIN = 16
const KEPT_STATE =
  "what the vendor keeps cannot be counted and may be another customer's: send the whole conversation in input (SDKs do with store: false)."

const passed = {
  model,
  input: z.union([z.string().min(1), z.array(inputItem).min(1)], 'must be a text or a list of items, and not be empty.'),
  instructions: text,
  stream: flag,
  stream_options: z.strictObject({ include_obfuscation: flag }).nullish(),
  max_output_tokens: z.int().min(OUTPUT_MIN).nullish(),
  temperature: number,
  top_p: number,
  top_logprobs: count.nullish(),
  tools: responsesTools,
  tool_choice: responsesToolChoice,
  parallel_tool_calls: flag,
  max_tool_calls: count.nullish(),
  text: z
    .strictObject({ format: z.looseObject({ type: z.enum(['text', 'json_object', 'json_schema']) }).nullish(), verbosity: text })
    .nullish(),
  reasoning,
  include: z
    .array(
      z.enum(
        ['reasoning.encrypted_content', 'message.output_text.logprobs'],
        'must be "reasoning.encrypted_content" or "message.output_text.logprobs": leave the others out.',
      ),
    )
    .nullish(),
  truncation: z.enum(['auto', 'disabled']).nullish(),
  metadata,
  user: text,
  safety_identifier: text,
  prompt_cache_key: text,
  prompt_cache_options: cacheOptions.nullish(),
  prompt_cache_retention: cacheRetention,
  moderation,
}

const fields = {
  passed,
  pinned: { store: false, service_tier: 'default' },
  refused: {
    background: 'what runs in the background is billed out of sight: leave it out, and stream instead.',
    previous_response_id: KEPT_STATE,
    conversation: KEPT_STATE,
    prompt: 'what a kept prompt holds cannot be counted: send its text in instructions and input.',
    context_management: 'compaction is billed beside the answer and is not offered: shorten the conversation yourself.',
    multi_agent: 'what other agents read and write cannot be bounded: leave it out.',
    image: 'what it makes of images cannot be bounded: set the detail of each image.',
    access_programs: "programs are the operator's account's: leave it out.",
  },
  taken: {
    service_tier: defaultTier,
    // Codex tells here what it is; the vendor needs it not.
    client_metadata: jsonObject.nullish(),
  },
} satisfies FieldList
const readFields = fieldReader(fields)

export const openaiResponsesRequest: VendorRequest = {
  fields,

  read(body) {
    const asked = readFields(body)
    if (asked.tools != null && asked.tools.length > 0 && asked.tools.every(isWebSearch)) throw refusal(['tools', 0, 'type'], SERVER_SIDE)
    const items = typeof asked.input === 'string' ? [] : asked.input
    return {
      model: asked.model,
      stream: asked.stream ?? false,
      usageAsked: true,
      outputAsked: asked.max_output_tokens ?? null,
      answers: 1,
      media: items.flatMap(imagesOf),
      marginTokens: 0,
      cacheWrite: cacheWriteOf(asked.prompt_cache_options, items),
    }
  },

  forward(body, decided) {
    const put = { model: decided.model, max_output_tokens: limitWithin(body.max_output_tokens, decided.outputLimit) }
    const tools = Array.isArray(body.tools) ? { tools: body.tools.filter((tool) => !isWebSearch(tool)) } : {}
    return vendorBody(fields, body, { ...put, ...tools }, body.stream === true ? [] : ['stream_options'])
  },
}

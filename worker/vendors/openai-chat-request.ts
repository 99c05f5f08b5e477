// OpenAI's chat completions as the vendor bills them. Source: OpenAI's API reference and the types of its SDK, 7.57.
import * as z from 'zod'
import { isObject, type JsonObject } from '../json.ts'
import { fieldReader, limitWithin, refusal, typeError, vendorBody } from './field-list.ts'
import {
  cacheBreakpoint,
  cacheOptions,
  cacheRetention,
  cacheWriteOf,
  checkAnswers,
  count,
  defaultTier,
  detail,
  effort,
  flag,
  imageOf,
  inlineImage,
  jsonObject,
  logitBias,
  metadata,
  model,
  moderation,
  number,
  stop,
  text,
} from './openai-content.ts'
import { chatToolChoice, chatTools } from './openai-tools.ts'
import { ANSWERS_MAX, type FieldList, type VendorRequest } from './vendor-request.ts'

const NO_AUDIO = 'audio has prices of its own, which are not offered: use text.'

const part = z.discriminatedUnion(
  'type',
  [
    z.strictObject({ type: z.literal('text'), text: z.string(), prompt_cache_breakpoint: cacheBreakpoint }),
    z.strictObject({ type: z.literal('refusal'), refusal: z.string() }),
    z.strictObject({
      type: z.literal('image_url'),
      image_url: z.strictObject({ url: inlineImage, detail }),
      prompt_cache_breakpoint: cacheBreakpoint,
    }),
  ],
  {
    error: typeError('a part of type "text", "refusal" or "image_url"', {
      input_audio: NO_AUDIO,
      file: 'what a file holds cannot be bounded: send its text.',
    }),
  },
)

/** Which field goes with which role, the vendor says. */
const message = z.strictObject({
  role: z.enum(['developer', 'system', 'user', 'assistant', 'tool', 'function']),
  content: z.union([z.string(), z.array(part)], 'must be a text or a list of parts.').nullish(),
  name: text,
  refusal: text,
  tool_calls: z.array(z.looseObject({ type: z.enum(['function', 'custom']) })).nullish(),
  tool_call_id: text,
  function_call: jsonObject.nullish(),
  annotations: z.array(jsonObject).nullish(),
  audio: z.null(NO_AUDIO).optional(),
})

export const usageOptions = z.strictObject({ include_usage: flag, include_obfuscation: flag }).nullish()

const passed = {
  model,
  messages: z.array(message).min(1, 'must hold at least one message.'),
  stream: flag,
  stream_options: usageOptions,
  max_tokens: z.int().min(1, 'must be 1 or more: leave it out for the default.').nullish(),
  max_completion_tokens: z.int().min(1, 'must be 1 or more: leave it out for the default.').nullish(),
  temperature: number,
  top_p: number,
  frequency_penalty: number,
  presence_penalty: number,
  seed: z.int().nullish(),
  stop,
  logprobs: flag,
  top_logprobs: count.nullish(),
  logit_bias: logitBias,
  n: z.int().min(1).nullish(),
  user: text,
  metadata,
  response_format: z
    .discriminatedUnion('type', [
      z.strictObject({ type: z.literal('text') }),
      z.strictObject({ type: z.literal('json_object') }),
      z.strictObject({ type: z.literal('json_schema'), json_schema: jsonObject }),
    ])
    .nullish(),
  tools: chatTools,
  tool_choice: chatToolChoice,
  parallel_tool_calls: flag,
  reasoning_effort: effort,
  verbosity: text,
  safety_identifier: text,
  prompt_cache_key: text,
  prompt_cache_options: cacheOptions.nullish(),
  prompt_cache_retention: cacheRetention,
  modalities: z.array(z.literal('text', NO_AUDIO)).nullish(),
  functions: z.array(z.strictObject({ name: z.string(), description: text, parameters: jsonObject.nullish() })).nullish(),
  function_call: z.union([z.enum(['none', 'auto']), z.strictObject({ name: z.string() })], 'must be "none", "auto" or name one.').nullish(),
  moderation,
}

const fields = {
  passed,
  pinned: { store: false, service_tier: 'default' },
  refused: {
    prediction: 'predicted tokens that are rejected are billed beyond the limit: leave it out.',
    audio: NO_AUDIO,
  },
  taken: {
    service_tier: defaultTier,
    // An empty object asks for a search, too.
    web_search_options: z.null('each search is billed beside the tokens and is not offered: leave it out.').optional(),
  },
} satisfies FieldList
const readFields = fieldReader(fields)

/** What a stream is asked for: the usage in any case, for it is what is billed. */
export function streamOptionsFor(body: JsonObject): JsonObject {
  return body.stream === true
    ? { stream_options: { ...(isObject(body.stream_options) ? body.stream_options : {}), include_usage: true } }
    : {}
}

export const openaiChatRequest: VendorRequest = {
  fields,

  read(body) {
    const asked = readFields(body)
    const { max_tokens: tokens, max_completion_tokens: completionTokens } = asked
    if (tokens != null && completionTokens != null && tokens !== completionTokens) {
      throw refusal(['max_tokens'], 'it and max_completion_tokens differ: send one of them.')
    }
    const parts = asked.messages.flatMap((each) => (Array.isArray(each.content) ? each.content : []))
    return {
      model: asked.model,
      stream: asked.stream ?? false,
      usageAsked: asked.stream_options?.include_usage === true,
      outputAsked: tokens ?? completionTokens ?? null,
      answers: checkAnswers(asked.n ?? 1, ANSWERS_MAX, 'n'),
      media: parts.flatMap((each) => (each.type === 'image_url' ? [imageOf(each.image_url.url, each.image_url.detail)] : [])),
      marginTokens: 0,
      cacheWrite: cacheWriteOf(asked.prompt_cache_options, asked.messages),
    }
  },

  forward(body, decided) {
    const limit = limitWithin(body.max_tokens ?? body.max_completion_tokens, decided.outputLimit)
    const put = { model: decided.model, ...streamOptionsFor(body), [decided.limitField]: limit }
    return vendorBody(fields, body, put, ['max_tokens', 'max_completion_tokens', 'stream_options'])
  },
}

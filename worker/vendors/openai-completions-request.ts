// OpenAI's old completions as the vendor bills them: every prompt of a list has its own answers.
import * as z from 'zod'
import { fieldReader, limitWithin, refusal, vendorBody } from './field-list.ts'
import { streamOptionsFor, usageOptions } from './openai-chat-request.ts'
import { checkAnswers, count, flag, logitBias, model, number, stop, text } from './openai-content.ts'
import { ANSWERS_MAX, type FieldList, type VendorRequest } from './vendor-request.ts'

/** The vendor's own, where nothing was said. */
const OUTPUT_DEFAULT = 16
const NOT_HERE = 'the old completions have none: leave it out.'

const tokens = z.array(z.int().min(0)).min(1)
/** A text, a list of texts, the tokens of one text, or a list of those. */
export const textsOrTokens = z.union(
  [z.string(), z.array(z.string()).min(1), tokens, z.array(tokens).min(1)],
  'must be a text, a list of texts, or lists of tokens, and not be empty.',
)

/** How many texts there are. */
export function textsIn(value: z.output<typeof textsOrTokens>): number {
  return typeof value === 'string' || typeof value[0] === 'number' ? 1 : value.length
}

const passed = {
  model,
  prompt: textsOrTokens,
  stream: flag,
  stream_options: usageOptions,
  max_tokens: count.nullish(),
  n: z.int().min(1).nullish(),
  best_of: z.int().min(1).nullish(),
  echo: flag,
  logprobs: count.nullish(),
  suffix: text,
  temperature: number,
  top_p: number,
  frequency_penalty: number,
  presence_penalty: number,
  seed: z.int().nullish(),
  stop,
  logit_bias: logitBias,
  user: text,
}

const fields = {
  passed,
  pinned: {},
  refused: {
    store: NOT_HERE,
    service_tier: NOT_HERE,
    tools: NOT_HERE,
    max_completion_tokens: 'the old completions have max_tokens: send that.',
  },
} satisfies FieldList
const readFields = fieldReader(fields)

export const openaiCompletionsRequest: VendorRequest = {
  fields,

  read(body) {
    const asked = readFields(body)
    const bestOf = asked.best_of ?? 1
    if (bestOf > 1 && asked.stream === true) throw refusal(['best_of'], 'the best of several cannot be streamed: leave out one of the two.')
    const each = Math.max(asked.n ?? 1, bestOf)
    const widest = each === 1 ? 'prompt' : bestOf > (asked.n ?? 1) ? 'best_of' : 'n'
    return {
      model: asked.model,
      stream: asked.stream ?? false,
      usageAsked: asked.stream_options?.include_usage === true,
      outputAsked: asked.max_tokens ?? OUTPUT_DEFAULT,
      answers: checkAnswers(each * textsIn(asked.prompt), ANSWERS_MAX, widest),
      media: [],
      marginTokens: 0,
      cacheWrite: 'none',
    }
  },

  forward(body, decided) {
    const limit = limitWithin(body.max_tokens, decided.outputLimit)
    return vendorBody(fields, body, { model: decided.model, ...streamOptionsFor(body), max_tokens: limit }, ['stream_options'])
  },
}

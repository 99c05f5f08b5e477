// OpenAI's old completions, /v1/completions.
import * as z from 'zod'
import { isObject } from '../json.ts'
import { type Dialect, flag, OWNERS_FIELDS, positive, readAs, without } from './dialect.ts'
import { choicesOf, dropUsage, observeError, observeUsage, stop, streamOptions } from './openai-chat.ts'

const request = z.looseObject({
  model: z.string().min(1, 'name a model'),
  prompt: z.string('must be a text').min(1, 'must not be empty'),
  stream: flag,
  stream_options: streamOptions,
  max_tokens: positive.nullish(),
  temperature: z.number().nullish(),
  top_p: z.number().nullish(),
  seed: z.int().nullish(),
  stop,
  suffix: z.string().nullish(),
  frequency_penalty: z.number().nullish(),
  presence_penalty: z.number().nullish(),
})

export const openaiCompletions: Dialect = {
  name: 'openai-completions',
  path: '/v1/completions',
  family: 'openai',
  framing: 'sse',
  keys: [
    ...[
      'model',
      'prompt',
      'frequency_penalty',
      'max_tokens',
      'presence_penalty',
      'seed',
      'stop',
      'stream',
      'stream_options',
      'temperature',
    ],
    ...['top_p', 'suffix', 'logprobs', ...OWNERS_FIELDS],
  ],
  schema: request,

  read(body) {
    const asked = readAs(request, body)
    return {
      model: asked.model,
      stream: asked.stream ?? false,
      outputAsked: asked.max_tokens ?? null,
      runs: 1,
      images: [],
      usageAsked: asked.stream_options?.include_usage === true,
    }
  },

  forward: (body, model, outputLimit) => ({
    ...without(body, OWNERS_FIELDS),
    model,
    stream: true,
    stream_options: { include_usage: true },
    max_tokens: outputLimit,
  }),

  observe(frame, seen) {
    if (frame === '[DONE]') {
      seen.terminated = true
      return
    }
    observeError(frame, seen)
    for (const choice of choicesOf(frame)) seen.text(choice.text)
    observeUsage(frame, seen)
  },

  withoutUsage: dropUsage,

  aggregate(frames) {
    const objects = frames.filter(isObject)
    const first = objects.find((frame) => choicesOf(frame).length > 0) ?? {}
    const choices = objects.flatMap(choicesOf)
    return {
      ...without(first, ['choices', 'usage']),
      choices: [
        {
          text: choices.map((choice) => (typeof choice.text === 'string' ? choice.text : '')).join(''),
          index: 0,
          finish_reason: choices.findLast((choice) => choice.finish_reason != null)?.finish_reason ?? null,
        },
      ],
      usage: objects.findLast((frame) => isObject(frame.usage))?.usage,
    }
  },
}

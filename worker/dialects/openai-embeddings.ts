// OpenAI's embeddings, /v1/embeddings.
import * as z from 'zod'
import { askedToEmbed, type Dialect, OWNERS_FIELDS, readAs, without } from './dialect.ts'
import { observeUsage } from './openai-chat.ts'

const request = z.looseObject({
  model: z.string().min(1, 'name a model'),
  input: z.union([z.string(), z.array(z.string())], 'must be a text or a list of texts'),
  encoding_format: z.enum(['float', 'base64']).nullish(),
  dimensions: z.int().min(1).nullish(),
})

export const openaiEmbeddings: Dialect = {
  name: 'openai-embeddings',
  path: '/v1/embeddings',
  family: 'openai',
  framing: null,
  keys: ['model', 'input', 'dimensions', 'encoding_format', ...OWNERS_FIELDS],
  schema: request,
  read(body) {
    const { model, input } = readAs(request, body)
    return askedToEmbed(model, input)
  },
  forward: (body, model) => ({ ...without(body, OWNERS_FIELDS), model }),
  observe(frame, seen) {
    if (frame === '[DONE]') return
    seen.terminated = Array.isArray(frame.data)
    observeUsage(frame, seen)
    seen.counts({ output: 0 })
  },
}

// OpenAI's embeddings as the vendor bills them: input alone, and an answer whose size the request decides.
import * as z from 'zod'
import { fieldReader, refusal, vendorBody } from './field-list.ts'
import { textsIn, textsOrTokens } from './openai-completions-request.ts'
import { model, text } from './openai-content.ts'
import type { FieldList, VendorRequest } from './vendor-request.ts'

/** An answer is held whole, and an isolate has 128 MB for all that it does at once. */
const ANSWER_BYTES_MAX = 12 * 1024 * 1024
/** The most that a model of OpenAI's gives where nothing was said. */
const DIMENSIONS_DEFAULT = 3072
/** Of a number in JSON, with its comma, as OpenAI writes it; of four bytes in base64. */
const NUMBER_BYTES = { float: 24, base64: 6 } as const

const passed = {
  model,
  input: textsOrTokens,
  encoding_format: z.enum(['float', 'base64']).nullish(),
  dimensions: z.int().min(1).nullish(),
  user: text,
}

const fields = { passed, pinned: {}, refused: { stream: 'embeddings come whole: leave it out.' } } satisfies FieldList
const readFields = fieldReader(fields)

export const openaiEmbeddingsRequest: VendorRequest = {
  fields,

  read(body) {
    const asked = readFields(body)
    const format = asked.encoding_format ?? 'float'
    const dimensions = asked.dimensions ?? DIMENSIONS_DEFAULT
    checkSize(textsIn(asked.input), dimensions, format)
    return {
      model: asked.model,
      stream: false,
      usageAsked: true,
      outputAsked: 0,
      answers: 1,
      media: [],
      marginTokens: 0,
      cacheWrite: 'none',
    }
  },

  forward: (body, decided) => vendorBody(fields, body, { model: decided.model }),
}

function checkSize(texts: number, dimensions: number, format: keyof typeof NUMBER_BYTES): void {
  const fit = (bytes: number) => Math.floor(ANSWER_BYTES_MAX / (dimensions * bytes))
  const fitting = fit(NUMBER_BYTES[format])
  if (texts <= fitting) return
  const as64 = format === 'base64' ? '' : `, or ${fit(NUMBER_BYTES.base64)} with encoding_format "base64"`
  throw refusal(
    ['input'],
    `the answer would be too large: of ${dimensions} dimensions each, ${fitting} texts fit in a request${as64}. Send fewer, or smaller dimensions.`,
  )
}

// Embeddings: the recorded vectors, as many and as long as the call asks for.
import { asked, type Call } from './call.ts'
import { type Answer, mapText, recorded, recordedText } from './captures.ts'
import { editFrames } from './frames.ts'

interface Native {
  embeddings: number[][]
  prompt_eval_count?: number
}
interface OpenAi {
  data: { object: string; embedding: number[] | string; index: number }[]
  usage: { prompt_tokens: number; total_tokens: number }
}

/** The answer of the three embedding routes. Every input counts as many tokens as the one that was recorded. */
export function embedding(call: Call): Answer {
  if (call.path === '/api/embeddings') return recorded('api-embeddings')
  const { input, dimensions, encoding_format: encoding } = asked(call)
  const inputs = Array.isArray(input) ? input : [input]
  if (inputs.some((one) => typeof one === 'number')) return recorded('error.embed.input-tokens')
  const size = typeof dimensions === 'number' && dimensions > 0 ? dimensions : wholeVector().length
  return call.path === '/api/embed' ? native(inputs, size) : openAi(inputs, size, encoding === 'base64')
}

function native(inputs: unknown[], size: number): Answer {
  if (inputs.length === 0) return recorded('api-embed.empty')
  if (inputs.length === 1 && inputs[0] === '') return recorded('api-embed.empty-string')
  const many = JSON.parse(recordedText('api-embed.many')) as Native
  if (size === many.embeddings[0]?.length && inputs.length === many.embeddings.length) return recorded('api-embed.many')
  const one = recorded('api-embed.one')
  if (size === many.embeddings[0]?.length && inputs.length === 1) return one
  return mapText(one, (text) =>
    editFrames<Native>(text, (body) => ({
      ...body,
      embeddings: inputs.map((_, index) => vector(index, size)),
      prompt_eval_count: (body.prompt_eval_count ?? 0) * inputs.length,
    })),
  )
}

function openAi(inputs: unknown[], size: number, base64: boolean): Answer {
  const one = recorded('v1-embeddings.one')
  const recordedSize = (JSON.parse(recordedText('v1-embeddings.one')) as OpenAi).data[0]?.embedding.length
  if (size === recordedSize && inputs.length === 1 && !base64) return one
  if (size === recordedSize && inputs.length === 2 && base64) return recorded('v1-embeddings.many-base64')
  return mapText(one, (text) =>
    editFrames<OpenAi>(text, (body) => ({
      ...body,
      data: inputs.map((_, index) => ({ object: 'embedding', embedding: coded(vector(index, size), base64), index })),
      usage: { prompt_tokens: body.usage.prompt_tokens * inputs.length, total_tokens: body.usage.total_tokens * inputs.length },
    })),
  )
}

function wholeVector(): number[] {
  return (JSON.parse(recordedText('api-embeddings')) as { embedding: number[] }).embedding
}

/** The recorded vector begun at another place for each input, so that no two inputs are equal. */
function vector(index: number, size: number): number[] {
  const whole = wholeVector()
  return Array.from({ length: size }, (_, at) => whole[(at + index * 7) % whole.length] ?? 0)
}

function coded(numbers: number[], base64: boolean): number[] | string {
  return base64 ? Buffer.from(new Float32Array(numbers).buffer).toString('base64') : numbers
}

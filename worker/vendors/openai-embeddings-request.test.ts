// What of a request for embeddings reaches OpenAI, and how large its answer may be.
import { expect, test } from 'vitest'
import { DECIDED, type Row, refusalOf, testFields } from '../testing/field-rows.ts'
import { openaiEmbeddingsRequest } from './openai-embeddings-request.ts'

const base = { model: 'text-embedding-3-large', input: 'sea' }

const ROWS: Row[] = [
  ['model', 'text-embedding-3-large', 'decided'],
  ['input', 'sea', 'passes'],
  ['input', ['sea', 'sand'], 'passes'],
  ['input', [[1, 2], [3]], 'passes'],
  ['input', [], 'refused', 'must be a text, a list of texts'],
  ['encoding_format', 'base64', 'passes'],
  ['encoding_format', 'ubinary', 'refused', 'must be one of "float", "base64"'],
  ['dimensions', 256, 'passes'],
  ['dimensions', 0, 'refused', 'at least 1'],
  ['user', 'u1', 'passes'],
  ['stream', true, 'refused', 'come whole'],
]
testFields('embeddings', openaiEmbeddingsRequest, base, ROWS)

const texts = (count: number) => Array.from({ length: count }, () => 'a')

// 12 MiB = 12,582,912 bytes.
test.for([
  // 12,582,912 ÷ (3,072 × 24) = 170.6
  [{}, 170],
  // 12,582,912 ÷ (3,072 × 6) = 682.6
  [{ encoding_format: 'base64' }, 682],
  // 12,582,912 ÷ (256 × 24) = 2,048
  [{ dimensions: 256 }, 2048],
] as const)('with %j, %i texts fit into one answer', ([more, fitting]) => {
  expect(openaiEmbeddingsRequest.read({ ...base, ...more, input: texts(fitting) }).answers).toBe(1)
  const refused = refusalOf(openaiEmbeddingsRequest, { ...base, ...more, input: texts(fitting + 1) })
  expect(refused.param).toBe('input')
  expect(refused.message).toContain(`${fitting} texts fit`)
})

test('the refusal tells how many more fit in base64', () => {
  expect(refusalOf(openaiEmbeddingsRequest, { ...base, input: texts(171) }).message).toContain('or 682 with encoding_format "base64"')
})

test('there is no output, and nothing is written to the cache', () => {
  expect(openaiEmbeddingsRequest.read(base)).toEqual({
    model: 'text-embedding-3-large',
    stream: false,
    usageAsked: true,
    outputAsked: 0,
    answers: 1,
    media: [],
    marginTokens: 0,
    cacheWrite: 'none',
  })
  expect(openaiEmbeddingsRequest.forward({ ...base, dimensions: 8 }, { ...DECIDED, outputLimit: 0 })).toEqual({
    model: 'gpt-6-2026',
    input: 'sea',
    dimensions: 8,
  })
})

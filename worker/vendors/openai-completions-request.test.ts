// What of an old completion reaches OpenAI, and how many answers it is billed for.
import { expect, test } from 'vitest'
import { DECIDED, type Row, refusalOf, testFields } from '../testing/field-rows.ts'
import { openaiCompletionsRequest } from './openai-completions-request.ts'

const base = { model: 'gpt-3.5-turbo-instruct', prompt: 'Once' }

const ROWS: Row[] = [
  ['model', 'gpt-3.5-turbo-instruct', 'decided'],
  ['prompt', 'Once', 'passes'],
  ['prompt', ['Once', 'Twice'], 'passes'],
  ['prompt', [1, 2, 3], 'passes'],
  ['prompt', [[1, 2], [3]], 'passes'],
  ['prompt', [], 'refused', 'must be a text, a list of texts, or lists of tokens'],
  ['prompt', null, 'refused', 'must be a text, a list of texts'],
  ['prompt', ['Once', [1]], 'refused', 'must be'],
  ['stream', true, 'passes'],
  ['stream_options', { include_usage: false }, 'left out'],
  ['max_tokens', 7, 'decided'],
  ['max_tokens', 0, 'decided'],
  ['max_tokens', -1, 'refused', 'must be a whole number, 0 or more'],
  ['n', 2, 'passes'],
  ['n', 101, 'refused', '101 answers'],
  ['best_of', 3, 'passes'],
  ['best_of', 101, 'refused', '101 answers'],
  ['echo', true, 'passes'],
  ['logprobs', 5, 'passes'],
  ['suffix', 'end', 'passes'],
  ['temperature', 0, 'passes'],
  ['top_p', 1, 'passes'],
  ['frequency_penalty', 0.5, 'passes'],
  ['presence_penalty', 0.5, 'passes'],
  ['seed', 1, 'passes'],
  ['stop', '\n', 'passes'],
  ['logit_bias', { '1': 2 }, 'passes'],
  ['user', 'u1', 'passes'],
  ['store', true, 'refused', 'have none'],
  ['service_tier', 'default', 'refused', 'have none'],
  ['tools', [{ type: 'function' }], 'refused', 'have none'],
  ['max_completion_tokens', 4, 'refused', 'send that'],
]
testFields('completions', openaiCompletionsRequest, base, ROWS)

test.for([
  [{}, 1],
  [{ n: 3 }, 3],
  [{ n: 2, best_of: 5 }, 5],
  // 2 prompts × the best of 5 = 10 answers.
  [{ prompt: ['a', 'b'], best_of: 5, n: 2 }, 10],
  [{ prompt: [1, 2, 3] }, 1],
  [{ prompt: [[1], [2], [3]], n: 2 }, 6],
] as const)('%j is billed for %i answers', ([more, answers]) => {
  expect(openaiCompletionsRequest.read({ ...base, ...more }).answers).toBe(answers)
})

test('prompts times answers beyond what one request may have are refused', () => {
  const prompt = Array.from({ length: 51 }, () => 'a')
  expect(refusalOf(openaiCompletionsRequest, { ...base, prompt, n: 2 })).toMatchObject({
    param: 'n',
    message: expect.stringContaining('asks for 102 answers, and at most 100'),
  })
  expect(refusalOf(openaiCompletionsRequest, { ...base, prompt: [...prompt, ...prompt] })).toMatchObject({ param: 'prompt' })
})

test('the best of several cannot be streamed', () => {
  expect(refusalOf(openaiCompletionsRequest, { ...base, best_of: 2, stream: true }).param).toBe('best_of')
  expect(openaiCompletionsRequest.read({ ...base, best_of: 1, stream: true }).stream).toBe(true)
})

test('what was not said is what the vendor would take: 16 tokens, and nothing is written to the cache', () => {
  expect(openaiCompletionsRequest.read(base)).toEqual({
    model: 'gpt-3.5-turbo-instruct',
    stream: false,
    usageAsked: false,
    outputAsked: 16,
    answers: 1,
    media: [],
    marginTokens: 0,
    cacheWrite: 'none',
  })
})

test('the body for the vendor asks for the usage of a stream, and spells the limit as completions do', () => {
  expect(openaiCompletionsRequest.forward({ ...base, stream: true, max_tokens: 5000, echo: null }, DECIDED)).toEqual({
    model: 'gpt-6-2026',
    prompt: 'Once',
    stream: true,
    stream_options: { include_usage: true },
    max_tokens: 1000,
  })
})

// The bound of an answer's size, against every recorded stream; and which answers it lets pass natively.
import { expect, test } from 'vitest'
import { answerMostBytes, asksDense } from './answer-size.ts'
import { configOf } from './config.ts'
import { inputBound } from './input-bound.ts'
import { Seen } from './seen.ts'
import { bodyBytes, CAPTURES, dialectOf, framesOf, isStreamed, requestBody } from './testing/captures.ts'

test('no recorded stream is larger than its tokens allow', () => {
  let compared = 0
  for (const [name, capture] of CAPTURES) {
    const dialect = dialectOf(capture)
    if (dialect?.framing == null || !isStreamed(capture) || capture.chunks_left_out !== undefined) continue
    const seen = new Seen()
    for (const frame of framesOf(capture, dialect)) dialect.observe(frame, seen)
    if (seen.output === null) continue
    compared++
    const body = requestBody(capture)
    const inputBytes = inputBound(JSON.stringify(body), { images: [] }).bound
    const outputTokens = seen.output + seen.thinking
    expect([name, bodyBytes(capture).byteLength <= answerMostBytes(dialect.name, asksDense(body), { outputTokens, inputBytes })]).toEqual([
      name,
      true,
    ])
    // Nor is the bound only kept by what is allowed beside the tokens: a long answer has to stay below it, too.
    if (outputTokens >= 20 && !name.includes('logprobs'))
      expect([name, bodyBytes(capture).byteLength / outputTokens < 448]).toEqual([name, true])
  }
  expect(compared).toBeGreaterThan(30)
})

test('at the settings’ defaults an answer of 8,192 tokens is small enough, two runs of it are not', () => {
  const { streamBufferBytes } = configOf({})
  const most = (outputTokens: number) => answerMostBytes('ollama-chat', false, { outputTokens, inputBytes: 10_000_000 })
  expect(most(2048 * 2)).toBeLessThanOrEqual(streamBufferBytes)
  expect(most(8192)).toBeLessThanOrEqual(streamBufferBytes)
  expect(most(8192 * 2)).toBeGreaterThan(streamBufferBytes)
})

test('log probabilities make a token any size, and a request that is said again counts', () => {
  const bounds = { outputTokens: 10, inputBytes: 1000 }
  for (const body of [{ logprobs: true }, { logprobs: 5 }, { top_logprobs: 20 }, { include: ['message.output_text.logprobs'] }]) {
    expect(answerMostBytes('openai-chat', asksDense(body), bounds)).toBe(Number.POSITIVE_INFINITY)
  }
  expect(answerMostBytes('openai-chat', asksDense({ logprobs: false, top_logprobs: 0, include: [] }), bounds)).toBe(8192 + 10 * 448)
  expect(answerMostBytes('openai-responses', false, bounds)).toBe(8192 + 10 * 448 + 4 * 1000)
})

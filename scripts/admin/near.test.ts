import { expect, test } from 'vitest'
import { near } from './near.ts'

test('a mistyped name is answered with those that it may have been', () => {
  const names = ['gpt-6-sol', 'gpt-6-luna', 'gpt-6.1-sol', 'claude-haiku-5-5', 'o3']
  expect(near('gpt-6-sool', names)).toEqual(['gpt-6-sol', 'gpt-6.1-sol'])
  expect(near('haiku', names)).toEqual(['claude-haiku-5-5'])
  expect(near('GPT-6', names)).toEqual(['gpt-6-sol', 'gpt-6-luna', 'gpt-6.1-sol'])
  expect([near('', names), near('mistral-large', names)]).toEqual([[], []])
})

// The requests that customers make, each in the words of its dialect.
import type { Random } from '../simulate/random.ts'

export interface Ask {
  path: string
  body: Record<string, unknown>
}

export type Dialect = 'ollama' | 'openai' | 'anthropic'

const QUESTIONS = ['Why is the sky blue?', 'Name three rivers.', 'What is a ledger?', 'A long story, please.', 'Sum this up in a word.']

/** One that is answered: a chat mostly, whole or streamed, in the dialect's routes. */
export function drawAsk(random: Random, dialect: Dialect, model: string): Ask {
  const content = random.pick(QUESTIONS)
  const messages = [{ role: 'user', content }]
  const limit = random.pick([16, 64, 200])
  const stream = random.chance(70)
  if (dialect === 'anthropic') return { path: '/v1/messages', body: { model, messages, stream, max_tokens: limit } }
  if (dialect === 'ollama') {
    const options = { num_predict: limit }
    return random.chance(75)
      ? { path: '/api/chat', body: { model, messages, stream, options } }
      : { path: '/api/generate', body: { model, prompt: content, stream, options } }
  }
  return random.weighted<() => Ask>([
    [7, () => ({ path: '/v1/chat/completions', body: { model, messages, stream, max_tokens: limit } })],
    [1, () => ({ path: '/v1/completions', body: { model, prompt: content, stream, max_tokens: limit } })],
    [2, () => ({ path: '/v1/responses', body: { model, input: content, stream, max_output_tokens: limit } })],
  ])()
}

export function embedding(dialect: Dialect): Ask {
  const body = { model: 'embed-small', input: ['a text', 'and another'] }
  return dialect === 'openai' ? { path: '/v1/embeddings', body } : { path: '/api/embed', body }
}

/** A stream of some length, to leave or to lose. */
export function longChat(dialect: Dialect, model: string): Ask {
  const messages = [{ role: 'user', content: 'A long story, please.' }]
  if (dialect === 'ollama') return { path: '/api/chat', body: { model, messages, stream: true, options: { num_predict: 400 } } }
  const path = dialect === 'openai' ? '/v1/chat/completions' : '/v1/messages'
  return { path, body: { model, messages, stream: true, max_tokens: 400 } }
}

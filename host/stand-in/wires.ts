// The six shapes of an inference answer, one record of pure functions each: where its tokens are and how it closes.
import { anthropic } from './wire-anthropic.ts'
import { generate, nativeChat } from './wire-native.ts'
import { openAiChat, openAiCompletions } from './wire-openai.ts'
import { responses } from './wire-responses.ts'

/** What an answer says, in whole or in part. */
export interface Said {
  text: string
  thinking: string
  logprobs: unknown[]
}

/** How a changed answer ends. */
export interface Ending {
  outputTokens: number
  /** Only when the prompt count must change with it. */
  promptTokens?: number
  reason: 'stop' | 'length'
  /** All that was said up to here. */
  said: Said
  /** The last token's chunk; undefined when there was none. */
  last: string | undefined
}

export interface Wire {
  /** Does this chunk carry a token (text, thinking or a tool call), being neither opening nor closing? */
  isToken(chunk: string): boolean
  /** What stands right before the visible text within a token's chunk. */
  beforeText: string
  said(chunk: string): Said
  /** A closing chunk, rewritten for this ending. */
  close(chunk: string, ending: Ending): string
  /** The body of an answer that is not streamed, rewritten to say this. */
  whole(body: string, ending: Ending): string
}

const WIRES = {
  '/api/chat': nativeChat,
  '/api/generate': generate,
  '/v1/chat/completions': openAiChat,
  '/v1/completions': openAiCompletions,
  '/v1/messages': anthropic,
  '/v1/responses': responses,
} as const satisfies Record<string, Wire>

export type InferencePath = keyof typeof WIRES

export function isInference(path: string): path is InferencePath {
  return Object.hasOwn(WIRES, path)
}

export function wireOf(path: InferencePath): Wire {
  return WIRES[path]
}

/** Everything that these chunks say. */
export function saidBy(wire: Wire, chunks: string[]): Said {
  const all: Said = { text: '', thinking: '', logprobs: [] }
  for (const chunk of chunks) {
    const { text, thinking, logprobs } = wire.said(chunk)
    all.text += text
    all.thinking += thinking
    all.logprobs.push(...logprobs)
  }
  return all
}

/** The tokens that an answer says it read and wrote: the last counts in it; undefined where it gives none. */
export function countsIn(text: string): { promptTokens: number | undefined; outputTokens: number | undefined } {
  const last = (pattern: RegExp) => {
    const found = [...text.matchAll(pattern)].at(-1)?.[1]
    return found === undefined ? undefined : Number(found)
  }
  return {
    promptTokens: last(/"(?:prompt_eval_count|prompt_tokens|input_tokens)":(\d+)/g),
    outputTokens: last(/"(?:eval_count|completion_tokens|output_tokens)":(\d+)/g),
  }
}

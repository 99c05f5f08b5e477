// OpenAI's chat and text completions: the last chunk holds the finish reason, perhaps the usage, and `[DONE]`.
import { editFrames, readFrames } from './frames.ts'
import type { Ending, Said, Wire } from './wires.ts'

interface Choice {
  text?: string
  delta?: { content?: string | null; reasoning?: string }
  message?: { role: string; content: string; reasoning?: string }
  finish_reason: string | null
  logprobs?: { content: unknown[] } | null
}

interface OpenAiFrame {
  choices: Choice[]
  usage?: { prompt_tokens: number; completion_tokens: number; total_tokens: number }
}

const base = {
  isToken: (chunk: string) => chunk.includes('"finish_reason":null'),
  said(chunk: string): Said {
    const all: Said = { text: '', thinking: '', logprobs: [] }
    for (const { choices } of readFrames<OpenAiFrame>(chunk)) {
      all.text += choices[0]?.delta?.content ?? choices[0]?.text ?? ''
      all.thinking += choices[0]?.delta?.reasoning ?? ''
      all.logprobs.push(...(choices[0]?.logprobs?.content ?? []))
    }
    return all
  },
  close: (chunk: string, ending: Ending) => editFrames<OpenAiFrame>(chunk, (frame) => counted(finished(frame, ending), ending)),
}

export const openAiChat: Wire = {
  ...base,
  beforeText: '"content":"',
  whole: (body, ending) =>
    editFrames<OpenAiFrame>(body, (frame) => {
      const { text, thinking, logprobs } = ending.said
      const message = { role: 'assistant', content: text, ...(thinking === '' ? {} : { reasoning: thinking }) }
      const extra = logprobs.length === 0 ? {} : { logprobs: { content: logprobs } }
      const choices = frame.choices.map((choice) => ({ ...choice, message, ...extra }))
      return counted(finished({ ...frame, choices }, ending), ending)
    }),
}

export const openAiCompletions: Wire = {
  ...base,
  beforeText: '"text":"',
  whole: (body, ending) =>
    editFrames<OpenAiFrame>(body, (frame) => {
      const choices = frame.choices.map((choice) => ({ ...choice, text: ending.said.text }))
      return counted(finished({ ...frame, choices }, ending), ending)
    }),
}

/** The last chunk of a chat stream with the usage that `include_usage` asks for. */
export function withUsage(chunk: string, promptTokens: number, outputTokens: number): string {
  const [first] = readFrames<OpenAiFrame>(chunk)
  const usage = { prompt_tokens: promptTokens, completion_tokens: outputTokens, total_tokens: promptTokens + outputTokens }
  return chunk.replace('data: [DONE]', () => `data: ${JSON.stringify({ ...first, choices: [], usage })}\n\ndata: [DONE]`)
}

/** The last chunk of a chat stream without the usage that was not asked for. */
export function withoutUsage(chunk: string): string {
  return editFrames<OpenAiFrame>(chunk, (frame) => (frame.usage === undefined || frame.choices.length > 0 ? frame : null))
}

function finished(frame: OpenAiFrame, ending: Ending): OpenAiFrame {
  return { ...frame, choices: frame.choices.map((choice) => ({ ...choice, finish_reason: ending.reason })) }
}

/** Zero usage is left alone: /v1/completions puts it on every chunk but the one that counts. */
function counted(frame: OpenAiFrame, ending: Ending): OpenAiFrame {
  if (frame.usage === undefined || frame.usage.total_tokens === 0) return frame
  const prompt = ending.promptTokens ?? frame.usage.prompt_tokens
  const usage = { prompt_tokens: prompt, completion_tokens: ending.outputTokens, total_tokens: prompt + ending.outputTokens }
  return { ...frame, usage }
}

// Ollama's own shape: lines of JSON, the last of which has `done: true` and the counts.
import { editFrames, readFrames } from './frames.ts'
import type { Ending, Said, Wire } from './wires.ts'

interface NativeFrame {
  message?: { content: string; thinking?: string }
  response?: string
  thinking?: string
  logprobs?: unknown[]
  done?: boolean
  done_reason?: string
  context?: number[]
  total_duration?: number
  prompt_eval_count?: number
  eval_count?: number
  eval_duration?: number
}

const base = {
  isToken: (chunk: string) => chunk.includes('"done":false'),
  said(chunk: string): Said {
    const all: Said = { text: '', thinking: '', logprobs: [] }
    for (const frame of readFrames<NativeFrame>(chunk)) {
      all.text += frame.message?.content ?? frame.response ?? ''
      all.thinking += frame.message?.thinking ?? frame.thinking ?? ''
      all.logprobs.push(...(frame.logprobs ?? []))
    }
    return all
  },
  close: (chunk: string, ending: Ending) =>
    editFrames<NativeFrame>(chunk, (frame) => (frame.done === true ? counted(frame, ending) : frame)),
}

export const nativeChat: Wire = {
  ...base,
  beforeText: '"content":"',
  whole: (body, ending) =>
    editFrames<NativeFrame>(body, (frame) => {
      const { thinking: _, ...message } = frame.message ?? { content: '' }
      const { text, thinking } = ending.said
      const spoken = { ...message, content: text, ...(thinking === '' ? {} : { thinking }) }
      return withLogprobs(counted({ ...frame, message: spoken }, ending), ending)
    }),
}

export const generate: Wire = {
  ...base,
  beforeText: '"response":"',
  whole: (body, ending) =>
    editFrames<NativeFrame>(body, (frame) => withLogprobs(counted({ ...frame, response: ending.said.text }, ending), ending)),
}

function withLogprobs(frame: NativeFrame, ending: Ending): NativeFrame {
  return ending.said.logprobs.length === 0 ? frame : { ...frame, logprobs: ending.said.logprobs }
}

/** The final line with these counts; the durations shrink or grow with them, so that tokens per second stay as they were. */
function counted(frame: NativeFrame, ending: Ending): NativeFrame {
  const { eval_count: tokensBefore = 1, eval_duration: nsBefore = 0, total_duration: totalBefore = nsBefore } = frame
  const ns = Math.round((nsBefore * ending.outputTokens) / tokensBefore)
  const context = frame.context?.slice(0, Math.max(0, frame.context.length - tokensBefore + ending.outputTokens))
  return {
    ...frame,
    done_reason: ending.reason,
    ...(context === undefined ? {} : { context }),
    total_duration: totalBefore - nsBefore + ns,
    ...(ending.promptTokens === undefined ? {} : { prompt_eval_count: ending.promptTokens }),
    eval_count: ending.outputTokens,
    eval_duration: ns,
  }
}

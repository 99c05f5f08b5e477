// Anthropic's messages: blocks that open and close, then `message_delta` with the true counts, then `message_stop`.
import { editFrames, readFrames } from './frames.ts'
import type { Ending, Said, Wire } from './wires.ts'

interface AnthropicFrame {
  type: string
  index?: number
  delta?: { text?: string; thinking?: string; stop_reason?: string }
  content?: unknown[] | null
  stop_reason?: string
  usage?: { input_tokens: number; output_tokens: number }
}

const REASON = { stop: 'end_turn', length: 'max_tokens' } as const

export const anthropic: Wire = {
  isToken: (chunk) => chunk.startsWith('event: content_block_delta'),
  beforeText: '"text":"',
  said(chunk: string): Said {
    const all: Said = { text: '', thinking: '', logprobs: [] }
    for (const { delta } of readFrames<AnthropicFrame>(chunk)) {
      all.text += delta?.text ?? ''
      all.thinking += delta?.thinking ?? ''
    }
    return all
  },
  close: (chunk, ending) =>
    editFrames<AnthropicFrame>(chunk, (frame) => {
      // The block that is open is the last token's; a cut within the thinking never opened the text's.
      if (frame.type === 'content_block_stop') return { ...frame, index: openBlock(ending) }
      if (frame.type !== 'message_delta') return frame
      return { ...frame, delta: { stop_reason: REASON[ending.reason] }, ...counted(frame, ending) }
    }),
  whole: (body, ending) =>
    editFrames<AnthropicFrame>(body, (frame) => {
      const { text, thinking } = ending.said
      const blocks = [...(thinking === '' ? [] : [{ type: 'thinking', thinking }]), ...(text === '' ? [] : [{ type: 'text', text }])]
      return { ...frame, content: blocks, stop_reason: REASON[ending.reason], ...counted(frame, ending) }
    }),
}

function openBlock(ending: Ending): number {
  return ending.last === undefined ? 0 : (readFrames<AnthropicFrame>(ending.last)[0]?.index ?? 0)
}

function counted(frame: AnthropicFrame, ending: Ending): Pick<AnthropicFrame, 'usage'> {
  return { usage: { input_tokens: ending.promptTokens ?? frame.usage?.input_tokens ?? 0, output_tokens: ending.outputTokens } }
}

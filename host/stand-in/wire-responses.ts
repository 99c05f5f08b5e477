// OpenAI's responses: numbered events; the closing ones repeat the whole text, and a cut is never admitted.
import { editFrames, readFrames } from './frames.ts'
import type { Ending, Said, Wire } from './wires.ts'

interface Item {
  type: string
  content?: { type: string; text: string }[]
  summary?: { type: string; text: string }[]
  encrypted_content?: string
  [other: string]: unknown
}

interface Whole {
  output: Item[]
  usage: { input_tokens: number; output_tokens: number; total_tokens: number; [details: string]: unknown }
  [other: string]: unknown
}

interface ResponsesFrame {
  type: string
  delta?: string
  text?: string
  part?: { text: string }
  item?: Item
  response?: Whole
  [other: string]: unknown
}

export const responses: Wire = {
  isToken: (chunk) => /^event: response\.\w+\.delta\n/.test(chunk),
  beforeText: '"delta":"',
  said(chunk: string): Said {
    const all: Said = { text: '', thinking: '', logprobs: [] }
    for (const { type, delta } of readFrames<ResponsesFrame>(chunk)) {
      if (type === 'response.output_text.delta') all.text += delta
      if (type === 'response.reasoning_summary_text.delta') all.thinking += delta
    }
    return all
  },
  close: (chunk, ending) =>
    editFrames<ResponsesFrame>(chunk, (frame) => ({
      ...frame,
      ...(frame.text === undefined ? {} : { text: spoken(ending) }),
      ...(frame.part === undefined ? {} : { part: { ...frame.part, text: spoken(ending) } }),
      ...(frame.item === undefined ? {} : { item: itemSaying(frame.item, ending) }),
      ...(frame.response === undefined ? {} : { response: completed(frame.response, ending) }),
    })),
  whole: (body, ending) =>
    editFrames<Whole>(body, (whole) => {
      const reasoning: Item = { id: 'rs_0', type: 'reasoning', summary: [{ type: 'summary_text', text: '' }], encrypted_content: '' }
      const output = ending.said.text === '' && ending.said.thinking !== '' ? [reasoning] : whole.output
      return completed({ ...whole, output }, ending)
    }),
}

/** Numbers the events anew, after some were left out or added. */
export function renumbered(chunks: string[]): string[] {
  let next = 0
  return chunks.map((chunk) => chunk.replace(/"sequence_number":\d+/g, () => `"sequence_number":${next++}`))
}

function completed(whole: Whole, ending: Ending): Whole {
  const input = ending.promptTokens ?? whole.usage.input_tokens
  const counts = { input_tokens: input, output_tokens: ending.outputTokens, total_tokens: input + ending.outputTokens }
  return { ...whole, output: whole.output.map((item) => itemSaying(item, ending)), usage: { ...whole.usage, ...counts } }
}

function itemSaying(item: Item, ending: Ending): Item {
  const text = spoken(ending)
  if (item.summary !== undefined) return { ...item, encrypted_content: text, summary: [{ type: 'summary_text', text }] }
  return item.content === undefined ? item : { ...item, content: item.content.map((part) => ({ ...part, text })) }
}

/** A recorded answer has one item: reasoning or a message. */
function spoken(ending: Ending): string {
  return ending.said.text === '' ? ending.said.thinking : ending.said.text
}

// OpenAI's answers, streamed and in one piece: where their counts are, and what was delivered.
import type { FrameValue, Wire } from '../dialects/dialect.ts'
import { choicesOf, observeError, observeUsage, openaiChat } from '../dialects/openai-chat.ts'
import { openaiCompletions } from '../dialects/openai-completions.ts'
import { observeResponse, openaiResponses } from '../dialects/openai-responses.ts'
import { isObject, type JsonObject } from '../json.ts'
import type { Seen } from '../seen.ts'

/** An answer in one piece: it is whole once what is asked of a kind is in it. */
function whole({ name }: Wire, observe: (answer: JsonObject, seen: Seen) => void): Wire {
  return {
    name,
    family: 'openai',
    framing: null,
    observe(frame: FrameValue, seen: Seen) {
      if (frame !== '[DONE]') observe(frame, seen)
    },
  }
}

function streamed({ name, observe, withoutUsage }: Wire): Wire {
  return { name, family: 'openai', framing: 'sse', observe, ...(withoutUsage === undefined ? {} : { withoutUsage }) }
}

export const chatStreamed = streamed(openaiChat)

export const chatWhole = whole(openaiChat, (answer, seen) => {
  seen.terminated = Array.isArray(answer.choices)
  for (const { message } of choicesOf(answer)) {
    if (!isObject(message)) continue
    seen.text(message.content)
    seen.text(message.refusal)
    seen.toolCalls(message.tool_calls)
  }
  observeError(answer, seen)
  observeUsage(answer, seen)
})

export const completionsStreamed = streamed(openaiCompletions)

export const completionsWhole = whole(openaiCompletions, (answer, seen) => {
  seen.terminated = Array.isArray(answer.choices)
  for (const { text } of choicesOf(answer)) seen.text(text)
  observeError(answer, seen)
  observeUsage(answer, seen)
})

export const responsesStreamed = streamed(openaiResponses)

/** A response that failed is an answer, too: its own `status` says so. */
export const responsesWhole = whole(openaiResponses, (answer, seen) => {
  seen.terminated = Array.isArray(answer.output)
  for (const item of Array.isArray(answer.output) ? answer.output.filter(isObject) : []) {
    for (const part of Array.isArray(item.content) ? item.content.filter(isObject) : []) seen.text(part.text ?? part.refusal)
    if (item.type === 'function_call') seen.toolCall(item.name, item.arguments)
  }
  if (isObject(answer.error)) seen.fail(answer.error)
  observeResponse(answer, seen)
})

export const embeddingsWhole = whole({ name: 'openai-embeddings', family: 'openai', framing: null, observe() {} }, (answer, seen) => {
  seen.terminated = Array.isArray(answer.data)
  observeError(answer, seen)
  observeUsage(answer, seen)
  seen.output = 0
})

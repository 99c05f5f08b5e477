// Makes a chosen answer the one that was asked for: its model, how many answers, and whether there is usage at the end of a stream.
import { isObject, type JsonObject } from '../../worker/json.ts'
import type { Answer } from './answer.ts'
import { dataOf, isStream, splitEvents } from './sse.ts'

export function fitted(path: string, answer: Answer, body: JsonObject): Answer {
  const named = withModel(answer, body.model)
  if (path !== '/v1/chat/completions' && path !== '/v1/completions' && path !== '/v1/embeddings') return named
  const times = answers(path, body)
  const many = times === 1 ? named : mapped(named, (value) => repeated(value, times))
  const asksUsage = isObject(body.stream_options) && body.stream_options.include_usage === true
  return isStream(answer.headers) && !asksUsage ? mapped(many, withoutUsage) : many
}

/** A first chunk that names no model goes on naming none. */
function withModel(answer: Answer, model: unknown): Answer {
  // A quotation mark within a text is escaped, so that this is a key wherever it stands.
  return {
    ...answer,
    body: answer.body.replace(/"model": ?"[^"]+"/g, (found) => `${found.slice(0, found.indexOf(':'))}:${JSON.stringify(model)}`),
  }
}

/** `n` for each prompt; one embedding for each input. A list of numbers is one prompt. */
function answers(path: string, body: JsonObject): number {
  const list = path === '/v1/embeddings' ? body.input : path === '/v1/completions' ? body.prompt : null
  const prompts = Array.isArray(list) && typeof list[0] !== 'number' ? list.length : 1
  return prompts * (typeof body.n === 'number' ? body.n : 1)
}

/** The JSON of the answer, or of each of its events, as what `edit` makes of it: one value, several, or none. */
function mapped(answer: Answer, edit: (value: JsonObject) => JsonObject[]): Answer {
  if (!isStream(answer.headers))
    return {
      ...answer,
      body: edit(JSON.parse(answer.body))
        .map((value) => JSON.stringify(value, null, 2))
        .join(''),
    }
  const body = splitEvents(answer.body).map((event) => {
    const data = dataOf(event)
    if (data === null || data === '[DONE]') return event
    return edit(JSON.parse(data))
      .map((value) => `data: ${JSON.stringify(value)}\n\n`)
      .join('')
  })
  return { ...answer, body: body.join('') }
}

function repeated(value: JsonObject, times: number): JsonObject[] {
  const indices = Array.from({ length: times }, (_, index) => index)
  const usage = isObject(value.usage) ? { usage: multiplied(value, value.usage, times) } : {}
  for (const list of ['choices', 'data']) {
    const [one] = Array.isArray(value[list]) ? (value[list] as JsonObject[]) : []
    if (one === undefined) continue
    if (isChunk(value)) return indices.map((index) => ({ ...value, [list]: [{ ...one, index }] }))
    return [{ ...value, ...usage, [list]: indices.map((index) => ({ ...one, index })) }]
  }
  return [{ ...value, ...usage }]
}

/** Output counts once for each answer, the prompt once in all; embeddings have nothing but prompts. */
function multiplied(value: JsonObject, usage: JsonObject, times: number): JsonObject {
  const prompt = Number(usage.prompt_tokens) * (value.object === 'list' ? times : 1)
  if (usage.completion_tokens === undefined) return { prompt_tokens: prompt, total_tokens: prompt }
  const completion = Number(usage.completion_tokens) * times
  const details = isObject(usage.completion_tokens_details) ? usage.completion_tokens_details : null
  return {
    ...usage,
    completion_tokens: completion,
    total_tokens: prompt + completion,
    ...(details && {
      completion_tokens_details: Object.fromEntries(Object.entries(details).map(([name, count]) => [name, Number(count) * times])),
    }),
  }
}

/** A streamed completion's chunks are called what the whole is. */
function isChunk(value: JsonObject): boolean {
  return value.object === 'chat.completion.chunk' || value.usage === null
}

function withoutUsage({ usage, ...value }: JsonObject): JsonObject[] {
  return Array.isArray(value.choices) && value.choices.length === 0 ? [] : [value]
}

// Which of the project's own exchanges fits a request that nothing was played for.
import { isObject, type JsonObject } from '../../worker/json.ts'
import type { Vendor } from '../../worker/vendors/vendor-request.ts'
import { type Answer, recorded, refusal } from './answer.ts'
import { fitted } from './fit.ts'
import { vendorFixture } from './fixtures.ts'
import type { ReceivedRequest } from './request.ts'
import { isReasoning, pathOf } from './strict.ts'

/** An answer in the shape that was asked for: streamed or not, tools or none, in the name of the model that was asked. */
export function choose(vendor: Vendor, request: ReceivedRequest): Answer {
  const path = pathOf(request)
  if (request.method === 'GET') return models(vendor, path)
  const body = isObject(request.body) ? request.body : {}
  return fitted(path, recorded(vendorFixture(vendor, nameFor(path, body))), body)
}

function nameFor(path: string, body: JsonObject): string {
  const stream = body.stream === true
  switch (path) {
    case '/v1/completions':
      return stream ? 'completions-stream' : 'completions-json'
    case '/v1/embeddings':
      return body.encoding_format === 'base64' ? 'embeddings-json-base64' : 'embeddings-json-float'
    case '/v1/responses':
      if (asksTool(body)) return stream ? 'responses-stream-tool' : 'responses-json-tool'
      if (stream) return isReasoning(body.model) ? 'responses-stream-reasoning' : 'responses-stream-completed'
      return 'responses-json'
    case '/v1/messages':
      return messages(body, stream)
    case '/v1/messages/count_tokens':
      return 'count-tokens'
    default:
      return chat(body, stream)
  }
}

function chat(body: JsonObject, stream: boolean): string {
  if (asksTool(body)) return stream ? 'chat-stream-tools' : 'chat-json-tools'
  if (stream && body.moderation !== undefined) return 'chat-stream-usage-not-last'
  if (isObject(body.response_format) && body.response_format.type === 'json_schema' && !stream) return 'chat-json-structured'
  if (isReasoning(body.model)) return stream ? 'chat-stream-reasoning' : 'chat-json-reasoning'
  return stream ? 'chat-stream-usage' : 'chat-json'
}

function messages(body: JsonObject, stream: boolean): string {
  const thinks = isObject(body.thinking) && body.thinking.type !== 'disabled'
  if (asksTool(body)) {
    if (stream) return thinks ? 'messages-stream-thinking-tool' : 'messages-stream-tool'
    return 'messages-json-tool'
  }
  if (thinks) return stream ? 'messages-stream-thinking' : 'messages-json-thinking'
  if (JSON.stringify(body).includes('"cache_control"')) return stream ? 'messages-stream-cache-write' : 'messages-json-cache-write-split'
  return stream ? 'messages-stream-text' : 'messages-json-text'
}

function asksTool({ tools, tool_choice: choice }: JsonObject): boolean {
  return Array.isArray(tools) && tools.length > 0 && choice !== 'none' && !(isObject(choice) && choice.type === 'none')
}

function models(vendor: Vendor, path: string): Answer {
  const list = recorded(vendorFixture(vendor, 'models'))
  const id = path.split('/')[3]
  if (id === undefined) return list
  const { data } = JSON.parse(list.body) as { data: { id: string }[] }
  const found = data.find((model) => model.id === decodeURIComponent(id))
  if (found !== undefined) return { ...list, body: JSON.stringify(found) }
  return vendor === 'openai'
    ? refusal(vendor, 404, { type: 'invalid_request_error', message: `The model '${id}' is not there.`, code: 'model_not_found' })
    : refusal(vendor, 404, { type: 'not_found_error', message: `model: ${id}` })
}

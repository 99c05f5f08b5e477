// What Ollama refuses, in the order in which it looks, each refusal as recorded or in the words of the recorded one.
import { type Asked, asked, type Call, isNative, isObject, refusalSuffix, wantsStream } from './call.ts'
import { type Answer, mapText, recorded, recordedText } from './captures.ts'
import { type Ability, canonicalName, type Model, modelNamed } from './models.ts'

/** The refusal that this call meets, or null for a call that is answered. */
export function refusal(call: Call): Answer | null {
  return badBody(call) ?? badFields(call, asked(call)) ?? badModel(call, asked(call)) ?? beyondModel(call, asked(call))
}

function badBody(call: Call): Answer | null {
  const suffix = refusalSuffix(call.path)
  const encoding = call.headers['content-encoding']
  if (encoding === 'zstd' && isNative(call.path)) return recorded('encoding.zstd.native')
  if (encoding !== undefined && encoding !== 'zstd' && encoding !== 'identity')
    return worded(call.path, messageIn('encoding.gzip.native'), 'at once')
  if (call.body === null) return recorded(`error.empty-body.${suffix}`)
  if (typeof call.body === 'string') return recorded(`error.malformed-json.${suffix}`)
  return isObject(call.body) ? null : recorded(`error.model-not-string.${suffix}`)
}

function badFields(call: Call, body: Asked): Answer | null {
  const suffix = refusalSuffix(call.path)
  const name = nameIn(call, body)
  if (name !== null && typeof name !== 'string') return recorded(`error.model-not-string.${suffix}`)
  const { stream, max_tokens: max } = body
  if (stream !== undefined && stream !== null && typeof stream !== 'boolean')
    return worded(call.path, messageIn('error.stream-not-bool.native-chat'), 'at once')
  const fraction = !isNative(call.path) && typeof max === 'number' && !Number.isInteger(max)
  if (fraction) return worded(call.path, messageIn('number.max-tokens-fraction.v1-chat').replace('3.9', String(max)), 'at once')
  if (name === null)
    return call.path === '/api/show' ? worded(call.path, 'model is required', 'at once') : recorded(`error.missing-model.${suffix}`)
  if (call.path === '/v1/messages') {
    if (typeof max !== 'number' || max <= 0) return recorded(`error.max-tokens-${max === undefined ? 'missing' : 'zero'}.v1-messages`)
    if (isEmptyList(body.messages)) return recorded('error.messages-missing.v1-messages')
  }
  if (call.path === '/v1/chat/completions' && isEmptyList(body.messages)) return recorded('error.messages-missing.v1-chat')
  const { top_logprobs: top } = body
  if (isNative(call.path) && typeof top === 'number' && (top < 0 || top > 20)) return recorded('error.n-choices.top-logprobs')
  return null
}

function badModel(call: Call, body: Asked): Answer | null {
  const name = String(nameIn(call, body))
  if (isNative(call.path) && /(?:^|\/)\.\.(?:\/|$)/.test(name)) return recorded('modelname.dotdot')
  if (isNative(call.path) && /[:-]cloud$/i.test(name.trim())) return recorded('modelname.cloud')
  if (modelNamed(name) !== null) return null
  if (call.path === '/api/show') return naming('error.unknown-model.native-show', 'nope:latest', canonicalName(name))
  if (call.path === '/api/embeddings') return naming('error.unknown-model.native-embeddings', 'nope', name)
  // A refused stream keeps the headers of one on /v1; /v1/completions was not recorded so.
  const streamed = wantsStream(call) && !isNative(call.path) && call.path !== '/v1/completions'
  return naming(`error.unknown-model.${refusalSuffix(call.path)}${streamed ? '-stream' : ''}`, 'nope', name)
}

/** What the model itself cannot do. */
function beyondModel(call: Call, body: Asked): Answer | null {
  const name = String(nameIn(call, body))
  const model = modelNamed(name)
  if (model === null || call.path === '/api/show') return null
  const lacks = (ability: Ability) => !model.can.includes(ability)
  if (call.path === '/api/embeddings') return lacks('embedding') ? recorded('error.embed-on-chat-model.native-old') : null
  if (call.path === '/api/embed') return lacks('embedding') ? recorded('error.embed-on-chat-model.native') : null
  if (call.path === '/v1/embeddings') return lacks('embedding') ? recorded('error.embed-on-chat-model.v1') : null

  const wrongOption = Object.entries(isObject(body.options) ? body.options : {}).find(
    ([key, value]) => key === 'num_predict' && typeof value !== 'number',
  )
  if (wrongOption !== undefined) return recorded('number.num-predict-string')
  const generates = call.path === '/api/generate' || call.path === '/v1/completions'
  if (lacks('completion')) return worded(call.path, `"${name}" does not support ${generates ? 'generate' : 'chat'}`, 'late')
  if (call.path === '/api/generate' && typeof body.suffix === 'string' && body.suffix !== '') return unable(call, model, 'insert')
  if (Array.isArray(body.tools) && body.tools.length > 0 && lacks('tools')) return unable(call, model, 'tools')
  const thinks = isNative(call.path) && body.think !== undefined && body.think !== null && body.think !== false
  return thinks && lacks('thinking') ? worded(call.path, `"${name}" does not support thinking`, 'late') : null
}

function unable(call: Call, model: Model, what: string): Answer {
  return worded(call.path, `registry.ollama.ai/library/${model.id} does not support ${what}`, 'late')
}

/** Only `/api/show` still reads the old field. */
function nameIn(call: Call, body: Asked): unknown {
  const name = body.model || (call.path === '/api/show' ? body.name : undefined)
  return name || null
}

function isEmptyList(value: unknown): boolean {
  return !Array.isArray(value) || value.length === 0
}

interface ErrorBody {
  error: string | { message: string }
}

/** The message of a recorded refusal, without its envelope. */
function messageIn(capture: string): string {
  const { error } = JSON.parse(recordedText(capture)) as ErrorBody
  return typeof error === 'string' ? error : error.message
}

/** A refusal in the envelope of this route, for words that were recorded on another one; `/v1` words late ones with a line end. */
function worded(path: string, message: string, when: 'at once' | 'late'): Answer {
  const envelope = isNative(path)
    ? 'error.chat-on-embed-model'
    : path === '/v1/messages'
      ? 'error.messages-missing.v1-messages'
      : 'error.messages-missing.v1-chat'
  const plain = when === 'late' && !isNative(path)
  const answer = mapText(recorded(envelope), (text) => {
    const body = JSON.parse(text) as ErrorBody
    return JSON.stringify({ ...body, error: typeof body.error === 'string' ? message : { ...body.error, message } }) + (plain ? '\n' : '')
  })
  return plain ? { ...answer, headers: [['Content-Type', 'application/json']] } : answer
}

/** A recorded refusal that names another model. */
function naming(capture: string, recordedName: string, name: string): Answer {
  return mapText(recorded(capture), (text) => text.replace(recordedName, () => JSON.stringify(name).slice(1, -1)))
}

// Reads what an inference call asks for: the features that its answer must show, its output limit, a long answer.
import { type Asked, isObject } from './call.ts'
import type { Feature } from './catalogue.ts'
import { modelNamed } from './models.ts'
import type { InferencePath } from './wires.ts'

/** How many tokens the longest answers have, recorded or made. */
const LONG_TOKENS = 400
const LONG_ABOVE_TOKENS = 100

export interface Wish {
  features: Set<Feature>
  /** The caller's output limit in tokens; null when there is none, as Ollama sees it. */
  limit: number | null
  /** Aim at this many tokens by repeating recorded ones; null for an answer that is as long as recorded at most. */
  stretchTo: number | null
}

export function wishOf(path: InferencePath, body: Asked): Wish {
  const features = featuresOf(path, body)
  const limit = limitOf(path, body)
  const word = /\blong\b/i.test(JSON.stringify([body.messages, body.prompt, body.input, body.system]))
  const plain = !(['tools', 'toolResult', 'think', 'format'] as const).some((feature) => features.has(feature))
  const long = plain && (word || (!features.has('stop') && limit !== null && limit > LONG_ABOVE_TOKENS))
  if (long && !features.has('logprobs')) features.add('long')
  return { features, limit, stretchTo: long ? Math.min(limit ?? LONG_TOKENS, LONG_TOKENS) : null }
}

function featuresOf(path: InferencePath, body: Asked): Set<Feature> {
  const features = new Set<Feature>()
  const add = (feature: Feature, is: boolean) => is && features.add(feature)
  const able = modelNamed(String(body.model))?.can ?? []
  const last = Array.isArray(body.messages) ? body.messages.at(-1) : undefined
  const answersTool = isObject(last) && last.role === 'tool'
  add('tools', isFilledList(body.tools) && able.includes('tools') && !answersTool)
  add('toolResult', answersTool && able.includes('tools'))
  add('think', able.includes('thinking') && path !== '/api/generate' && path !== '/v1/completions' && !thinkingIsOff(body))
  add('format', hasFormat(body))
  add('logprobs', body.logprobs === true)
  add('stop', isFilledList(stopOf(body)) || typeof stopOf(body) === 'string')
  add('usage', isObject(body.stream_options) && body.stream_options.include_usage === true)
  add('raw', body.raw === true)
  add('context', isFilledList(body.context))
  add('system', typeof body.system === 'string' && body.system !== '')
  return features
}

/** A thinking model thinks unless told not to, on every surface. */
function thinkingIsOff(body: Asked): boolean {
  const effort = isObject(body.reasoning) ? body.reasoning.effort : body.reasoning_effort
  return body.think === false || effort === 'none' || (isObject(body.thinking) && body.thinking.type === 'disabled')
}

function hasFormat(body: Asked): boolean {
  const inText = isObject(body.text) && isObject(body.text.format) ? body.text.format.type : undefined
  const inResponse = isObject(body.response_format) ? body.response_format.type : undefined
  const asked = [inText, inResponse].some((type) => type === 'json_object' || type === 'json_schema')
  return asked || body.format === 'json' || isObject(body.format)
}

function stopOf(body: Asked): unknown {
  return body.stop ?? body.stop_sequences ?? (isObject(body.options) ? body.options.stop : undefined)
}

/** Zero and less are no limit at all, as with Ollama; a fraction is cut. */
function limitOf(path: InferencePath, body: Asked): number | null {
  const options = isObject(body.options) ? body.options : {}
  const given = path.startsWith('/api/') ? options.num_predict : path === '/v1/responses' ? body.max_output_tokens : body.max_tokens
  return typeof given === 'number' && given >= 1 ? Math.floor(given) : null
}

function isFilledList(value: unknown): boolean {
  return Array.isArray(value) && value.length > 0
}

// Picks the recorded answer that fits an inference call best, and fits it: model, usage and length.
import { type Wish, wishOf } from './asks.ts'
import { type Asked, asked, type Call, wantsStream } from './call.ts'
import { type Answer, exchange, mapText, recorded } from './captures.ts'
import { best } from './catalogue.ts'
import { outputTokensOf, resized, wholeFrom } from './limit.ts'
import { withoutUsage, withUsage } from './wire-openai.ts'
import { countsIn, type Ending, type InferencePath, type Wire, wireOf } from './wires.ts'

// The prompt of the captures without usage ("Why is the sky blue?").
const PROMPT_TOKENS = 15

/** The answer to a call that Ollama would run. */
export function inference(call: Call, path: InferencePath): Answer {
  const body = asked(call)
  // Free of charge on a real Ollama, and therefore never to be forwarded.
  if (body._debug_render_only === true) return recorded('api-chat.debug-render-only')
  return echoing(loadOrUnload(path, body) ?? generated(path, body, wantsStream(call)), body)
}

/** A native call without messages or prompt loads the model or evicts it; /v1/responses without input loads it. */
function loadOrUnload(path: InferencePath, body: Asked): Answer | null {
  if (path === '/v1/responses' && isBlank(body.input)) return recorded('error.input-missing.v1-responses')
  const end = /^0(?:ms|s|m|h)?$/.test(String(body.keep_alive)) ? 'unload' : 'load'
  if (path === '/api/chat' && isBlank(body.messages)) return recorded(`api-chat.${end}`)
  if (path === '/api/generate' && isBlank(body.prompt)) return recorded(`api-generate.${end}`)
  return null
}

function generated(path: InferencePath, body: Asked, stream: boolean): Answer {
  const wire = wireOf(path)
  const wish = wishOf(path, body)
  let found = best(path, 'streamed', wish.features)
  // A tool call is whole or not there: a limit that would cut it is answered by text.
  if (wish.features.has('tools') && wish.limit !== null && wish.limit < outputTokensOf(wire, recorded(found.name))) {
    wish.features.delete('tools')
    found = best(path, 'streamed', wish.features)
  }
  const fitted = fit(wire, recorded(found.name), wish)
  if (stream) return path === '/v1/chat/completions' ? withUsageAsAsked(fitted, wish.features.has('usage')) : fitted.answer

  const answer = recorded(best(path, 'whole', wish.features).name)
  const tokens = countsIn(bodyOf(answer)).outputTokens ?? 0
  const lengthFits = (wish.limit === null || wish.limit >= tokens) && (wish.stretchTo === null || wish.stretchTo <= tokens)
  const shape = new Set([...wish.features].filter((feature) => feature !== 'usage' && feature !== 'long'))
  const showsLess = best(path, 'whole', shape).fit < best(path, 'streamed', shape).fit
  if (lengthFits && !showsLess) return answer
  // Made from the stream: what was never recorded in one piece, or not at this length.
  const { promptTokens } = countsIn(bodyOf(fitted.answer))
  return wholeFrom(wire, answer, fitted.answer, { ...fitted, ...(showsLess && promptTokens !== undefined ? { promptTokens } : {}) })
}

interface Fitted {
  answer: Answer
  outputTokens: number
  reason: Ending['reason']
}

/** The stream at the length that is asked for. */
function fit(wire: Wire, answer: Answer, { limit, stretchTo }: Wish): Fitted {
  const tokens = outputTokensOf(wire, answer)
  const aim = stretchTo ?? limit ?? tokens
  if (aim < tokens) return { answer: resized(wire, answer, aim, 'length'), outputTokens: aim, reason: 'length' }
  if (stretchTo !== null && aim > tokens) {
    const reason = limit === aim ? 'length' : 'stop'
    return { answer: resized(wire, answer, aim, reason), outputTokens: aim, reason }
  }
  const cut = /"(?:done_reason|finish_reason|stop_reason)":"(?:length|max_tokens)"/.test(bodyOf(answer))
  return { answer, outputTokens: tokens, reason: cut ? 'length' : 'stop' }
}

/** A chat stream with usage in its last chunk if it was asked for, and without if not. */
function withUsageAsAsked({ answer, outputTokens }: Fitted, wanted: boolean): Answer {
  const last = answer.chunks.at(-1)
  if (last === undefined) return answer
  const text = last.data.toString()
  const { promptTokens } = countsIn(text)
  const has = promptTokens !== undefined
  if (has === wanted) return answer
  const data = has ? withoutUsage(text) : withUsage(text, PROMPT_TOKENS, outputTokens)
  return { ...answer, chunks: [...answer.chunks.slice(0, -1), { atMs: last.atMs, data }] }
}

/** `model` in the answer is the string that was asked for; /v1/responses repeats the limit, too. */
function echoing(answer: Answer, body: Asked): Answer {
  const was = answer.source === null ? null : (exchange(answer.source).request.body as Asked)
  if (was === null) return answer
  const from = `"model":${JSON.stringify(was.model)}`
  const to = `"model":${JSON.stringify(body.model)}`
  const limitFrom = /"max_output_tokens":(?:\d+|null)/g
  const limitTo = `"max_output_tokens":${typeof body.max_output_tokens === 'number' ? body.max_output_tokens : 'null'}`
  return mapText(answer, (text) => text.replaceAll(from, () => to).replace(limitFrom, () => limitTo))
}

function isBlank(value: unknown): boolean {
  return value === undefined || value === null || value === '' || (Array.isArray(value) && value.length === 0)
}

function bodyOf(answer: Answer): string {
  return answer.chunks.map((chunk) => chunk.data.toString()).join('')
}

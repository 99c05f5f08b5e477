// An error within an answer that has begun, as each dialect's clients see it.
import { errorBody, type GatewayError } from '../errors.ts'
import type { Wire } from './dialect.ts'

const encoder = new TextEncoder()

/**
 * The frame that tells a streaming caller of a failure. `midFrame`: the answer broke off within a frame, which is ended first.
 * Ollama's clients throw on an `error` line, OpenAI's on `data.error`, Anthropic's and the Responses API's on an `error` event.
 */
export function errorFrame(wire: Wire, error: GatewayError, requestId: string, midFrame: boolean): Uint8Array {
  const body = errorBody(wire.family, error, requestId)
  const json = JSON.stringify(body)
  if (wire.framing === 'ndjson') return encoder.encode(`${midFrame ? '\n' : ''}${json}\n`)
  const lead = midFrame ? '\n\n' : ''
  if (wire.family === 'anthropic') return encoder.encode(`${lead}event: error\ndata: ${json}\n\n`)
  if (wire.name === 'openai-responses') {
    const event = { type: 'error', code: error.code, message: error.message, param: null, sequence_number: 0 }
    return encoder.encode(`${lead}event: error\ndata: ${JSON.stringify(event)}\n\n`)
  }
  return encoder.encode(`${lead}data: ${json}\n\n`)
}

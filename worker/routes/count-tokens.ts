// POST /v1/messages/count_tokens, for free: Anthropic counts its own models; Ollama has no such route, so of the host's the gateway estimates.
import { Hono } from 'hono'
import { authenticate } from '../auth.ts'
import { anthropicMessages, countTokensRequest, imagesOf } from '../dialects/anthropic-messages.ts'
import { readAs } from '../dialects/dialect.ts'
import { GatewayError, gatewayFault } from '../errors.ts'
import type { Exchange } from '../exchange.ts'
import { isObject, type JsonObject, parseBody } from '../json.ts'
import { vendorName } from '../model-name.ts'
import { offersOf, type VendorModel } from '../offers.ts'
import { modelOf, readBytes } from '../read-request.ts'
import { otherRoute } from '../refusal.ts'
import { byteLength } from '../seen.ts'
import { isAnswer } from '../upstream.ts'
import { anthropicCountTokensRequest } from '../vendors/anthropic-messages-request.ts'
import { callVendor, refusalOfVendor } from '../vendors/vendor-call.ts'
import { type AppEnv, exchangeOf } from './context.ts'

/** Bytes of English and code that make a token, about. */
const BYTES_PER_TOKEN = 4
/** What an image comes to in a middling vision model. */
const IMAGE_TOKENS = 1024
/** How long a vendor may count, milliseconds. */
const COUNT_TIMEOUT_MS = 30_000

export const countTokens = new Hono<AppEnv>()

countTokens.post('/v1/messages/count_tokens', async (c) => {
  const exchange = exchangeOf(c)
  const { request, db, config } = exchange
  const caller = await authenticate(db, request.headers)
  const body = parseBody(await readBytes(request, config.bodyLimitBytes), anthropicMessages.keys)
  const asked = typeof body.model === 'string' ? body.model : ''
  const name = asked === '' ? '' : vendorName(asked, modelOf(asked))
  // Without a vendor's key there is none of its models, and nothing to ask the database for.
  const { vendorModels } = Object.keys(config.vendors).length === 0 ? { vendorModels: [] } : await offersOf(exchange, caller)
  const ofVendor = vendorModels.find((model) => model.name === name)
  return c.json({ input_tokens: ofVendor === undefined ? estimated(body) : await counted(exchange, body, ofVendor) })
})

/** Throws invalid_request. */
function estimated(json: JsonObject): number {
  const body = readAs(countTokensRequest, json)
  const images = imagesOf(body.messages)
  const text =
    byteLength(JSON.stringify([body.system ?? '', body.messages, body.tools ?? []])) -
    images.reduce((sum, image) => sum + byteLength(image), 0)
  return Math.max(1, Math.ceil(text / BYTES_PER_TOKEN)) + images.length * IMAGE_TOKENS
}

/** Throws GatewayError: what is wrong with the request, or with the vendor. */
async function counted(
  { config, request, requestId }: Exchange,
  json: JsonObject,
  { name, vendor, upstreamModel }: VendorModel,
): Promise<number> {
  const access = config.vendors[vendor]
  if (vendor !== 'anthropic' || access === undefined) throw otherRoute(vendor, name)
  anthropicCountTokensRequest.read(json)
  const body = anthropicCountTokensRequest.forward(json, { model: upstreamModel, outputLimit: 0, limitField: config.openaiLimitField })
  const signal = AbortSignal.timeout(COUNT_TIMEOUT_MS)
  try {
    const path = '/v1/messages/count_tokens'
    const answer = await callVendor({ vendor, access, path, body, stream: false, headers: request.headers, signal })
    if (!isAnswer(answer)) throw await refusalOfVendor(vendor, answer, { requestId, model: name })
    const count: unknown = await answer.json()
    if (isObject(count) && typeof count.input_tokens === 'number') return count.input_tokens
    throw gatewayFault(new Error('the vendor counted no tokens'))
  } catch (error) {
    if (error instanceof GatewayError) throw error
    throw signal.aborted
      ? new GatewayError('upstream_timeout', 'The vendor of this model took too long to count: try again in a moment.', { cause: error })
      : gatewayFault(error)
  }
}

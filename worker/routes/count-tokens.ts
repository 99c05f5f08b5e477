// POST /v1/messages/count_tokens: Ollama has no such route, so the gateway estimates, for free.
import { Hono } from 'hono'
import { authenticate } from '../auth.ts'
import { anthropicMessages, countTokensRequest, imagesOf } from '../dialects/anthropic-messages.ts'
import { readAs } from '../dialects/dialect.ts'
import { parseBody } from '../json.ts'
import { modelOf, readBytes } from '../read-request.ts'
import { byteLength } from '../seen.ts'
import { type AppEnv, exchangeOf } from './context.ts'

/** Bytes of English and code that make a token, about. */
const BYTES_PER_TOKEN = 4
/** What an image comes to in a middling vision model. */
const IMAGE_TOKENS = 1024

export const countTokens = new Hono<AppEnv>()

countTokens.post('/v1/messages/count_tokens', async (c) => {
  const { request, db, config } = exchangeOf(c)
  await authenticate(db, request.headers)
  const body = readAs(countTokensRequest, parseBody(await readBytes(request, config.bodyLimitBytes), anthropicMessages.keys))
  modelOf(body.model)
  const images = imagesOf(body.messages)
  const text =
    byteLength(JSON.stringify([body.system ?? '', body.messages, body.tools ?? []])) -
    images.reduce((sum, image) => sum + byteLength(image), 0)
  return c.json({ input_tokens: Math.max(1, Math.ceil(text / BYTES_PER_TOKEN)) + images.length * IMAGE_TOKENS })
})

// GET /openapi.json: the gateway's surface, the request bodies from the very schemas that check them.
import { Hono } from 'hono'
import * as z from 'zod'
import { version } from '../../package.json'
import { DIALECTS } from '../dialects/all.ts'
import type { AppEnv } from './context.ts'

export const openapi = new Hono<AppEnv>()

const READS: [method: 'get' | 'post', path: string, summary: string, key: boolean][] = [
  ['get', '/', 'Says that it is there', false],
  ['get', '/health', 'State of the gateway and its database', false],
  ['get', '/health/ollama', 'State of the host', false],
  ['get', '/api/version', 'Version of the host', false],
  ['get', '/api/tags', 'Models that the key may use, as Ollama lists them', true],
  ['get', '/api/ps', 'Models that are loaded, of those that the key may use', true],
  ['post', '/api/show', 'What a model is', true],
  ['get', '/v1/models', 'Models that the key may use, as OpenAI lists them, or as Anthropic does where anthropic-version is sent', true],
  ['get', '/v1/models/{id}', 'One model', true],
  ['post', '/v1/messages/count_tokens', 'An estimate of the input tokens of a message', true],
  ['get', '/account/budget', 'What is left of the budgets', true],
  ['get', '/account/usage', 'What this key used, by model', true],
  ['get', '/account/requests/{id}', 'One request of this key', true],
]

openapi.get('/openapi.json', (c) => {
  const paths: Record<string, Record<string, unknown>> = {}
  const answers = { 200: { description: 'OK' }, default: { description: 'An error in the envelope of the dialect' } }
  for (const [method, path, summary, key] of READS) {
    const parameters = path.includes('{id}') ? [{ name: 'id', in: 'path', required: true, schema: { type: 'string' } }] : []
    paths[path] = { [method]: { summary, parameters, responses: answers, ...(key ? {} : { security: [] }) } }
  }
  for (const dialect of DIALECTS) {
    const { $schema: _, ...schema } = z.toJSONSchema(dialect.schema, { io: 'input', unrepresentable: 'any' })
    paths[dialect.path] = {
      post: {
        summary: dialect.name,
        requestBody: { required: true, content: { 'application/json': { schema } } },
        responses: answers,
      },
    }
  }
  return c.json({
    openapi: '3.1.0',
    info: { title: 'Ollama edge gateway', version },
    security: [{ bearer: [] }, { apiKey: [] }],
    components: {
      securitySchemes: { bearer: { type: 'http', scheme: 'bearer' }, apiKey: { type: 'apiKey', in: 'header', name: 'x-api-key' } },
    },
    paths,
  })
})

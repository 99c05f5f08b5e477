// GET /openapi.json: the gateway's surface, the request bodies from the very schemas that check them, the answers about an account from theirs.
import { Hono } from 'hono'
import * as z from 'zod'
import { version } from '../../package.json'
import { DIALECTS } from '../dialects/all.ts'
import { type ErrorCode, STATUS } from '../errors.ts'
import { requestsQuery } from './account-requests.ts'
import { accountBudget, accountRequest, accountRequests, accountUsage } from './account-shapes.ts'
import { usageQuery } from './account-usage.ts'
import type { AppEnv } from './context.ts'
import { hostReport } from './health.ts'

export const openapi = new Hono<AppEnv>()

const SEEN = "A key sees what was done with it; one that was made with --account, all of its customer's"

const READS: [method: 'get' | 'post', path: string, summary: string, key: boolean][] = [
  ['get', '/', 'Says that it is there', false],
  ['get', '/health', 'State of the gateway and its database, and its version', false],
  ['get', '/health/ollama', 'State of the host: what is wrong with it, and what helps', false],
  ['get', '/api/version', 'Version of the host', false],
  ['get', '/api/tags', 'Models that the key may use, as Ollama lists them', true],
  ['get', '/api/ps', 'Models that are loaded, of those that the key may use', true],
  ['post', '/api/show', 'What a model is', true],
  ['get', '/v1/models', 'Models that the key may use, as OpenAI lists them, or as Anthropic does where anthropic-version is sent', true],
  ['get', '/v1/models/{id}', 'One model', true],
  ['post', '/v1/messages/count_tokens', 'An estimate of the input tokens of a message', true],
  ['get', '/account/budget', 'What is left of the budgets, and which limit binds', true],
  ['get', '/account/usage', `What was used by day, model or key, as JSON or CSV. ${SEEN}`, true],
  ['get', '/account/requests', `Requests that run and that have ended, newest first. ${SEEN}`, true],
  ['get', '/account/requests/{id}', `One request, and why it cost what it did. ${SEEN}`, true],
]

const ANSWERS: Record<string, z.ZodType> = {
  '/health/ollama': hostReport,
  '/account/budget': accountBudget,
  '/account/usage': accountUsage,
  '/account/requests': accountRequests,
  '/account/requests/{id}': accountRequest,
}

/** Routes that take a query. */
const QUERIES: Record<string, z.ZodObject> = { '/account/usage': usageQuery, '/account/requests': requestsQuery }
/** And give CSV, where that is asked for. */
const CSV: ReadonlySet<string> = new Set(['/account/usage'])

/** What each means; OpenAI's envelope has it as its `code`. */
const ERRORS: Record<ErrorCode, string> = {
  invalid_request: 'The request cannot be used; the message names the field',
  invalid_api_key: 'No key, or none that works',
  budget_exceeded: 'A budget has too little left',
  account_suspended: 'The account is suspended',
  ended_by_operator: 'The operator ended the request',
  model_not_allowed: 'The key may not use the model',
  route_forbidden: "For the host's owner alone",
  not_found: 'There is no such path or request',
  model_not_found: 'No such model is offered',
  method_not_allowed: 'The path takes another method',
  body_too_large: 'The body is too large',
  unsupported_encoding: 'The body is compressed',
  rate_limited: 'A limit per minute or at once is reached',
  internal_error: 'The gateway failed',
  upstream_error: 'The host or the vendor failed, or what it answered cannot be used',
  host_busy: 'The host has all the requests that it takes',
  ledger_unavailable: 'The database cannot be reached',
  upstream_overloaded: "The model's vendor takes no more for now",
  upstream_unavailable: 'The host or the vendor cannot be reached, or does not serve the gateway',
  upstream_timeout: 'The host or the vendor took too long',
}

openapi.get('/openapi.json', (c) => {
  const paths: Record<string, Record<string, unknown>> = {}
  const failed = { description: 'An error in the envelope of the dialect; its code is one of components.schemas.ErrorCode' }
  const answers = { 200: { description: 'OK' }, default: failed }
  for (const [method, path, summary, key] of READS) {
    const parameters = [
      ...(path.includes('{id}') ? [{ name: 'id', in: 'path', required: true, schema: { type: 'string' } }] : []),
      ...queryParameters(QUERIES[path]),
    ]
    const answer = ANSWERS[path]
    const responses = answer === undefined ? answers : { 200: { description: 'OK', content: contentOf(path, answer) }, default: failed }
    paths[path] = { [method]: { summary, parameters, responses, ...(key ? {} : { security: [] }) } }
  }
  for (const dialect of DIALECTS) {
    paths[dialect.path] = {
      post: {
        summary: dialect.name,
        requestBody: { required: true, content: { 'application/json': { schema: jsonSchema(dialect.schema, 'input') } } },
        responses: answers,
      },
    }
  }
  return c.json({
    openapi: '3.1.0',
    info: { title: 'Ollama edge gateway', version },
    security: [{ bearer: [] }, { apiKey: [] }],
    components: {
      schemas: {
        ErrorCode: {
          oneOf: Object.entries(ERRORS).map(([code, about]) => ({ const: code, description: `${STATUS[code as ErrorCode]}: ${about}` })),
        },
      },
      securitySchemes: { bearer: { type: 'http', scheme: 'bearer' }, apiKey: { type: 'apiKey', in: 'header', name: 'x-api-key' } },
    },
    paths,
  })
})

function queryParameters(query: z.ZodObject | undefined) {
  return Object.entries(query?.shape ?? {}).map(([name, schema]) => ({
    name,
    in: 'query',
    required: false,
    schema: jsonSchema(schema, 'input'),
  }))
}

function contentOf(path: string, answer: z.ZodType) {
  const csv = CSV.has(path) ? { 'text/csv': { schema: { type: 'string' } } } : {}
  return { 'application/json': { schema: jsonSchema(answer, 'output') }, ...csv }
}

function jsonSchema(schema: z.core.$ZodType, io: 'input' | 'output') {
  const { $schema: _, ...rest } = z.toJSONSchema(schema, { io, unrepresentable: 'any' })
  return rest
}

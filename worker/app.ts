// The routes, and the one boundary where whatever went wrong is worded for its caller.
import { Hono } from 'hono'
import { v7 } from 'uuid'
import { crossOrigin } from './cross-origin.ts'
import { errorResponse, familyOfPath, GatewayError } from './errors.ts'
import { withoutKeys } from './keys.ts'
import { causeOf, log } from './log.ts'
import { drain } from './read-request.ts'
import { ledgerError } from './request-story.ts'
import { account } from './routes/account.ts'
import { accountRequests } from './routes/account-requests.ts'
import { accountUsage } from './routes/account-usage.ts'
import type { AppEnv } from './routes/context.ts'
import { countTokens } from './routes/count-tokens.ts'
import { health } from './routes/health.ts'
import { inference } from './routes/inference.ts'
import { models } from './routes/models.ts'
import { openapi } from './routes/openapi.ts'
import { stripe } from './routes/stripe.ts'

/** Ollama's routes that change the host or spend its owner's account. They never reach it; saying so is kinder than a 404. */
const OWNERS_ROUTES = /^\/api\/(pull|push|create|copy|delete|blobs|me|signout|experimental|user|status)(\/|$)/

export const app = new Hono<AppEnv>()

app.use(async function requestId(c, next) {
  c.set('requestId', v7())
  await next()
  if (!c.res.headers.has('x-request-id')) c.header('x-request-id', c.get('requestId'))
})

app.use(crossOrigin)

const PARTS = [health, inference, countTokens, models, account, accountUsage, accountRequests, openapi, stripe]
for (const part of PARTS) app.route('/', part)

// What is known under another method gets a 405 that says which.
const methods = new Map<string, Set<string>>()
for (const { path, method } of app.routes) {
  if (method !== 'ALL') methods.set(path, (methods.get(path) ?? new Set()).add(method))
}
for (const [path, known] of methods) {
  const allow = [...known, ...(known.has('GET') ? ['HEAD'] : [])].join(', ')
  app.all(path, (c) => {
    throw new GatewayError('method_not_allowed', `${c.req.path} takes ${allow}, not ${c.req.method}.`, { headers: { allow } })
  })
}

app.notFound((c) => {
  const path = withoutKeys(c.req.path).slice(0, 100)
  if (OWNERS_ROUTES.test(path)) throw new GatewayError('route_forbidden', `${path} is for the host's owner alone.`)
  throw new GatewayError('not_found', `There is no ${path} here: GET /openapi.json lists what there is.`)
})

app.onError(async function tellCaller(thrown, c) {
  const error = thrown instanceof GatewayError ? thrown : ledgerError(thrown)
  const requestId = c.get('requestId')
  const { path, method } = c.req
  const cause = error.details.cause
  log({
    event: error.status >= 500 && error.code !== 'host_busy' ? 'error' : 'refused',
    code: error.code,
    status: error.status,
    request_id: requestId,
    ...error.details.who,
    method,
    path: withoutKeys(path).slice(0, 100),
    message: error.details.quotes ? 'said to the caller alone' : cause === undefined ? error.message : causeOf(cause),
  })
  await drain(c.req.raw)
  return errorResponse(familyOfPath(path, c.req.raw.headers), error, requestId)
})

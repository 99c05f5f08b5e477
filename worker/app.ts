// The routes, and the one boundary where whatever went wrong is worded for its caller.
import { Hono } from 'hono'
import { v7 } from 'uuid'
import { errorResponse, familyOfPath, GatewayError } from './errors.ts'
import { causeOf, log } from './log.ts'
import { ledgerError } from './request-story.ts'
import { account } from './routes/account.ts'
import type { AppEnv } from './routes/context.ts'
import { countTokens } from './routes/count-tokens.ts'
import { health } from './routes/health.ts'
import { inference } from './routes/inference.ts'
import { models } from './routes/models.ts'
import { openapi } from './routes/openapi.ts'

/** Ollama's routes that change the host or spend its owner's account. They never reach it; saying so is kinder than a 404. */
const OWNERS_ROUTES = /^\/api\/(pull|push|create|copy|delete|blobs|me|signout|experimental|user|status)(\/|$)/

export const app = new Hono<AppEnv>()

app.use(async function requestId(c, next) {
  c.set('requestId', v7())
  await next()
  if (!c.res.headers.has('x-request-id')) c.header('x-request-id', c.get('requestId'))
})

const PARTS = [health, inference, countTokens, models, account, openapi]
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
  if (OWNERS_ROUTES.test(c.req.path))
    throw new GatewayError('route_forbidden', `${c.req.path.slice(0, 100)} is for the host's owner alone.`)
  throw new GatewayError('not_found', `There is no ${c.req.path.slice(0, 100)} here: GET /openapi.json lists what there is.`)
})

app.onError((thrown, c) => {
  const error = thrown instanceof GatewayError ? thrown : ledgerError(thrown)
  const requestId = c.get('requestId')
  const { path, method } = c.req
  const cause = error.details.cause
  log({
    event: error.status >= 500 ? 'error' : 'refused',
    code: error.code,
    status: error.status,
    request_id: requestId,
    method,
    path: path.slice(0, 100),
    message: cause === undefined ? error.message : causeOf(cause),
  })
  return errorResponse(familyOfPath(path, c.req.raw.headers), error, requestId)
})

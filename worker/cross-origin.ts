// Browsers: pages of CORS_ORIGINS may ask and may read what the answers say of limits and money. Without the setting none of this is there.
import type { MiddlewareHandler } from 'hono'
import { cors } from 'hono/cors'
import { configOf } from './config.ts'
import { allowedOrigin } from './cors-origins.ts'
import type { AppEnv } from './routes/context.ts'

/** How long a browser may remember a preflight, seconds: the longest that Chromium takes. */
const PREFLIGHT_SECONDS = 7200

/** What a page may read of an answer beside what every page may. */
const EXPOSED = [
  ...['x-request-id', 'request-id', 'x-output-limit', 'x-budget-remaining', 'x-request-cost'],
  ...['x-ratelimit-limit-requests', 'x-ratelimit-remaining-requests', 'retry-after', 'x-should-retry', 'server-timing'],
]

/**
 * A preflight may ask for any header, and is told that it may send it: SDKs send dozens of their own (x-stainless-*, anthropic-*), and no header
 * of a caller's reaches the host.
 */
const answering = cors({
  origin: (origin, c) => allowedOrigin(configOf(c.env).corsOrigins, origin),
  allowMethods: ['GET', 'HEAD', 'POST'],
  exposeHeaders: EXPOSED,
  maxAge: PREFLIGHT_SECONDS,
})

export const crossOrigin: MiddlewareHandler<AppEnv> = async function crossOrigin(c, next) {
  const { origin, isPreflight } = {
    origin: c.req.header('origin'),
    isPreflight: c.req.header('access-control-request-method') !== undefined,
  }
  const answers = configOf(c.env).corsOrigins.length > 0 && (c.req.method !== 'OPTIONS' || (origin !== undefined && isPreflight))
  return answers ? answering(c, next) : next()
}

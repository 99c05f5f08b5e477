// How Cloudflare's API words an answer, and what a call may do: shared by all resources.
import type { Context, Hono, MiddlewareHandler } from 'hono'
import type { ContentfulStatusCode } from 'hono/utils/http-status'
import type { ApiToken, CloudflareState, Right } from './state.ts'

export interface CloudflareEnv {
  Variables: { token: ApiToken }
}
export type Api = Hono<CloudflareEnv>
type Call = Context<CloudflareEnv>

/** Adds the routes of one kind of resource. */
export type Resource = (api: Api, state: CloudflareState) => void

export function ok(c: Call, result: unknown, info?: Record<string, unknown>): Response {
  return c.json({ success: true, errors: [], messages: [], result, ...(info === undefined ? {} : { result_info: info }) })
}

export function fail(c: Call, status: ContentfulStatusCode, code: number, message: string): Response {
  return c.json({ success: false, errors: [{ code, message }], messages: [], result: null }, status)
}

/** The part of a list that `page` and `per_page` ask for. */
export function page(c: Call, list: readonly unknown[]): Response {
  const number = Math.max(1, Number(c.req.query('page') ?? 1) || 1)
  const size = Math.max(1, Number(c.req.query('per_page') ?? 20) || 20)
  const result = list.slice((number - 1) * size, number * size)
  const total = { total_count: list.length, total_pages: Math.ceil(list.length / size) }
  return ok(c, result, { page: number, per_page: size, count: result.length, ...total })
}

/** The body as an object; `{}` where there is none. */
export async function body(c: Call): Promise<Record<string, unknown>> {
  const value: unknown = await c.req.json().catch(() => ({}))
  return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : {}
}

/** Before a route: the token has this right, and reaches the account (`:account`) or zone (`:zone`) of the path. */
export function need(state: CloudflareState, right: Right): MiddlewareHandler<CloudflareEnv> {
  return async function checkRight(c, next) {
    const token = c.get('token')
    const zoneId = c.req.param('zone')
    const accountId = zoneId === undefined ? c.req.param('account') : state.zones.get(zoneId)?.accountId
    const reached = accountId !== undefined && token.accounts.has(accountId)
    if (!reached || !hasRight(token, right)) return fail(c, 403, 10000, 'Authentication error')
    await next()
  }
}

export function hasRight({ rights }: ApiToken, right: Right): boolean {
  return ['$&', ' Write', ' Admin'].some((more) => rights.has(right.replace(/ Read$/, more) as Right))
}

/** Before all routes: there is a token, and it counts. */
export function authenticate(state: CloudflareState): MiddlewareHandler<CloudflareEnv> {
  return async function checkToken(c, next) {
    const header = c.req.header('authorization')
    const text = header?.match(/^Bearer ([\w-]{20,})$/)?.[1]
    if (text === undefined) return fail(c, 400, 6003, 'Invalid request headers')
    const token = state.tokens.get(text)
    const verifies = c.req.path.endsWith('/tokens/verify')
    if (token === undefined) return verifies ? fail(c, 401, 1000, 'Invalid API Token') : fail(c, 403, 10000, 'Authentication error')
    if (token.status !== 'active' && !verifies) return fail(c, 403, 10000, 'Authentication error')
    c.set('token', token)
    await next()
  }
}

// Cloudflare Access: the organization, service tokens, reusable policies, applications.
import { randomBytes, randomUUID } from 'node:crypto'
import { type Api, body, fail, need, ok, page } from '../envelope.ts'
import { type CloudflareState, hex, type Made } from '../state.ts'

/** A team name makes an account's Zero Trust organization. Without one Access is not enabled there. */
export function addOrganization(state: CloudflareState, account: string, team: string): void {
  state.of('access_organization', account).set(team, { name: team, auth_domain: `${team}.cloudflareaccess.com` })
}

export function access(api: Api, state: CloudflareState): void {
  api.use('/accounts/:account/access/*', async (c, next) => {
    if (state.of('access_organization', c.req.param('account')).size > 0) return next()
    return fail(c, 403, 9999, 'access.api.error.not_enabled: Access is not enabled')
  })
  api.get('/accounts/:account/access/organizations', need(state, 'Access: Organizations, Identity Providers, and Groups Read'), (c) => {
    const [organization] = state.of('access_organization', c.req.param('account')).values()
    return ok(c, organization)
  })
  serviceTokens(api, state)
  policies(api, state)
  applications(api, state)
}

const YEAR_MS = 31_536_000_000
const secret = () => randomBytes(32).toString('hex')

function serviceTokens(api: Api, state: CloudflareState): void {
  const path = '/accounts/:account/access/service_tokens'
  const read = need(state, 'Access: Service Tokens Read')
  const write = need(state, 'Access: Service Tokens Write')
  const of = (account: string) => state.of('access_service_tokens', account)
  /** Kept for whoever plays Access in front of a host; the API shows it once. */
  const secrets = (account: string) => state.secretsOf(account)
  const expiry = () => new Date(Date.now() + YEAR_MS).toISOString()

  api.get(path, read, (c) => page(c, [...of(c.req.param('account')).values()]))
  api.post(path, write, async (c) => {
    const { name, duration = '8760h' } = await body(c)
    if (typeof name !== 'string' || name === '') return fail(c, 400, 12130, 'access.api.error.invalid_request: name is required')
    const account = c.req.param('account')
    const token = { id: randomUUID(), name, duration, client_id: `${hex()}.access`, expires_at: expiry() }
    const clientSecret = secret()
    of(account).set(token.id, token)
    secrets(account).set(token.client_id, clientSecret)
    return ok(c, { ...token, client_secret: clientSecret })
  })
  api.get(`${path}/:id`, read, (c) => {
    const found = of(c.req.param('account')).get(c.req.param('id'))
    return found ? ok(c, found) : notFound(c, 'service_token')
  })
  api.post(`${path}/:id/rotate`, write, (c) => {
    const account = c.req.param('account')
    const found = of(account).get(c.req.param('id'))
    if (found === undefined) return notFound(c, 'service_token')
    const clientSecret = secret()
    secrets(account).set(found.client_id as string, clientSecret)
    return ok(c, { ...found, client_secret: clientSecret })
  })
  api.post(`${path}/:id/refresh`, write, (c) => {
    const found = of(c.req.param('account')).get(c.req.param('id'))
    if (found === undefined) return notFound(c, 'service_token')
    found.expires_at = expiry()
    return ok(c, found)
  })
  api.delete(`${path}/:id`, write, (c) => {
    const account = c.req.param('account')
    const found = of(account).get(c.req.param('id'))
    if (found === undefined) return notFound(c, 'service_token')
    const used = [...state.of('access_policies', account).values()].some((one) => JSON.stringify(one).includes(found.id as string))
    if (used) return fail(c, 400, 12130, 'access.api.error.invalid_request: the service token is used by a policy')
    of(account).delete(found.id as string)
    secrets(account).delete(found.client_id as string)
    return ok(c, found)
  })
}

function policies(api: Api, state: CloudflareState): void {
  const path = '/accounts/:account/access/policies'
  const read = need(state, 'Access: Apps and Policies Read')
  const write = need(state, 'Access: Apps and Policies Write')
  const of = (account: string) => state.of('access_policies', account)
  api.get(path, read, (c) => page(c, [...of(c.req.param('account')).values()]))
  for (const method of ['POST', 'PUT'] as const) {
    api.on(method, method === 'POST' ? path : `${path}/:id`, write, async (c) => {
      const account = c.req.param('account') as string
      const { name, decision, include } = await body(c)
      if (!name || !decision || !Array.isArray(include) || include.length === 0) {
        return fail(c, 400, 12130, 'access.api.error.invalid_request: name, decision and include are required')
      }
      for (const rule of include as { service_token?: { token_id?: string } }[]) {
        const token = rule.service_token?.token_id
        const known = token === undefined || state.of('access_service_tokens', account).has(token)
        if (!known) return fail(c, 400, 12130, 'access.api.error.invalid_request: no such service token')
      }
      const id = c.req.param('id') ?? randomUUID()
      if (method === 'PUT' && !of(account).has(id)) return notFound(c, 'policy')
      const policy = { id, name, decision, include, exclude: [], require: [], reusable: true }
      of(account).set(id, policy)
      return ok(c, policy)
    })
  }
  api.get(`${path}/:id`, read, (c) => {
    const found = of(c.req.param('account')).get(c.req.param('id'))
    return found ? ok(c, found) : notFound(c, 'policy')
  })
  api.delete(`${path}/:id`, write, (c) => {
    const account = c.req.param('account')
    const id = c.req.param('id')
    const apps = [...state.of('access_apps', account).values()] as { policies: { id: string }[] }[]
    if (apps.some((app) => app.policies.some((one) => one.id === id))) {
      return fail(c, 400, 12130, 'access.api.error.invalid_request: the policy is used by an application')
    }
    return of(account).delete(id) ? ok(c, { id }) : notFound(c, 'policy')
  })
}

function applications(api: Api, state: CloudflareState): void {
  const path = '/accounts/:account/access/apps'
  const read = need(state, 'Access: Apps and Policies Read')
  const write = need(state, 'Access: Apps and Policies Write')
  const of = (account: string) => state.of('access_apps', account)
  /** An application is sent out with its policies whole. */
  const sent = (account: string, app: Made) => ({
    ...app,
    policies: (app.policies as { id: string; precedence?: number }[]).map(({ id, precedence }) => ({
      ...state.of('access_policies', account).get(id),
      precedence,
    })),
  })
  api.get(path, read, (c) => {
    const account = c.req.param('account')
    const { domain } = c.req.query()
    const found = [...of(account).values()].filter((app) => !domain || app.domain === domain)
    return page(
      c,
      found.map((app) => sent(account, app)),
    )
  })
  for (const method of ['POST', 'PUT'] as const) {
    api.on(method, method === 'POST' ? path : `${path}/:id`, write, async (c) => {
      const account = c.req.param('account') as string
      const asked = await body(c)
      if (asked.type !== 'self_hosted' || !asked.domain)
        return fail(c, 400, 12130, 'access.api.error.invalid_request: type and domain are required')
      const zone = [...state.zones.values()].find((one) => one.accountId === account && `.${asked.domain}`.endsWith(`.${one.name}`))
      if (zone === undefined) return fail(c, 400, 12130, 'access.api.error.invalid_request: domain does not belong to zone')
      const id = c.req.param('id') ?? randomUUID()
      const taken = [...of(account).values()].some((app) => app.domain === asked.domain && app.id !== id)
      if (taken) return fail(c, 409, 11010, 'access.api.error.application_already_exists')
      const before = of(account).get(id)
      if (method === 'PUT' && before === undefined) return notFound(c, 'application')
      const app = { policies: [], ...asked, id, aud: before?.aud ?? randomBytes(32).toString('hex') }
      of(account).set(id, app)
      return ok(c, sent(account, app))
    })
  }
  api.get(`${path}/:id`, read, (c) => {
    const account = c.req.param('account')
    const found = of(account).get(c.req.param('id'))
    return found ? ok(c, sent(account, found)) : notFound(c, 'application')
  })
  api.delete(`${path}/:id`, write, (c) => {
    const id = c.req.param('id')
    return of(c.req.param('account')).delete(id) ? ok(c, { id }) : notFound(c, 'application')
  })
}

function notFound(c: Parameters<typeof fail>[0], kind: string): Response {
  return fail(c, 404, 12130, `access.api.error.${kind}_not_found`)
}

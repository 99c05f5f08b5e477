// Tunnels of cloudflared: their settings, tokens and connections.
import { randomBytes, randomUUID } from 'node:crypto'
import { type Api, body, fail, need, ok, page } from '../envelope.ts'
import type { CloudflareState } from '../state.ts'

interface Tunnel {
  id: string
  name: string
  config_src: unknown
  status: 'inactive' | 'healthy' | 'down'
  created_at: string
  deleted_at: string | null
  connections: object[]
  /** Not sent out. */
  config: { ingress?: unknown[] } | null
  secret: string
}

/** A cloudflared connects or goes; for whoever plays it. */
export function connect(state: CloudflareState, account: string, id: string, connected: boolean): void {
  const tunnel = state.of<Tunnel>('cfd_tunnel', account).get(id)
  if (tunnel === undefined) throw new Error(`no tunnel ${id}`)
  tunnel.status = connected ? 'healthy' : 'down'
  tunnel.connections = connected ? [{ colo_name: 'fra01', client_version: '2026.9.1', opened_at: new Date().toISOString() }] : []
}

export function tunnels(api: Api, state: CloudflareState): void {
  const path = '/accounts/:account/cfd_tunnel'
  const read = need(state, 'Cloudflare Tunnel Read')
  const write = need(state, 'Cloudflare Tunnel Write')
  const of = (account: string) => state.of<Tunnel>('cfd_tunnel', account)
  const sent = ({ secret, config, ...tunnel }: Tunnel) => tunnel
  const tokenOf = (account: string, { id, secret }: Tunnel) =>
    Buffer.from(JSON.stringify({ a: account, t: id, s: secret })).toString('base64')
  const missing = (c: Parameters<typeof fail>[0]) => fail(c, 404, 1003, 'Tunnel not found')

  api.get(path, read, (c) => {
    const { name } = c.req.query()
    const found = [...of(c.req.param('account')).values()].filter((one) => !name || one.name === name)
    return page(c, found.map(sent))
  })
  api.post(path, write, async (c) => {
    const account = c.req.param('account')
    const { name, config_src = 'local' } = await body(c)
    if (typeof name !== 'string' || name === '') return fail(c, 400, 1001, 'tunnel name is required')
    if ([...of(account).values()].some((one) => one.name === name)) return fail(c, 409, 1013, 'You already have a tunnel with this name.')
    const made: Tunnel = {
      id: randomUUID(),
      name,
      config_src,
      status: 'inactive',
      created_at: new Date().toISOString(),
      deleted_at: null,
      connections: [],
      config: null,
      secret: randomBytes(32).toString('base64'),
    }
    of(account).set(made.id, made)
    return ok(c, { ...sent(made), token: tokenOf(account, made) })
  })
  api.get(`${path}/:id`, read, (c) => {
    const found = of(c.req.param('account')).get(c.req.param('id'))
    return found ? ok(c, sent(found)) : missing(c)
  })
  api.delete(`${path}/:id`, write, (c) => {
    const account = c.req.param('account')
    const found = of(account).get(c.req.param('id'))
    if (found === undefined) return missing(c)
    if (found.connections.length > 0) return fail(c, 400, 1022, 'Cannot delete tunnel because it has active connections')
    of(account).delete(found.id)
    return ok(c, { ...sent(found), deleted_at: new Date().toISOString() })
  })
  api.get(`${path}/:id/configurations`, read, (c) => {
    const found = of(c.req.param('account')).get(c.req.param('id'))
    return found ? ok(c, { tunnel_id: found.id, version: 1, config: found.config, source: 'cloudflare' }) : missing(c)
  })
  api.put(`${path}/:id/configurations`, write, async (c) => {
    const found = of(c.req.param('account')).get(c.req.param('id'))
    if (found === undefined) return missing(c)
    const { config } = (await body(c)) as { config?: { ingress?: { hostname?: string }[] } }
    if (config?.ingress?.at(-1)?.hostname !== undefined)
      return fail(c, 400, 1056, 'Bad Configuration: The last ingress rule must match all URLs')
    found.config = config ?? null
    return ok(c, { tunnel_id: found.id, version: 2, config })
  })
  api.get(`${path}/:id/token`, write, (c) => {
    const account = c.req.param('account')
    const found = of(account).get(c.req.param('id'))
    return found ? ok(c, tokenOf(account, found)) : missing(c)
  })
  api.get(`${path}/:id/connections`, read, (c) => {
    const found = of(c.req.param('account')).get(c.req.param('id'))
    return found ? ok(c, found.connections) : missing(c)
  })
  api.delete(`${path}/:id/connections`, write, (c) => {
    const found = of(c.req.param('account')).get(c.req.param('id'))
    if (found === undefined) return missing(c)
    found.connections = []
    return ok(c, null)
  })
}

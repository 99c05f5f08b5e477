// Workers VPC services: what a Worker's binding reaches behind a tunnel.
import { randomUUID } from 'node:crypto'
import { type Api, body, fail, need, ok, page } from '../envelope.ts'
import type { CloudflareState } from '../state.ts'

interface Host {
  network?: { tunnel_id?: string }
  resolver_network?: { tunnel_id?: string }
}

export function vpc(api: Api, state: CloudflareState): void {
  const path = '/accounts/:account/connectivity/directory/services'
  const read = need(state, 'Connectivity Directory Read')
  const write = need(state, 'Connectivity Directory Admin')
  const of = (account: string) => state.of('vpc_services', account)
  const missing = (c: Parameters<typeof fail>[0]) => fail(c, 404, 5104, 'Service not found')
  api.get(path, read, (c) => page(c, [...of(c.req.param('account')).values()]))
  api.post(path, write, async (c) => {
    const account = c.req.param('account')
    const asked = await body(c)
    const { network, resolver_network } = (asked.host ?? {}) as Host
    const tunnel = network?.tunnel_id ?? resolver_network?.tunnel_id ?? ''
    if (!asked.name || !asked.type) return fail(c, 400, 5100, 'name and type are required')
    if (!state.of('cfd_tunnel', account).has(tunnel)) return fail(c, 400, 5101, 'no such tunnel')
    if ([...of(account).values()].some((one) => one.name === asked.name)) return fail(c, 409, 5103, 'a service of this name exists')
    const service = { ...asked, service_id: randomUUID() }
    of(account).set(service.service_id, service)
    return ok(c, service)
  })
  api.get(`${path}/:id`, read, (c) => {
    const found = of(c.req.param('account')).get(c.req.param('id'))
    return found ? ok(c, found) : missing(c)
  })
  api.delete(`${path}/:id`, write, (c) => (of(c.req.param('account')).delete(c.req.param('id')) ? ok(c, null) : missing(c)))
}

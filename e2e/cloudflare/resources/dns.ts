// DNS records of a zone.
import { type Api, body, fail, need, ok, page } from '../envelope.ts'
import { type CloudflareState, hex } from '../state.ts'

export function dns(api: Api, state: CloudflareState): void {
  const path = '/zones/:zone/dns_records'
  const read = need(state, 'DNS Read')
  const write = need(state, 'DNS Write')
  const of = (zone: string) => state.of('dns_records', zone)
  const missing = (c: Parameters<typeof fail>[0]) => fail(c, 404, 81044, 'Record does not exist.')

  api.get(path, read, (c) => {
    const { name, 'name.exact': exact, type } = c.req.query()
    const wanted = exact ?? name
    return page(
      c,
      [...of(c.req.param('zone')).values()].filter((one) => (!wanted || one.name === wanted) && (!type || one.type === type)),
    )
  })
  api.post(path, write, async (c) => {
    const zone = c.req.param('zone')
    const asked = await body(c)
    const zoneName = state.zones.get(zone)?.name
    if (!`.${asked.name}`.endsWith(`.${zoneName}`)) return fail(c, 400, 9000, 'DNS name is invalid.')
    const taken = [...of(zone).values()].some((one) => one.name === asked.name)
    if (taken) return fail(c, 400, 81053, 'An A, AAAA, or CNAME record with that host already exists.')
    const record = { ...asked, id: hex(), meta: {} }
    of(zone).set(record.id, record)
    return ok(c, record)
  })
  api.get(`${path}/:id`, read, (c) => {
    const found = of(c.req.param('zone')).get(c.req.param('id'))
    return found ? ok(c, found) : missing(c)
  })
  api.delete(`${path}/:id`, write, (c) => {
    const id = c.req.param('id')
    return of(c.req.param('zone')).delete(id) ? ok(c, { id }) : missing(c)
  })
}

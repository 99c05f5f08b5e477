// Zones: the domains that the token may read.
import { type Api, fail, hasRight, ok, page } from '../envelope.ts'
import type { CloudflareState, Zone } from '../state.ts'

export function zones(api: Api, state: CloudflareState): void {
  const sent = ({ accountId, plan, ...zone }: Zone) => ({ ...zone, account: state.accounts.get(accountId), plan: { name: plan } })
  api.get('/zones', (c) => {
    const token = c.get('token')
    const { name, 'account.id': account } = c.req.query()
    const seen = [...state.zones.values()].filter((zone) => hasRight(token, 'Zone Read') && token.accounts.has(zone.accountId))
    return page(c, seen.filter((zone) => (!name || zone.name === name) && (!account || zone.accountId === account)).map(sent))
  })
  api.get('/zones/:zone', (c) => {
    const zone = state.zones.get(c.req.param('zone'))
    const seen = zone && hasRight(c.get('token'), 'Zone Read') && c.get('token').accounts.has(zone.accountId)
    return seen ? ok(c, sent(zone)) : fail(c, 403, 9109, 'Unauthorized to access requested resource')
  })
}

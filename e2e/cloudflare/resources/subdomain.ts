// The account's name below workers.dev.
import { type Api, body, fail, need, ok } from '../envelope.ts'
import type { CloudflareState } from '../state.ts'

export function subdomain(api: Api, state: CloudflareState): void {
  // Who may not write scripts or routes is told so, whether there is such a script or not.
  for (const path of ['/accounts/:account/workers/scripts/*', '/zones/:zone/workers/routes/*']) {
    const kind = path.startsWith('/zones') ? 'Workers Routes' : 'Workers Scripts'
    api.get(path, need(state, `${kind} Read`))
    for (const method of ['PUT', 'POST', 'PATCH', 'DELETE']) api.on(method, path, need(state, `${kind} Write`))
  }
  const path = '/accounts/:account/workers/subdomain'
  const of = (account: string) => state.of('workers_subdomain', account)
  api.get(path, need(state, 'Workers Scripts Read'), (c) => {
    const [found] = of(c.req.param('account')).values()
    return found ? ok(c, found) : fail(c, 404, 10007, 'You do not have a workers.dev subdomain.')
  })
  api.put(path, need(state, 'Workers Scripts Write'), async (c) => {
    const { subdomain: name } = await body(c)
    if (typeof name !== 'string' || !/^[a-z0-9-]{1,63}$/.test(name)) return fail(c, 400, 10036, 'That subdomain is not valid.')
    const taken = [...state.accounts.keys()].some((account) => of(account).get('name')?.subdomain === name)
    if (taken) return fail(c, 409, 10032, 'That subdomain is not available.')
    of(c.req.param('account')).set('name', { subdomain: name })
    return ok(c, { subdomain: name })
  })
}

// What a Worker has beside its versions: its addresses, schedules, secrets and settings.
import { type Api, body, fail, need, ok, page } from '../envelope.ts'
import { type CloudflareState, hex, type Made } from '../state.ts'
import { deployedVersion, shownBindings, type Worker, type WorkerBinding } from './worker-upload.ts'
import { workersOf } from './workers.ts'

const SCRIPT = '/accounts/:account/workers/scripts/:script'

interface Origin {
  hostname: string
  zone_id?: string
}

/** A Custom Domain, as it is sent. */
export interface WorkerDomain extends Made {
  id: string
  hostname: string
  service: string
  zone_id: string
}

export function workerSettings(api: Api, state: CloudflareState): void {
  const write = need(state, 'Workers Scripts Write')
  const read = need(state, 'Workers Scripts Read')
  const find = ({ account = '', script = '' }: Record<string, string>): Worker | undefined => workersOf(state, account).get(script)
  const gone = (c: Parameters<typeof fail>[0]) => fail(c, 404, 10007, 'This Worker does not exist on your account.')

  api.get('/accounts/:account/workers/workers/:script', read, (c) => {
    const worker = find(c.req.param())
    return worker ? ok(c, { id: worker.name, name: worker.name, subdomain: worker.subdomain, tags: worker.tags }) : gone(c)
  })
  api.get(`${SCRIPT}/subdomain`, read, (c) => {
    const worker = find(c.req.param())
    return worker ? ok(c, worker.subdomain) : gone(c)
  })
  api.post(`${SCRIPT}/subdomain`, write, async (c) => {
    const worker = find(c.req.param())
    if (worker === undefined) return gone(c)
    const { enabled, previews_enabled } = await body(c)
    worker.subdomain = { enabled: enabled === true, previews_enabled: previews_enabled === true }
    return ok(c, worker.subdomain)
  })
  api.put(`${SCRIPT}/schedules`, write, async (c) => {
    const worker = find(c.req.param())
    if (worker === undefined) return gone(c)
    const schedules = (await c.req.json()) as { cron: string }[]
    worker.schedules = schedules.map(({ cron }) => cron)
    return ok(c, { schedules })
  })
  api.get(`${SCRIPT}/schedules`, read, (c) => ok(c, { schedules: find(c.req.param())?.schedules.map((cron) => ({ cron })) ?? [] }))
  api.get(`${SCRIPT}/settings`, read, (c) => {
    const worker = find(c.req.param())
    return worker ? ok(c, { bindings: shownBindings(deployedVersion(worker)?.bindings ?? []), tags: worker.tags }) : gone(c)
  })
  api.patch(`${SCRIPT}/script-settings`, write, async (c) => {
    const worker = find(c.req.param())
    if (worker === undefined) return gone(c)
    const { tags } = await body(c)
    worker.tags = Array.isArray(tags) ? tags.map(String) : worker.tags
    return ok(c, { tags: worker.tags })
  })
  const secretsOf = (worker: Worker): WorkerBinding[] =>
    (deployedVersion(worker)?.bindings ?? []).filter(({ type }) => type === 'secret_text')
  api.get(`${SCRIPT}/secrets`, read, (c) => {
    const worker = find(c.req.param())
    return worker
      ? ok(
          c,
          secretsOf(worker).map(({ name, type }) => ({ name, type })),
        )
      : gone(c)
  })
}

export function workerDomains(api: Api, state: CloudflareState): void {
  const write = need(state, 'Workers Scripts Write')
  const read = need(state, 'Workers Scripts Read')
  const all = (account: string) => state.of<WorkerDomain>('worker_domains', account)
  const at = (account: string, hostname: string) => [...all(account).values()].find((one) => one.hostname === hostname)
  const zoneOf = (account: string, { hostname, zone_id }: Origin) =>
    [...state.zones.values()].find(
      ({ id, name, accountId }) => accountId === account && (id === zone_id || hostname === name || hostname.endsWith(`.${name}`)),
    )

  api.get('/accounts/:account/workers/domains', read, (c) => {
    const { hostname, service } = c.req.query()
    const found = [...all(c.req.param('account')).values()]
    return page(
      c,
      found.filter((one) => (!hostname || one.hostname === hostname) && (!service || one.service === service)),
    )
  })
  api.delete('/accounts/:account/workers/domains/:domain', write, (c) => {
    const { account, domain } = c.req.param()
    const one = all(account).get(domain)
    if (one === undefined) return fail(c, 404, 10031, 'Domain not found')
    all(account).delete(domain)
    for (const [id, record] of state.of('dns_records', one.zone_id))
      if (record.name === one.hostname) state.of('dns_records', one.zone_id).delete(id)
    return ok(c, null)
  })
  api.post(`${SCRIPT}/domains/changeset`, write, async (c) => {
    const { account, script } = c.req.param()
    const origins = (await c.req.json()) as Origin[]
    const added = origins.filter(({ hostname }) => at(account, hostname) === undefined)
    const updated = origins
      .flatMap(({ hostname }) => at(account, hostname) ?? [])
      .map((one) => ({ ...one, modified: one.service !== script }))
    const conflicting = added.filter((one) =>
      [...state.of('dns_records', zoneOf(account, one)?.id ?? '').values()].some(({ name }) => name === one.hostname),
    )
    return ok(c, { added, updated, removed: [], conflicting })
  })
  api.put(`${SCRIPT}/domains/records`, write, async (c) => {
    const { account, script } = c.req.param()
    const asked = (await body(c)) as { origins?: Origin[]; override_existing_dns_record?: boolean }
    for (const origin of asked.origins ?? []) {
      const zone = zoneOf(account, origin)
      if (zone === undefined) return fail(c, 400, 10082, `No zone of this account has the hostname ${origin.hostname}.`)
      const records = state.of('dns_records', zone.id)
      for (const [id, { name }] of records) if (name === origin.hostname) records.delete(id)
      const record = { id: hex(), type: 'AAAA', name: origin.hostname, content: '100::', proxied: true, meta: { read_only: true } }
      records.set(record.id, record)
      const id = at(account, origin.hostname)?.id ?? hex()
      const named = { zone_id: zone.id, zone_name: zone.name, environment: 'production' }
      all(account).set(id, { id, hostname: origin.hostname, service: script, ...named })
    }
    return ok(c, null)
  })
}

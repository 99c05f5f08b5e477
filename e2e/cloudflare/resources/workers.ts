// Workers: their uploads, versions and deployments, by the calls that wrangler 4 makes.
import { randomUUID } from 'node:crypto'
import { type Api, body, fail, need, ok, page } from '../envelope.ts'
import type { CloudflareState } from '../state.ts'
import { Refused, readUpload, shownBindings, type Worker, type WorkerVersion } from './worker-upload.ts'

const SCRIPT = '/accounts/:account/workers/scripts/:script'
const GONE = 'This Worker does not exist on your account.'

/** By name. */
export function workersOf(state: CloudflareState, account: string): Map<string, Worker> {
  return state.of<Worker>('workers', account)
}

export function workers(api: Api, state: CloudflareState): void {
  const write = need(state, 'Workers Scripts Write')
  const read = need(state, 'Workers Scripts Read')

  const upload = async (account: string, name: string, form: FormData) => {
    const all = workersOf(state, account)
    const worker = all.get(name)
    const version = await readUpload(form, worker, state.plans.get(account) ?? 'free')
    const fresh: Worker = {
      name,
      versions: [],
      deployments: [],
      schedules: [],
      subdomain: { enabled: false, previews_enabled: false },
      tags: [],
    }
    const into = worker ?? fresh
    into.versions.push(version)
    all.set(name, into)
    return { worker: into, version }
  }

  api.get('/accounts/:account/workers/scripts', read, (c) =>
    page(
      c,
      [...workersOf(state, c.req.param('account')).values()].map(({ name }) => ({ id: name })),
    ),
  )

  api.get('/accounts/:account/workers/services/:script', read, (c) => {
    const worker = workersOf(state, c.req.param('account')).get(c.req.param('script'))
    if (worker === undefined) return fail(c, 404, 10090, 'workers.api.error.service_not_found')
    const script = { id: worker.name, tag: worker.name, tags: worker.tags, last_deployed_from: 'wrangler' }
    return ok(c, { id: worker.name, default_environment: { environment: 'production', script }, environments: [] })
  })

  // The whole upload, live at once: what wrangler does for a Worker that is not there yet.
  api.put(SCRIPT, write, async (c) => {
    try {
      const { worker, version } = await upload(c.req.param('account'), c.req.param('script'), await c.req.formData())
      deploy(worker, version.id, version.annotations)
      return ok(c, { id: worker.name, etag: version.id, deployment_id: version.id.replaceAll('-', ''), startup_time_ms: 5 })
    } catch (error) {
      return refusal(c, error)
    }
  })
  api.delete(SCRIPT, write, (c) => {
    const gone = workersOf(state, c.req.param('account')).delete(c.req.param('script'))
    return gone ? ok(c, null) : fail(c, 404, 10007, GONE)
  })

  api.post(`${SCRIPT}/versions`, write, async (c) => {
    const { account, script } = c.req.param()
    if (!workersOf(state, account).has(script)) return fail(c, 404, 10007, GONE)
    try {
      const { version } = await upload(account, script, await c.req.formData())
      return ok(c, { ...sentVersion(version), startup_time_ms: 5 })
    } catch (error) {
      return refusal(c, error)
    }
  })
  api.get(`${SCRIPT}/versions`, read, (c) => {
    const { account, script } = c.req.param()
    const worker = workersOf(state, account).get(script)
    return worker ? ok(c, { items: worker.versions.map(sentVersion).reverse() }) : fail(c, 404, 10007, GONE)
  })
  api.get(`${SCRIPT}/versions/:version`, read, (c) => {
    const { account, script, version } = c.req.param()
    const found = workersOf(state, account)
      .get(script)
      ?.versions.find(({ id }) => id === version)
    return found ? ok(c, sentVersion(found)) : fail(c, 404, 10088, 'Version not found')
  })

  api.get(`${SCRIPT}/deployments`, read, (c) => {
    const { account, script } = c.req.param()
    const worker = workersOf(state, account).get(script)
    return worker ? ok(c, { deployments: worker.deployments.map(sentDeployment) }) : fail(c, 404, 10007, GONE)
  })
  api.post(`${SCRIPT}/deployments`, write, async (c) => {
    const { account, script } = c.req.param()
    const worker = workersOf(state, account).get(script)
    const asked = (await body(c)) as { versions?: { version_id: string }[]; annotations?: Record<string, string> }
    const versionId = asked.versions?.[0]?.version_id
    if (worker === undefined) return fail(c, 404, 10007, GONE)
    if (!worker.versions.some(({ id }) => id === versionId)) return fail(c, 404, 10088, 'Version not found')
    return ok(c, sentDeployment(deploy(worker, String(versionId), asked.annotations ?? {})))
  })
}

function deploy(worker: Worker, versionId: string, annotations: Record<string, string>): Worker['deployments'][number] {
  const deployment = { id: randomUUID(), versionId, createdOn: new Date().toISOString(), annotations }
  worker.deployments.unshift(deployment)
  return deployment
}

function sentDeployment({ id, versionId, createdOn, annotations }: Worker['deployments'][number]) {
  const versions = [{ version_id: versionId, percentage: 100 }]
  return { id, source: 'wrangler', strategy: 'percentage', created_on: createdOn, author_email: 'owner@example.com', annotations, versions }
}

function sentVersion({ id, number, createdOn, annotations, bindings, compatibilityDate, limits }: WorkerVersion) {
  const shown = shownBindings(bindings)
  const runtime = { compatibility_date: compatibilityDate, limits, usage_model: 'standard' }
  return {
    id,
    number,
    metadata: { created_on: createdOn, source: 'wrangler' },
    annotations,
    resources: { script: { etag: id }, script_runtime: runtime, bindings: shown },
  }
}

function refusal(c: Parameters<typeof fail>[0], error: unknown): Response {
  if (error instanceof Refused) return fail(c, 400, error.code, error.message)
  throw error
}

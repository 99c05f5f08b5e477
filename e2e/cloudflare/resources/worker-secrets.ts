// Secrets of a Worker, changed in one call: a new version, live at once, with all else as it was.
import { randomUUID } from 'node:crypto'
import { type Api, body, fail, need, ok } from '../envelope.ts'
import type { CloudflareState } from '../state.ts'
import { deployedVersion, type WorkerBinding } from './worker-upload.ts'
import { workersOf } from './workers.ts'

export function workerSecrets(api: Api, state: CloudflareState): void {
  api.patch('/accounts/:account/workers/scripts/:script/secrets-bulk', need(state, 'Workers Scripts Write'), async (c) => {
    const { account, script } = c.req.param()
    const worker = workersOf(state, account).get(script)
    const version = worker && deployedVersion(worker)
    if (!worker || !version) return fail(c, 404, 10007, 'This Worker does not exist on your account.')
    const { secrets } = (await body(c)) as { secrets?: Record<string, WorkerBinding | null> }
    const changes = Object.entries(secrets ?? {})
    const taken = changes.find(([name]) => version.bindings.some((one) => one.name === name && one.type !== 'secret_text'))
    if (taken !== undefined)
      return fail(c, 400, 10053, `Binding name '${taken[0]}' already in use. Please use a different name and try again.`)
    const others = version.bindings.filter(({ name }) => !changes.some(([changed]) => changed === name))
    const set = changes.flatMap(([name, secret]) => (secret === null ? [] : [{ ...secret, name, type: 'secret_text' }]))
    const made = { ...version, id: randomUUID(), number: worker.versions.length + 1, bindings: [...others, ...set] }
    made.createdOn = new Date().toISOString()
    worker.versions.push(made)
    worker.deployments.unshift({ id: randomUUID(), versionId: made.id, createdOn: made.createdOn, annotations: {} })
    return ok(c, Object.fromEntries(set.map(({ name, type }) => [name, { name, type }])))
  })
}

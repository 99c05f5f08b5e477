// An uploaded Worker, as wrangler sends it: a form with `metadata` and the modules.
import { randomUUID } from 'node:crypto'

/** A binding as it is sent: its `type` says what else it has. */
export interface WorkerBinding {
  name: string
  type: string
  [field: string]: unknown
}

interface WorkerModule {
  name: string
  contents: string
}

export interface WorkerVersion {
  id: string
  number: number
  createdOn: string
  /** Those of `wrangler deploy --tag` and `--message`. */
  annotations: Record<string, string>
  mainModule: string
  modules: WorkerModule[]
  /** With the secrets that were kept from the version before. */
  bindings: WorkerBinding[]
  compatibilityDate: string
  compatibilityFlags: string[]
  limits: { cpu_ms?: number }
}

export interface Worker {
  name: string
  versions: WorkerVersion[]
  /** The newest first. */
  deployments: { id: string; versionId: string; createdOn: string; annotations: Record<string, string> }[]
  schedules: string[]
  subdomain: { enabled: boolean; previews_enabled: boolean }
  tags: string[]
}

interface Metadata {
  main_module: string
  bindings?: WorkerBinding[]
  keep_bindings?: string[]
  compatibility_date?: string
  compatibility_flags?: string[]
  limits?: { cpu_ms?: number }
  annotations?: Record<string, string>
}

/** A refusal of Cloudflare's: its code and words. */
export class Refused extends Error {
  readonly code: number
  constructor(code: number, message: string) {
    super(message)
    this.code = code
  }
}

/** Reads an upload; secrets and whatever else `keep_bindings` names stay as the version before had them. Throws Refused. */
export async function readUpload(form: FormData, worker: Worker | undefined, plan: 'free' | 'paid'): Promise<WorkerVersion> {
  const metadata = JSON.parse(String(form.get('metadata'))) as Metadata
  if (plan === 'free' && metadata.limits?.cpu_ms !== undefined) throw new Refused(100328, 'CPU limits are not supported for the Free plan.')
  const files = [...form.entries()].flatMap(([name, value]) => (typeof value === 'string' ? [] : [{ name, value }]))
  const modules = await Promise.all(files.map(async ({ name, value }) => ({ name, contents: await value.text() })))
  if (!modules.some(({ name }) => name === metadata.main_module)) throw new Refused(10021, `No such module "${metadata.main_module}".`)
  const sent = (metadata.bindings ?? []).filter(({ type }) => type !== 'inherit')
  const before = worker?.versions.at(-1)?.bindings ?? []
  const kept = before.filter(({ name, type }) => metadata.keep_bindings?.includes(type) && !sent.some((one) => one.name === name))
  const { compatibility_date: date = '2026-11-02', compatibility_flags: flags = [], limits = {}, annotations = {} } = metadata
  return {
    id: randomUUID(),
    number: (worker?.versions.length ?? 0) + 1,
    createdOn: new Date().toISOString(),
    annotations,
    mainModule: metadata.main_module,
    modules: modules.filter(({ name }) => !name.endsWith('.map')),
    bindings: [...sent, ...kept],
    compatibilityDate: date,
    compatibilityFlags: flags,
    limits,
  }
}

/** The version that serves. */
export function deployedVersion(worker: Worker | undefined): WorkerVersion | null {
  const [newest] = worker?.deployments ?? []
  return worker?.versions.find(({ id }) => id === newest?.versionId) ?? null
}

/** As Cloudflare shows them: secrets by their names alone. */
export function shownBindings(bindings: readonly WorkerBinding[]): WorkerBinding[] {
  return bindings.map((one) => (one.type === 'secret_text' ? { name: one.name, type: one.type } : one))
}

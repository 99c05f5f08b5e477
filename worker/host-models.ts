// Which models there are: on the host, priced, and allowed to a key.
import type { Caller } from './auth.ts'
import type { Config } from './config.ts'
import { GatewayError } from './errors.ts'
import type { Exchange } from './exchange.ts'
import { isObject, type JsonObject } from './json.ts'
import { canonicalModel, isCloudModel } from './model-name.ts'
import { Remembered } from './remembered.ts'
import { callHost, hostRefusal, isAnswer, upstreamError } from './upstream.ts'

/** The host's list is remembered for this long, milliseconds: the same for every key, it is filtered for each. */
const LIST_MS = 5_000
/** How long the host may take over a list, milliseconds. */
const LIST_TIMEOUT_MS = 10_000

const listed = new Remembered<JsonObject[]>(LIST_MS)

/** One model of the host under its canonical name, with what `/api/tags` says of it. */
export interface HostModel {
  name: string
  tag: JsonObject
}

/** The models on the host; none that is run elsewhere. Throws GatewayError. */
export async function hostModels({ config, defer }: Pick<Exchange, 'config' | 'defer'>): Promise<HostModel[]> {
  const tags = await listed.get(config.ollamaBaseUrl, () => listTags(config), defer)
  return tags.flatMap((tag) => {
    const name = typeof tag.name === 'string' ? canonicalModel(tag.name) : null
    return name === null || isCloudModel(name) || tag.remote_host !== undefined ? [] : [{ name, tag }]
  })
}

async function listTags(config: Config): Promise<JsonObject[]> {
  const { models } = await hostJson(config, '/api/tags')
  return Array.isArray(models) ? models.filter(isObject) : []
}

/** A JSON object of the host's. Throws GatewayError. */
export async function hostJson(config: Config, path: string, body?: JsonObject): Promise<JsonObject> {
  const signal = AbortSignal.timeout(LIST_TIMEOUT_MS)
  try {
    const answer = await callHost(config, path, { signal, ...(body === undefined ? {} : { method: 'POST', body: JSON.stringify(body) }) })
    if (!isAnswer(answer)) throw await hostRefusal(answer, typeof body?.model === 'string' ? body.model : '')
    const value: unknown = await answer.json()
    return isObject(value) ? value : {}
  } catch (error) {
    if (error instanceof GatewayError) throw error
    throw signal.aborted
      ? new GatewayError('upstream_timeout', 'The host took too long to answer: try again in a moment.', { cause: error })
      : upstreamError(error)
  }
}

/** Says of a canonical name whether it has a price in force that is for the host, and the key may use it. One D1 read. */
export async function offers(db: D1Database, caller: Caller): Promise<(name: string) => boolean> {
  const { results } = await db
    .prepare(
      `SELECT p.model, p.withdrawn, p.upstream FROM prices p WHERE p.id = (SELECT q.id FROM prices q WHERE q.model = p.model
        AND q.valid_from_ms <= CAST(unixepoch('subsec') * 1000 AS INTEGER) ORDER BY q.valid_from_ms DESC, q.id DESC LIMIT 1)`,
    )
    .all<{ model: string; withdrawn: number; upstream: string }>()
  const offered = new Map(results.map((row) => [row.model, row.withdrawn === 0 && row.upstream === 'ollama']))
  const allowed = caller.models === null ? null : new Set(caller.models)
  return (name) => (offered.get(name) ?? offered.get('*') ?? false) && (allowed === null || allowed.has(name))
}

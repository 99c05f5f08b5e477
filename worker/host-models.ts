// Which models there are on the host.
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
      ? new GatewayError('upstream_timeout', 'The host took too long to answer: try again in a moment.', { cause: error, host: 'timeout' })
      : upstreamError(error)
  }
}

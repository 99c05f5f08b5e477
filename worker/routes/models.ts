// What may be used: lists in three shapes, and what a customer may know of a model and of what is loaded.
import { zValidator } from '@hono/zod-validator'
import { Hono } from 'hono'
import * as z from 'zod'
import { authenticate } from '../auth.ts'
import { GatewayError } from '../errors.ts'
import type { Exchange } from '../exchange.ts'
import { type HostModel, hostJson, hostModels } from '../host-models.ts'
import { isObject, type JsonObject, parseBody } from '../json.ts'
import { canonicalModel, vendorName } from '../model-name.ts'
import { offersOf, type VendorModel } from '../offers.ts'
import { modelOf, readBytes } from '../read-request.ts'
import { modelNotFound } from '../refusal.ts'
import { type AppEnv, exchangeOf } from './context.ts'

export const models = new Hono<AppEnv>()

/** The models of the host that the key may use. */
async function offeredOfHost(exchange: Exchange): Promise<HostModel[]> {
  const caller = await authenticate(exchange.db, exchange.request.headers)
  const [list, { hasHostModel }] = await Promise.all([hostModels(exchange), offersOf(exchange, caller)])
  return list.filter((model) => hasHostModel(model.name))
}

/** All models that the key may use. Where there are some of vendors, a host that cannot be asked leaves them to be listed alone. */
async function offered(exchange: Exchange): Promise<{ ofHost: HostModel[]; ofVendors: VendorModel[] }> {
  const caller = await authenticate(exchange.db, exchange.request.headers)
  const [host, { hasHostModel, vendorModels }] = await Promise.all([
    hostModels(exchange).catch((error: unknown) => ({ error })),
    offersOf(exchange, caller),
  ])
  if ('error' in host && vendorModels.length === 0) throw host.error
  return { ofHost: 'error' in host ? [] : host.filter((model) => hasHostModel(model.name)), ofVendors: vendorModels }
}

models.on('GET', ['/api/tags', '/api/models'], async (c) => {
  const list = await offeredOfHost(exchangeOf(c))
  return c.json({ models: list.map((model) => model.tag) })
})

/** What is loaded, of the models that the key may use; nothing of anybody else's. */
models.get('/api/ps', async (c) => {
  const exchange = exchangeOf(c)
  const list = await offeredOfHost(exchange)
  const names = new Set(list.map((model) => model.name))
  const { models: loaded } = await hostJson(exchange.config, '/api/ps')
  const mine = (Array.isArray(loaded) ? loaded : []).filter(isObject).filter((model) => names.has(canonicalModel(String(model.name)) ?? ''))
  return c.json({ models: mine })
})

/** What the owner wrote into the model (system prompt, template, messages, the files it is made of) stays theirs. */
const SHOWN = ['license', 'parameters', 'details', 'model_info', 'capabilities', 'modified_at']

models.post('/api/show', async (c) => {
  const exchange = exchangeOf(c)
  const list = await offeredOfHost(exchange)
  const body = parseBody(await readBytes(exchange.request, exchange.config.bodyLimitBytes), [
    'model',
    'name',
    'verbose',
    'system',
    'template',
    'options',
  ])
  // The CLI puts the name into `name`, with an empty `model`.
  const asked = [body.model, body.name].find((name) => typeof name === 'string' && name !== '')
  if (typeof asked !== 'string') throw new GatewayError('invalid_request', 'model: name a model', { param: 'model' })
  const name = modelOf(asked)
  if (!list.some((model) => model.name === name)) throw modelNotFound(asked)
  const shown = await hostJson(exchange.config, '/api/show', { model: name })
  return c.json(Object.fromEntries(SHOWN.flatMap((field) => (field in shown ? [[field, shown[field]]] : []))))
})

/** A model as either vendor's clients list it. */
interface ListedModel {
  id: string
  createdMs: number
  owner: string
  /** The most output tokens of a vendor's model. */
  outputMax?: number
}

function listed({ ofHost, ofVendors }: Awaited<ReturnType<typeof offered>>): ListedModel[] {
  const local = ofHost.map(({ tag, name }) => {
    const parts = name.split('/')
    return { id: String(tag.name), createdMs: modifiedMs(tag), owner: parts.length > 1 ? String(parts.at(-2)) : 'library' }
  })
  return [
    ...local,
    ...ofVendors.map(({ name, vendor, sinceMs, outputMax }) => ({ id: name, createdMs: sinceMs, owner: vendor, outputMax })),
  ]
}

function openaiModel({ id, createdMs, owner }: ListedModel): JsonObject {
  return { id, object: 'model', created: Math.floor(createdMs / 1000), owned_by: owner }
}

function anthropicModel({ id, createdMs, outputMax }: ListedModel): JsonObject {
  const limits = outputMax === undefined ? {} : { max_tokens: outputMax }
  return { type: 'model', id, display_name: id, created_at: new Date(createdMs).toISOString(), ...limits }
}

function modifiedMs(tag: JsonObject): number {
  const time = Date.parse(String(tag.modified_at))
  return Number.isNaN(time) ? 0 : time
}

const pageQuery = z.object({
  limit: z.coerce.number().int().min(1).max(1000).default(20),
  after_id: z.string().optional(),
  before_id: z.string().optional(),
})
const pageOf = zValidator('query', pageQuery, (result) => {
  if (result.success) return
  const param = String(result.error.issues[0]?.path[0] ?? '')
  throw new GatewayError('invalid_request', `${param}: must be a whole number from 1 to 1000.`, { param })
})

models.get('/v1/models', pageOf, async (c) => {
  const list = listed(await offered(exchangeOf(c)))
  if (c.req.header('anthropic-version') === undefined) return c.json({ object: 'list', data: list.map(openaiModel) })
  const { data, hasMore } = page(list, c.req.valid('query'))
  return c.json({ data: data.map(anthropicModel), has_more: hasMore, first_id: data[0]?.id ?? null, last_id: data.at(-1)?.id ?? null })
})

interface Page {
  limit: number
  after_id?: string | undefined
  before_id?: string | undefined
}

/** A page as Anthropic cuts them: after an id, or the last ones before one. Throws invalid_request for an id that is in no page. */
function page(
  list: ListedModel[],
  { limit, after_id: after, before_id: before }: { limit: number; after_id?: string; before_id?: string },
) {
  const at = (id: string, param: string) => {
    const index = list.findIndex((model) => model.id === id)
    if (index === -1) throw new GatewayError('invalid_request', `${param}: no model of that id is in the list.`, { param })
    return index
  }
  if (before !== undefined) {
    const end = at(before, 'before_id')
    return { data: list.slice(Math.max(0, end - limit), end), hasMore: end > limit }
  }
  const start = after === undefined ? 0 : at(after, 'after_id') + 1
  return { data: list.slice(start, start + limit), hasMore: list.length > start + limit }
}

models.get('/v1/models/:id{.+}', async (c) => {
  const list = listed(await offered(exchangeOf(c)))
  const id = c.req.param('id')
  const name = canonicalModel(id)
  const bare = name === null ? null : vendorName(id, name)
  const model = list.find((each) => each.id === bare) ?? list.find((each) => canonicalModel(each.id) === name)
  if (model === undefined) throw modelNotFound(id)
  return c.json(c.req.header('anthropic-version') === undefined ? openaiModel(model) : anthropicModel(model))
})

// What may be used: lists in three shapes, and what a customer may know of a model and of what is loaded.
import { zValidator } from '@hono/zod-validator'
import { Hono } from 'hono'
import * as z from 'zod'
import { authenticate } from '../auth.ts'
import { GatewayError } from '../errors.ts'
import type { Exchange } from '../exchange.ts'
import { type HostModel, hostJson, hostModels } from '../host-models.ts'
import { isObject, parseBody } from '../json.ts'
import { canonicalModel, vendorName } from '../model-name.ts'
import { offersOf } from '../offers.ts'
import { modelOf, readBytes } from '../read-request.ts'
import { modelNotFound } from '../refusal.ts'
import { type AppEnv, exchangeOf } from './context.ts'
import { anthropicModel, type ListedModel, listed, openaiModel, page } from './model-lists.ts'

export const models = new Hono<AppEnv>()

/** The models of the host that the key may use. */
async function offeredOfHost(exchange: Exchange): Promise<HostModel[]> {
  const caller = await authenticate(exchange.db, exchange.request.headers)
  const [list, { hasHostModel }] = await Promise.all([hostModels(exchange), offersOf(exchange, caller)])
  return list.filter((model) => hasHostModel(model.name))
}

/** All models that the key may use. Where there are some of vendors, a host that cannot be asked leaves them to be listed alone. */
async function offered(exchange: Exchange): Promise<ListedModel[]> {
  const caller = await authenticate(exchange.db, exchange.request.headers)
  const [host, { hasHostModel, vendorModels }] = await Promise.all([
    hostModels(exchange).catch((error: unknown) => ({ error })),
    offersOf(exchange, caller),
  ])
  if ('error' in host && vendorModels.length === 0) throw host.error
  return listed('error' in host ? [] : host.filter((model) => hasHostModel(model.name)), vendorModels)
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
  const list = await offered(exchangeOf(c))
  if (c.req.header('anthropic-version') === undefined) return c.json({ object: 'list', data: list.map(openaiModel) })
  const { data, hasMore } = page(list, c.req.valid('query'))
  return c.json({ data: data.map(anthropicModel), has_more: hasMore, first_id: data[0]?.id ?? null, last_id: data.at(-1)?.id ?? null })
})

models.get('/v1/models/:id{.+}', async (c) => {
  const list = await offered(exchangeOf(c))
  const id = c.req.param('id')
  const name = canonicalModel(id)
  const bare = name === null ? null : vendorName(id, name)
  const model = list.find((each) => each.id === bare) ?? list.find((each) => canonicalModel(each.id) === name)
  if (model === undefined) throw modelNotFound(id)
  return c.json(c.req.header('anthropic-version') === undefined ? openaiModel(model) : anthropicModel(model))
})

// What may be used: lists in three shapes, and what a customer may know of a model and of what is loaded.
import { Hono } from 'hono'
import { authenticate, type Caller } from '../auth.ts'
import { GatewayError } from '../errors.ts'
import type { Exchange } from '../exchange.ts'
import { type HostModel, hostJson, hostModels, offers } from '../host-models.ts'
import { isObject, type JsonObject, parseBody } from '../json.ts'
import { canonicalModel } from '../model-name.ts'
import { modelOf, readBytes } from '../read-request.ts'
import { modelNotFound } from '../refusal.ts'
import { type AppEnv, exchangeOf } from './context.ts'

export const models = new Hono<AppEnv>()

async function offered(exchange: Exchange): Promise<{ caller: Caller; list: HostModel[] }> {
  const caller = await authenticate(exchange.db, exchange.request.headers)
  const [list, isOffered] = await Promise.all([hostModels(exchange), offers(exchange.db, caller)])
  return { caller, list: list.filter((model) => isOffered(model.name)) }
}

models.on('GET', ['/api/tags', '/api/models'], async (c) => {
  const { list } = await offered(exchangeOf(c))
  return c.json({ models: list.map((model) => model.tag) })
})

/** What is loaded, of the models that the key may use; nothing of anybody else's. */
models.get('/api/ps', async (c) => {
  const exchange = exchangeOf(c)
  const { list } = await offered(exchange)
  const names = new Set(list.map((model) => model.name))
  const { models: loaded } = await hostJson(exchange.config, '/api/ps')
  const mine = (Array.isArray(loaded) ? loaded : []).filter(isObject).filter((model) => names.has(canonicalModel(String(model.name)) ?? ''))
  return c.json({ models: mine })
})

/** What the owner wrote into the model (system prompt, template, messages, the files it is made of) stays theirs. */
const SHOWN = ['license', 'parameters', 'details', 'model_info', 'capabilities', 'modified_at']

models.post('/api/show', async (c) => {
  const exchange = exchangeOf(c)
  const { list } = await offered(exchange)
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

function openaiModel({ tag, name }: HostModel): JsonObject {
  const parts = name.split('/')
  return {
    id: tag.name,
    object: 'model',
    created: Math.floor(modifiedMs(tag) / 1000),
    owned_by: parts.length > 1 ? parts.at(-2) : 'library',
  }
}

function anthropicModel({ tag }: HostModel): JsonObject {
  return { type: 'model', id: tag.name, display_name: tag.name, created_at: new Date(modifiedMs(tag)).toISOString() }
}

function modifiedMs(tag: JsonObject): number {
  const time = Date.parse(String(tag.modified_at))
  return Number.isNaN(time) ? 0 : time
}

models.get('/v1/models', async (c) => {
  const { list } = await offered(exchangeOf(c))
  if (c.req.header('anthropic-version') === undefined) return c.json({ object: 'list', data: list.map(openaiModel) })
  const data = list.map(anthropicModel)
  return c.json({ data, has_more: false, first_id: data[0]?.id ?? null, last_id: data.at(-1)?.id ?? null })
})

models.get('/v1/models/:id{.+}', async (c) => {
  const { list } = await offered(exchangeOf(c))
  const id = c.req.param('id')
  const name = canonicalModel(id)
  const model = list.find((each) => each.name === name)
  if (model === undefined) throw modelNotFound(id)
  return c.json(c.req.header('anthropic-version') === undefined ? openaiModel(model) : anthropicModel(model))
})

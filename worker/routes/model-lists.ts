// The models that a key may use, as both vendors' clients list them.
import { GatewayError } from '../errors.ts'
import type { HostModel } from '../host-models.ts'
import type { JsonObject } from '../json.ts'
import type { VendorModel } from '../offers.ts'

/** A model as either vendor's clients list it. */
export interface ListedModel {
  id: string
  createdMs: number
  owner: string
  /** The most output tokens of a vendor's model. */
  outputMax?: number
}

export function listed(ofHost: readonly HostModel[], ofVendors: readonly VendorModel[]): ListedModel[] {
  const local = ofHost.map(({ tag, name }) => {
    const parts = name.split('/')
    return { id: String(tag.name), createdMs: modifiedMs(tag), owner: parts.length > 1 ? String(parts.at(-2)) : 'library' }
  })
  return [
    ...local,
    ...ofVendors.map(({ name, vendor, sinceMs, outputMax }) => ({ id: name, createdMs: sinceMs, owner: vendor, outputMax })),
  ]
}

export function openaiModel({ id, createdMs, owner }: ListedModel): JsonObject {
  return { id, object: 'model', created: Math.floor(createdMs / 1000), owned_by: owner }
}

export function anthropicModel({ id, createdMs, outputMax }: ListedModel): JsonObject {
  const limits = outputMax === undefined ? {} : { max_tokens: outputMax }
  return { type: 'model', id, display_name: id, created_at: new Date(createdMs).toISOString(), ...limits }
}

function modifiedMs(tag: JsonObject): number {
  const time = Date.parse(String(tag.modified_at))
  return Number.isNaN(time) ? 0 : time
}

interface Page {
  limit: number
  after_id?: string | undefined
  before_id?: string | undefined
}

/** A page as Anthropic cuts them: after an id, or the last ones before one. Throws invalid_request for an id that is in no page. */
export function page(list: ListedModel[], { limit, after_id: after, before_id: before }: Page) {
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

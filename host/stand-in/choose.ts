// Chooses the answer to a call: at the door, refused, or as recorded.
import { asked, type Call } from './call.ts'
import { type Answer, mapText, recorded } from './captures.ts'
import { atTheDoor, withOrigin } from './door.ts'
import { embedding } from './embed.ts'
import { inference } from './inference.ts'
import { modelNamed } from './models.ts'
import { refusal } from './refuse.ts'
import { isInference } from './wires.ts'

const LISTS: Record<string, string> = {
  '/': 'root.get',
  '/api/version': 'api-version.get',
  '/api/tags': 'api-tags',
  '/api/ps': 'api-ps',
  '/api/status': 'api-status',
  '/v1/models': 'v1-models',
}

/** What Ollama answers to this call. HEAD gets the answer of GET; the server leaves its body out. */
export function choose(call: Call, checksHost: boolean): Answer {
  return withOrigin(atTheDoor(call, checksHost) ?? run(call), call.headers.origin)
}

function run(call: Call): Answer {
  const list = LISTS[call.path]
  if (list !== undefined) return recorded(list)
  if (call.path.startsWith('/v1/models/')) return oneModel(decoded(call.path.slice('/v1/models/'.length)))
  const refused = refusal(call)
  if (refused !== null) return refused
  if (call.path === '/api/show') return shown(call)
  return isInference(call.path) ? inference(call, call.path) : embedding(call)
}

/** The id is echoed as it was asked for. */
function oneModel(id: string): Answer {
  if (modelNamed(id) !== null) return mapText(recorded('v1-models.one'), (text) => text.replace('"gemma3:270m"', () => JSON.stringify(id)))
  const name = id.includes(':') ? id : `${id}:latest`
  return mapText(recorded('v1-models.one.unknown'), (text) => text.replace('nope:latest', () => JSON.stringify(name).slice(1, -1)))
}

function decoded(segment: string): string {
  try {
    return decodeURIComponent(segment)
  } catch {
    return segment
  }
}

function shown(call: Call): Answer {
  const { model, name } = asked(call)
  const { id = '', can = [] } = modelNamed(String(model || name)) ?? {}
  if (can.includes('tools')) return recorded('api-show.toy-tools')
  const capabilities = `"capabilities":${JSON.stringify(can)}`
  const family = id === 'gemma3:270m' ? recorded('api-show') : mapText(recorded('api-show'), (text) => text.replaceAll('gemma3:270m', id))
  return mapText(family, (text) => text.replace('"capabilities":["completion"]', capabilities))
}

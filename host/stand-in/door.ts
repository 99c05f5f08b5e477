// The door of Ollama: which Host and Origin it lets in, pre-flights, untidy paths, and paths and methods that it does not have.
import { hostname } from 'node:os'
import type { Call } from './call.ts'
import { type Answer, recorded } from './captures.ts'

const METHODS: Record<string, readonly string[]> = {
  '/': ['GET', 'HEAD'],
  '/api/version': ['GET', 'HEAD'],
  '/api/tags': ['GET', 'HEAD'],
  '/api/ps': ['GET'],
  '/api/status': ['GET'],
  '/v1/models': ['GET'],
  '/api/show': ['POST'],
  '/api/chat': ['POST'],
  '/api/generate': ['POST'],
  '/api/embed': ['POST'],
  '/api/embeddings': ['POST'],
  '/v1/chat/completions': ['POST'],
  '/v1/completions': ['POST'],
  '/v1/embeddings': ['POST'],
  '/v1/messages': ['POST'],
  '/v1/responses': ['POST'],
}

const LOCAL_ORIGIN =
  /^(?:https?:\/\/(?:localhost|127\.0\.0\.1|0\.0\.0\.0|\[::1\])(?::\d+)?$|(?:app|file|tauri|vscode-webview|vscode-file):\/\/)/

/** The answer at the door, or null for a call that is let in. `checksHost` is true where Ollama is bound to loopback. */
export function atTheDoor(call: Call, checksHost: boolean): Answer | null {
  if (checksHost && !isLocalHost(call.headers.host ?? '')) return recorded('error.foreign-host')
  const origin = call.headers.origin
  if (origin !== undefined && origin !== `http://${call.headers.host}` && !LOCAL_ORIGIN.test(origin))
    return recorded('error.foreign-origin')
  if (origin !== undefined && call.method === 'OPTIONS') return withOrigin(recorded('ok.preflight'), origin)
  return astray(call)
}

/** An allowed Origin is told that it is allowed. */
export function withOrigin(answer: Answer, origin: string | undefined): Answer {
  if (origin === undefined || !LOCAL_ORIGIN.test(origin)) return answer
  const kept = answer.headers.filter(([name]) => !['access-control-allow-origin', 'vary'].includes(name.toLowerCase()))
  const vary = answer.headers.filter(([name]) => name.toLowerCase() === 'vary')
  return {
    ...answer,
    headers: [['Access-Control-Allow-Origin', origin], ...kept, ...(vary.length > 0 ? vary : [['Vary', 'Origin'] as [string, string]])],
  }
}

function astray({ path, method }: Call): Answer | null {
  const methods = methodsOf(path)
  if (methods === null) {
    const tidy = path.replace(/\/{2,}/g, '/').replace(/(?<=.)\/$/, '')
    if (tidy === path || methodsOf(tidy) === null) return recorded('error.unknown-path')
    return { ...recorded('error.trailing-slash'), status: method === 'GET' ? 301 : 307, headers: [['Location', tidy]] }
  }
  if (methods.includes(method)) return null
  const refused = recorded('error.wrong-method.get-api-chat')
  return { ...refused, headers: refused.headers.map(([name, value]) => (name === 'Allow' ? [name, methods.join(', ')] : [name, value])) }
}

function methodsOf(path: string): readonly string[] | null {
  // One segment: `/v1/models/{id}` holds no slash, escaped or not.
  if (/^\/v1\/models\/[^/]+$/.test(path) && !/%2f/i.test(path)) return ['GET']
  return METHODS[path] ?? null
}

/** localhost, this machine's name, private endings, loopback and private addresses. */
function isLocalHost(header: string): boolean {
  const name = header
    .toLowerCase()
    .replace(/:\d+$/, '')
    .replace(/^\[|\]$/g, '')
  if (name === '' || name === 'localhost' || name === hostname().toLowerCase()) return true
  if (/\.(?:localhost|local|internal)$/.test(name)) return true
  return (
    /^(?:127\.|10\.|192\.168\.|172\.(?:1[6-9]|2\d|3[01])\.|169\.254\.|0\.0\.0\.0$)/.test(name) ||
    /^(?:::1?|f[cd][\da-f]{2}:.*|fe80:.*)$/.test(name)
  )
}

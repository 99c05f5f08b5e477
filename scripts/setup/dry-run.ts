// --dry-run: every call is shown; those that write are answered here, as Cloudflare would, and not made.
import { withoutSecrets } from './secret-words.ts'

/** Stands where an id or a secret would be that only Cloudflare can give. */
const UNMADE = 'not-made-yet'

/** The answer to a call in Cloudflare's place; null: it may be made. */
export type Pretender = (method: string, url: string, body: unknown) => Response | null

export function pretender(baseUrl: string, say: (line: string) => void): Pretender {
  return function pretend(method, url, body) {
    const path = url.startsWith(baseUrl) ? url.slice(baseUrl.length) : url
    const asked: unknown = typeof body === 'string' ? JSON.parse(body) : {}
    const shown = body === undefined || body === null ? '' : ` ${JSON.stringify(withoutSecrets(asked))}`
    const isRead = method === 'GET' || /\/d1\/database\/[^/]+\/raw$/.test(path)
    if (isRead) {
      say(`  reads   ${method} ${path}${shown}`)
      if (!path.includes(UNMADE)) return null
      return answer(path.endsWith('/token') ? UNMADE : [])
    }
    say(`  writes  ${method} ${path}${shown}`)
    return answer({ ...(asked as object), ...unmade() })
  }
}

function unmade(): Record<string, string> {
  const names = ['id', 'uuid', 'service_id', 'client_id', 'client_secret', 'aud', 'token']
  return Object.fromEntries(names.map((name) => [name, UNMADE]))
}

function answer(result: unknown): Response {
  return Response.json({
    success: true,
    errors: [],
    messages: [],
    result,
    result_info: { page: 1, per_page: 20, count: 0, total_count: 0 },
  })
}

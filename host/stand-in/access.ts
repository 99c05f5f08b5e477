// Plays Cloudflare Access in front of the box: no service token is sent to the log-in page, a wrong one is refused.
import type { Call } from './call.ts'
import type { Answer } from './captures.ts'
import { madeUp } from './made-up.ts'

export interface AccessToken {
  clientId: string
  clientSecret: string
}

/** What Access answers in place of the box; null when the token is right. */
export function accessAnswer(token: AccessToken, { headers, path }: Call): Answer | null {
  const id = headers['cf-access-client-id']
  const secret = headers['cf-access-client-secret']
  if (id === token.clientId && secret === token.clientSecret) return null
  if (id === undefined && secret === undefined) {
    const query = new URLSearchParams({ kid: 'stand-in', redirect_url: path })
    const login = `https://example.cloudflareaccess.com/cdn-cgi/access/login/${headers.host ?? 'localhost'}?${query}`
    return page(302, 'Redirecting', [['Location', login]])
  }
  return page(403, 'Forbidden. You do not have permission to view this.', [])
}

function page(status: number, text: string, headers: [string, string][]): Answer {
  const html = `<!DOCTYPE html><html><head><title>Cloudflare Access</title></head><body>${text}</body></html>\n`
  return madeUp(status, [['Content-Type', 'text/html'], ['Server', 'cloudflare'], ...headers], html)
}

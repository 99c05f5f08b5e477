// Plays Cloudflare Access in front of the box: whoever brings none of the service tokens is turned away, as Access does it.
import type { Call } from './call.ts'
import type { Answer } from './captures.ts'
import { cloudflarePage } from './cloudflare-page.ts'

export interface AccessToken {
  clientId: string
  clientSecret: string
  /** From when on it is refused as a wrong one is, milliseconds since 1970; never unless told. */
  expiresMs?: number
}

/** How others are turned away. `usual`: no token is sent to the log-in page, a wrong or expired one is a 403 page. */
export const REFUSALS = ['usual', 'login', 'unauthorized', 'forbidden'] as const
export type Refusal = (typeof REFUSALS)[number]

/** What Access answers in place of the box; null when a token is right. */
export function accessAnswer(tokens: readonly AccessToken[], refusal: Refusal, call: Call, nowMs: number): Answer | null {
  const id = call.headers['cf-access-client-id']
  const secret = call.headers['cf-access-client-secret']
  const isRight = ({ clientId, clientSecret, expiresMs = Number.POSITIVE_INFINITY }: AccessToken) =>
    id === clientId && secret === clientSecret && nowMs < expiresMs
  if (tokens.some(isRight)) return null
  const usual = id === undefined && secret === undefined ? 'login' : 'forbidden'
  return REFUSED[refusal === 'usual' ? usual : refusal](call)
}

const REFUSED: Record<Exclude<Refusal, 'usual'>, (call: Call) => Answer> = {
  login: ({ headers, path }) => cloudflarePage(302, 'Redirecting', [['Location', loginUrl(headers.host ?? 'localhost', path)]]),
  // An application with `service_auth_401_redirect`.
  unauthorized: () => cloudflarePage(401, 'Unauthorized', [['WWW-Authenticate', 'Cloudflare-Access']]),
  forbidden: () => cloudflarePage(403, 'Forbidden. You do not have permission to view this.'),
}

function loginUrl(host: string, path: string): string {
  const query = new URLSearchParams({ kid: 'stand-in', redirect_url: path })
  return `https://example.cloudflareaccess.com/cdn-cgi/access/login/${host}?${query}`
}

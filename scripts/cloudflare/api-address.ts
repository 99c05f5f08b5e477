// Where Cloudflare's API is, and what it means that it does not come to be asked.

const API = 'https://api.cloudflare.com/client/v4'
export const API_SETTING = 'CLOUDFLARE_API_BASE_URL'

/** CLOUDFLARE_API_BASE_URL, or Cloudflare's own; without a slash at its end. Throws an Error that names the variable. */
export function apiAddress(environment: Record<string, string | undefined>): string {
  const given = environment[API_SETTING]?.trim() || API
  const url = URL.canParse(given) ? new URL(given) : null
  if (url?.protocol === 'https:' || url?.protocol === 'http:') return given.replace(/\/+$/, '')
  throw new Error(`${API_SETTING} is ${JSON.stringify(given)}, which is no address: leave it out, or give one such as ${API}.`)
}

/** Node's fetch asks at no port that other protocols have, and says no more than this. */
export function isBarredPort(error: unknown): boolean {
  for (let inner = error; inner instanceof Error; inner = inner.cause) if (inner.message === 'bad port') return true
  return false
}

/** As Cloudflare words a token that it does not know, or that is none. */
export function isUnknownToken(said: string): boolean {
  return /invalid (?:request headers|api token|format for authorization header)/i.test(said)
}

/** The code of the innermost cause that has one, such as ECONNREFUSED; without one, its words. */
export function causeOf(error: Error): string {
  let words = error.message
  let inner: unknown = error
  for (let depth = 0; depth < 5 && inner instanceof Error; depth++) {
    const { code } = inner as NodeJS.ErrnoException
    if (code !== undefined) return code
    words = inner.message || words
    // One of several addresses that were tried.
    inner = inner.cause ?? (inner instanceof AggregateError ? inner.errors[0] : undefined)
  }
  return words.replace(/\.+$/, '')
}

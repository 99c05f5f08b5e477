// CORS_ORIGINS: which web pages may ask from a browser, read from its text, and whether an origin is among them.

/** One entry: every origin, an exact one, or any below a host. */
export type AllowedOrigin = '*' | { exact: string } | { scheme: string; suffix: string }

const EXAMPLE = 'write origins such as https://app.example.com or http://localhost:5173, commas between them'

/** Throws an Error that names the entry that is none, and says what one looks like. */
export function readOrigins(text: string): AllowedOrigin[] {
  const entries = text
    .split(',')
    .map((entry) => entry.trim())
    .filter((entry) => entry !== '')
  if (entries.includes('*') && entries.length > 1) throw new Error('"*" allows every page, so it stands alone: leave the others out, or it')
  return entries.map(readOrigin)
}

function readOrigin(entry: string): AllowedOrigin {
  if (entry === '*') return '*'
  const shown = `"${entry.slice(0, 100)}"`
  const [, scheme, host] = entry.match(/^(https?):\/\/\*\.(.*)$/i) ?? []
  // The star must not reach further than a browser's own notion of one site would let it: a whole top-level domain is nobody's.
  if (scheme !== undefined && host !== undefined) {
    const { origin } = originOf(`${scheme}://${host}`, shown)
    const below = origin.slice(origin.indexOf('://') + 3)
    if (!below.includes('.')) throw new Error(`${shown} is too wide: name a domain after "*.", as in https://*.example.com`)
    return { scheme: `${scheme.toLowerCase()}://`, suffix: `.${below}` }
  }
  return { exact: originOf(entry, shown).origin }
}

function originOf(text: string, shown: string): URL {
  let url: URL
  try {
    url = new URL(text)
  } catch {
    throw new Error(`${shown} is no origin: ${EXAMPLE}`)
  }
  const isBare = url.pathname === '/' && url.search === '' && url.hash === '' && url.username === '' && !text.endsWith('/')
  if (!/^https?:$/.test(url.protocol) || text.includes('*') || !isBare) throw new Error(`${shown} is no origin: ${EXAMPLE}`)
  return url
}

/** What Access-Control-Allow-Origin says to a page of this origin; null: nothing, it may not ask. */
export function allowedOrigin(origins: readonly AllowedOrigin[], origin: string): string | null {
  for (const allowed of origins) {
    if (allowed === '*') return '*'
    if ('exact' in allowed ? origin === allowed.exact : isBelow(origin, allowed)) return origin
  }
  return null
}

function isBelow(origin: string, { scheme, suffix }: { scheme: string; suffix: string }): boolean {
  return (
    origin.startsWith(scheme) && origin.endsWith(suffix) && /^[a-z0-9-]+(\.[a-z0-9-]+)*$/.test(origin.slice(scheme.length, -suffix.length))
  )
}

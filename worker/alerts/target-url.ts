// Where alerts may go, and what may be shown of such an address.

const LOOPBACK = /^(localhost|127(\.\d{1,3}){3}|\[::1\])$/

/** The address, or null for one that no alert goes to: https, or http on this machine. */
export function targetUrl(text: string): URL | null {
  if (!URL.canParse(text)) return null
  const url = new URL(text)
  return url.protocol === 'https:' || (url.protocol === 'http:' && LOOPBACK.test(url.hostname)) ? url : null
}

/**
 * An address without what is secret in it: user and password, the query, and path segments that look like tokens or topics of one's own
 * (Slack's whole secret is its path).
 */
export function shownUrl(text: string): string {
  if (!URL.canParse(text)) return '…'
  const { protocol, host, pathname } = new URL(text)
  const path = pathname.split('/').map((part) => (part.length > 8 ? `${part.slice(0, 3)}…` : part))
  return `${protocol}//${host}${path.join('/').replace(/\/$/, '')}`
}

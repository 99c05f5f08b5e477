// A fetch to what the world sees: public hostnames, and those of the box.
import { connect } from 'node:net'
import { Agent } from 'undici'

/**
 * `fetch`, or where `CLOUDFLARE_EDGE_URL` is set, one that asks that address for every hostname, without TLS, as the stand-in for Cloudflare's edge
 * is asked. Redirects are never followed: one of Cloudflare Access says something, and no header may go along. Throws an Error that names the variable.
 */
export function publicFetch(environment: Record<string, string | undefined>): typeof fetch {
  const dispatcher = standInFor(environment.CLOUDFLARE_EDGE_URL?.trim())
  return function ask(input, init) {
    return fetch(input, { ...init, redirect: 'manual', ...(dispatcher === null ? {} : { dispatcher }) } as RequestInit)
  }
}

function standInFor(edge: string | undefined): Agent | null {
  if (!edge) return null
  const url = URL.canParse(edge) ? new URL(edge) : null
  if (url?.protocol !== 'http:') {
    throw new Error(`CLOUDFLARE_EDGE_URL is ${JSON.stringify(edge)}: give an address such as http://127.0.0.1:8791, or leave it out.`)
  }
  return new Agent({
    connect: (_, connected) => {
      const socket = connect(Number(url.port || 80), url.hostname)
      socket.once('error', (error) => connected(error, null))
      socket.once('connect', () => connected(null, socket))
    },
  })
}

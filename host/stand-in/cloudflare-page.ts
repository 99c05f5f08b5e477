// What Cloudflare answers itself: with the headers that show it was not the box.
import { randomBytes } from 'node:crypto'
import type { Answer } from './captures.ts'
import { madeUp } from './made-up.ts'

/** What Cloudflare adds to every answer that passes it. */
export function cloudflareHeaders(): [string, string][] {
  return [
    ['Server', 'cloudflare'],
    ['CF-RAY', `${randomBytes(8).toString('hex')}-FRA`],
  ]
}

/** A page for people. */
export function cloudflarePage(status: number, text: string, headers: [string, string][] = []): Answer {
  const html = `<!DOCTYPE html>\n<html lang="en-US"><head><title>${text} | Cloudflare</title></head><body><h1>${text}</h1></body></html>\n`
  return madeUp(status, [['Content-Type', 'text/html; charset=UTF-8'], ...cloudflareHeaders(), ...headers], html)
}

/** A line, which is what those get that do not ask for a page. */
export function cloudflareLine(status: number, code: number): Answer {
  return madeUp(status, [['Content-Type', 'text/plain; charset=UTF-8'], ...cloudflareHeaders()], `error code: ${code}`)
}

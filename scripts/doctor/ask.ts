// One question over HTTP, with an end to the patience: what came back, or why nothing did.

export interface Answer {
  status: number
  headers: Headers
  text: string
  /** When it came, of our clock, and how long it took. */
  atMs: number
  tookMs: number
}

/** `silent`: no answer came, and why. */
export type Asked = Answer | { silent: string }

const TIMEOUT_MS = 15_000
/** Pages are read for what they say in their beginning. */
const TEXT_MOST = 1_000_000

export async function ask(
  fetch: typeof globalThis.fetch,
  url: string,
  { timeoutMs = TIMEOUT_MS, nowMs = Date.now, ...init }: RequestInit & { timeoutMs?: number; nowMs?: () => number } = {},
): Promise<Asked> {
  const startMs = nowMs()
  try {
    const response = await fetch(url, { ...init, redirect: 'manual', signal: AbortSignal.timeout(timeoutMs) })
    const text = (await response.text()).slice(0, TEXT_MOST)
    return { status: response.status, headers: response.headers, text, atMs: nowMs(), tookMs: nowMs() - startMs }
  } catch (error) {
    return { silent: whyNot(error as Error, timeoutMs) }
  }
}

function whyNot(error: Error, timeoutMs: number): string {
  if (error.name === 'TimeoutError') return `no answer within ${timeoutMs / 1000} s`
  const cause = (error.cause ?? error) as NodeJS.ErrnoException
  return cause.code === 'ECONNREFUSED' ? 'the connection is refused' : (cause.code ?? cause.message)
}

/** The answer as JSON; null where it is none. */
export function jsonIn({ text }: Answer): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return null
  }
}

export function isPage({ headers }: Pick<Answer, 'headers'>): boolean {
  return (headers.get('content-type') ?? '').startsWith('text/html')
}

// The way to Cloudflare's API: the official SDK over a fetch that waits when told to, stops when told to, and in a dry run writes nothing.
import Cloudflare from 'cloudflare'
import { API_SETTING, apiAddress } from '../cloudflare/api-address.ts'
import { type Pretender, pretender } from './dry-run.ts'
import { Stopped } from './problem.ts'

/** A call's. Cloudflare's slowest of ours, the making of a database, takes some seconds. */
const TIMEOUT_MS = 30_000
const TRIES = 4
const WAIT_MAX_MS = 60_000

export interface ApiOptions {
  token: string
  /** CLOUDFLARE_API_BASE_URL; another than Cloudflare's is a stand-in. */
  baseUrl: string | undefined
  /** Once it is aborted no further call is made. */
  signal: AbortSignal
  say(line: string): void
  sleep(ms: number): Promise<void>
  dryRun: boolean
  timeoutMs?: number
}

export function openApi(options: ApiOptions): Cloudflare {
  const baseURL = apiAddress({ [API_SETTING]: options.baseUrl })
  const pretend = options.dryRun ? pretender(baseURL, options.say) : null
  return new Cloudflare({
    apiToken: options.token,
    // A key of the environment would go along beside the token.
    apiKey: null,
    apiEmail: null,
    userServiceKey: null,
    baseURL,
    // The SDK's clock would run on while Cloudflare has us wait: each try has one of its own below.
    timeout: TRIES * (TIMEOUT_MS + WAIT_MAX_MS),
    // What the SDK would repeat may have been done: a call that makes something is repeated only where it surely was not.
    maxRetries: 0,
    logLevel: 'off',
    fetch: (input, init) => patientFetch(options, pretend, String(input), init ?? {}),
  })
}

async function patientFetch(options: ApiOptions, pretend: Pretender | null, url: string, init: RequestInit): Promise<Response> {
  const { signal, say, sleep, timeoutMs = TIMEOUT_MS } = options
  const method = init.method?.toUpperCase() ?? 'GET'
  const pretended = pretend?.(method, url, init.body)
  if (pretended) return pretended
  for (let tried = 1; ; tried++) {
    if (signal.aborted) throw new Stopped()
    const answer = await fetch(url, { ...init, redirect: 'manual', signal: AbortSignal.timeout(timeoutMs) }).catch((error: unknown) => {
      if (method === 'GET' && tried < TRIES) return null
      throw error
    })
    const last = tried === TRIES
    if (answer !== null && (last || !isWorthRetrying(method, answer.status))) return answer
    const waitMs = answer?.status === 429 ? retryAfterMs(answer) : 500 * tried
    if (answer?.status === 429) say(`Cloudflare asks to wait ${Math.ceil(waitMs / 1000)} s …`)
    await answer?.body?.cancel()
    await sleep(waitMs)
  }
}

/** 429 was not done, and reading twice does no harm. */
function isWorthRetrying(method: string, status: number): boolean {
  return status === 429 || (method === 'GET' && status >= 500)
}

function retryAfterMs(answer: Response): number {
  const seconds = Number(answer.headers.get('retry-after') ?? 5)
  return Math.min(WAIT_MAX_MS, Number.isFinite(seconds) && seconds > 0 ? seconds * 1000 : 5000)
}

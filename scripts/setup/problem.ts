// How set-up ends before its end, and what an error of Cloudflare's API means to the owner.
import Cloudflare from 'cloudflare'
import { causeOf } from '../cloudflare/api-address.ts'

/** It could not be done. The message says what is wrong and what to do. */
export class SetupError extends Error {
  override name = 'SetupError'
}

/** Something of somebody else's is where ours would be. */
export class NotOurs extends SetupError {}

/** It is there, and was not seen to work. */
export class HalfMade extends SetupError {}

/** The owner stopped it. */
export class Stopped extends Error {
  override name = 'Stopped'
}

const AGAIN = 'Run the same command again: it goes on where it stopped.'

/** What went wrong with a call, in the owner's terms. @param rights what the call needs, as the dashboard names it */
export function explain(error: unknown, rights: readonly string[]): unknown {
  if (!(error instanceof Cloudflare.CloudflareError)) return error
  const stopped = (error as Error).cause
  if (stopped instanceof Stopped) return stopped
  if (error instanceof Cloudflare.APIConnectionTimeoutError) return new SetupError(`Cloudflare's API does not answer. ${AGAIN}`)
  if (error instanceof Cloudflare.APIConnectionError) {
    return new SetupError(`Cloudflare's API cannot be reached: ${causeOf(error)}. Check the network (and a proxy or firewall). ${AGAIN}`)
  }
  if (!(error instanceof Cloudflare.APIError)) return error
  const { status, errors } = error
  const said = errors.map(({ code, message }) => `${message} (${code})`).join('; ') || `HTTP ${status}`
  if (isWithoutZeroTrust(error)) return new SetupError(NO_ZERO_TRUST)
  if (isElsewhere(error))
    return new SetupError(`The API token may not be used from this address: ${said}. Change its IP filter at ${TOKENS_PAGE}. ${AGAIN}`)
  if (status === 401 || status === 403) {
    const needed = rights.length > 0 ? ` It needs ${rights.join(' and ')}: add that at ${TOKENS_PAGE}.` : ''
    return new SetupError(`Cloudflare refuses the API token: ${said}.${needed} ${AGAIN}`)
  }
  if (status === 429) {
    return new SetupError(`Cloudflare has had too many calls (429); it allows 1,200 in five minutes. Wait that long. ${AGAIN}`)
  }
  if (status !== undefined && status >= 500) {
    return new SetupError(`Cloudflare's API fails (${status}: ${said}). See www.cloudflarestatus.com. ${AGAIN}`)
  }
  return new SetupError(`Cloudflare refuses it (${status}): ${said}`)
}

export const TOKENS_PAGE = 'https://dash.cloudflare.com/profile/api-tokens'

export const NO_ZERO_TRUST =
  'This account has no Zero Trust yet, which Cloudflare Access belongs to. Open https://one.dash.cloudflare.com once, choose a team name and the Free plan, and run npm run setup again.'

export function isWithoutZeroTrust(error: unknown): boolean {
  return error instanceof Cloudflare.APIError && error.errors.some(({ message }) => message?.includes('not_enabled'))
}

/** The token's IP filter refuses this machine. */
export function isElsewhere(error: unknown): boolean {
  return error instanceof Cloudflare.APIError && error.errors.some(({ message }) => /from location/i.test(message ?? ''))
}

export function isMissing(error: unknown): boolean {
  return error instanceof Cloudflare.APIError && error.status === 404
}

/** For `catch`: what is not there is null. Throws every other error again. */
export function nullIfMissing(error: unknown): null {
  if (isMissing(error)) return null
  throw error
}

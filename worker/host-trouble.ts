// What can be wrong with the host, how it is told apart, and the one list of what to do about each: for /health/ollama and for the alerts.

/**
 * Nothing answers; Access lets nobody in; no tunnel is connected; it is too slow; Ollama does not run behind the tunnel; something else than
 * Ollama answers; it is Ollama, but too old for one of the dialects.
 */
export type HostTrouble = 'unreachable' | 'access' | 'tunnel' | 'timeout' | 'ollama' | 'answer' | 'version'

/** The first Ollama that speaks Anthropic's dialect. */
const ANTHROPIC_SINCE = [0, 14]

/** What is wrong and what helps, in a sentence for the operator. Anybody may read it: it names settings, never what is in them. */
export const HOST_TROUBLES: Record<HostTrouble, string> = {
  unreachable: 'Nothing answers at OLLAMA_BASE_URL: check the address, and that Ollama runs.',
  access: 'Cloudflare Access does not let the gateway in: check that the service token of CF_ACCESS_CLIENT_ID is valid and allowed.',
  tunnel: 'Cloudflare has no tunnel to the box: check that it is on and that cloudflared runs.',
  timeout: 'It does not answer in time: the box may be overloaded, asleep or off.',
  ollama: 'The box is reached, Ollama on it is not: check that it runs.',
  answer: 'It answers, but not as Ollama does: check OLLAMA_BASE_URL and what is in front of it.',
  version: `It runs an Ollama before ${ANTHROPIC_SINCE.join('.')}, which does not speak Anthropic's dialect: update it.`,
}

/**
 * The trouble that an answer shows. Cloudflare says 530 where it has no way to the box: 1016 in its page for a name that DNS does not know, else no
 * tunnel is connected; cloudflared says 502 where nothing listens behind it.
 */
export function troubleOf(response: Response, text: string): HostTrouble {
  const { status } = response
  if (isAccessRefusal(response)) return 'access'
  if (status === 530) return /\b1016\b/.test(text) ? 'unreachable' : 'tunnel'
  if (isTimeout(status)) return 'timeout'
  return status === 502 || status === 503 ? 'ollama' : status > 520 ? 'unreachable' : 'answer'
}

/** The trouble that a call shows which gave no answer. Over a VPC service the error names what Cloudflare met; else only that nothing answers is known. */
export function troubleOfError(error: unknown): HostTrouble {
  const text = String(error)
  if (/connection_(refused|terminated|reset)/.test(text)) return 'ollama'
  if (/time_?d?_?out/.test(text)) return 'timeout'
  return /tunnel|dns_error/.test(text) ? 'tunnel' : 'unreachable'
}

/** Cloudflare's own, or cloudflared's, for a box that is too slow. */
export function isTimeout(status: number): boolean {
  return status === 504 || status === 522 || status === 524
}

/** Access answers a missing or wrong service token with its login page, or with 401 or 403 and no JSON; Ollama has no pages, and words its 401. */
export function isAccessRefusal({ status, headers }: Pick<Response, 'status' | 'headers'>): boolean {
  if (status >= 300 && status < 400) return /cloudflareaccess\.com|\/cdn-cgi\/access\//.test(headers.get('location') ?? '')
  const type = headers.get('content-type') ?? ''
  return (status === 401 && !type.startsWith('application/json')) || (status === 403 && type.startsWith('text/html'))
}

/** Whether this Ollama is known not to speak Anthropic's dialect. One that was built from source calls itself 0.0.0, which says nothing. */
export function isTooOld(version: string): boolean {
  const [, major, minor] = version.match(/^v?(\d+)\.(\d+)\./) ?? []
  if (major === undefined || minor === undefined || /^v?0\.0\.0/.test(version)) return false
  const [sinceMajor = 0, sinceMinor = 0] = ANTHROPIC_SINCE
  return Number(major) < sinceMajor || (Number(major) === sinceMajor && Number(minor) < sinceMinor)
}

// Cloudflare before the box: Access lets callers in or not, and behind it the way to Ollama can be broken.
import { type AccessToken, accessAnswer, REFUSALS, type Refusal } from './access.ts'
import type { Call } from './call.ts'
import type { Answer } from './captures.ts'
import { cloudflareHeaders, cloudflareLine, cloudflarePage } from './cloudflare-page.ts'

/** What is broken behind Access, and what Cloudflare or cloudflared then says. */
const TROUBLES = {
  'ollama-stopped': () => cloudflarePage(502, '502 Bad Gateway'),
  'gateway-timeout': () => cloudflarePage(504, '504 Gateway time-out'),
  'connect-timeout': () => cloudflareLine(522, 522),
  'answer-timeout': () => cloudflareLine(524, 524),
  'tunnel-down': () => cloudflareLine(530, 1033),
  'no-dns': () => cloudflareLine(530, 1016),
  /** What a caller sees who follows the redirect of Access. */
  'login-page': () => cloudflarePage(200, 'Sign in'),
} satisfies Record<string, () => Answer>
export type EdgeTrouble = keyof typeof TROUBLES
const EDGE_TROUBLES = Object.keys(TROUBLES) as EdgeTrouble[]

/** Stays as it is set, whatever is asked meanwhile; what is left out stays as it was. */
export interface EdgeSettings {
  /** Those that are let in; a function is asked at each call. */
  tokens?: readonly AccessToken[] | (() => readonly AccessToken[])
  refusal?: Refusal
  /** Nobody has put Access in front: everybody is let in. */
  open?: boolean
  /** null: none. */
  trouble?: EdgeTrouble | null
}

const MENDED = { refusal: 'usual', open: false, trouble: null } as const

export class Edge {
  #state: Required<EdgeSettings>

  constructor(tokens: readonly AccessToken[]) {
    this.#state = { tokens, ...MENDED }
  }

  /** Throws an error that says which setting makes no sense. */
  set(settings: EdgeSettings): void {
    this.#state = { ...this.#state, ...checked(settings) }
  }

  /** The tokens stay. */
  mend(): void {
    this.#state = { ...this.#state, ...MENDED }
  }

  /** What comes in place of the box's answer; null: the box answers. */
  answer(call: Call, nowMs: number): Answer | null {
    const { tokens, refusal, open, trouble } = this.#state
    const valid = typeof tokens === 'function' ? tokens() : tokens
    const refused = open ? null : accessAnswer(valid, refusal, call, nowMs)
    return refused ?? (trouble === null ? null : TROUBLES[trouble]())
  }

  /** The box's answer as it leaves Cloudflare. */
  passed(answer: Answer): Answer {
    return { ...answer, headers: [...answer.headers, ...cloudflareHeaders()] }
  }
}

function checked(settings: EdgeSettings): EdgeSettings {
  const unknown = Object.keys(settings).find((key) => !['tokens', 'refusal', 'open', 'trouble'].includes(key))
  if (unknown !== undefined) throw new Error(`edge.${unknown}: unknown; known are tokens, refusal, open and trouble`)
  const { tokens, refusal, trouble } = settings
  if (tokens !== undefined && typeof tokens !== 'function' && !(Array.isArray(tokens) && tokens.every(isToken)))
    throw new Error('edge.tokens: a list of {clientId, clientSecret, expiresMs?} is needed')
  if (refusal !== undefined && !REFUSALS.includes(refusal)) throw new Error(`edge.refusal: one of ${REFUSALS.join(', ')}`)
  if (trouble !== undefined && trouble !== null && !EDGE_TROUBLES.includes(trouble))
    throw new Error(`edge.trouble: null, or one of ${EDGE_TROUBLES.join(', ')}`)
  return settings
}

function isToken(value: unknown): boolean {
  const { clientId, clientSecret, expiresMs } = (value ?? {}) as Record<string, unknown>
  const isEnd = expiresMs === undefined || Number.isSafeInteger(expiresMs)
  return typeof clientId === 'string' && typeof clientSecret === 'string' && isEnd
}

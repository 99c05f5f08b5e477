// What can go wrong between a caller and Cloudflare's API, made to happen.

/** A status that is answered; `hang`: no answer; `reset`: the call does not arrive; `lost`: it does its work, and its answer is lost. */
type Kind = 403 | 429 | 500 | 'hang' | 'reset' | 'lost'

interface Fault {
  method: string
  path: RegExp
  as: Kind
  /** How many such calls pass before. */
  skip: number
  /** How many fail then. */
  times: number
}

export class Faults {
  #faults: Fault[] = []

  add(method: string, path: RegExp, as: Kind, { skip = 0, times = 1 }: { skip?: number; times?: number } = {}): void {
    this.#faults.push({ method, path, as, skip, times })
  }

  clear(): void {
    this.#faults = []
  }

  /** What becomes of this call; null: it is answered. */
  next(method: string, path: string): Kind | null {
    const fault = this.#faults.find((one) => one.times > 0 && one.method === method && one.path.test(path))
    if (fault === undefined) return null
    if (fault.skip > 0) {
      fault.skip -= 1
      return null
    }
    fault.times -= 1
    return fault.as
  }
}

const WORDS = { 403: [10000, 'Authentication error'], 429: [10100, 'Rate limited. Please wait'], 500: [10001, 'Internal error'] } as const

export function faultResponse(status: 403 | 429 | 500): Response {
  const [code, message] = WORDS[status]
  const headers = { 'content-type': 'application/json', ...(status === 429 ? { 'retry-after': '1' } : {}) }
  return new Response(JSON.stringify({ success: false, errors: [{ code, message }], messages: [], result: null }), { status, headers })
}

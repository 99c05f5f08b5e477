// The faults that can be ordered, the queue that they wait in, and how a fault ordered as JSON is checked.

/** What can go wrong, and how many of the next requests (`times`, 1 unless told) to `path` (any, unless told) it hits. */
export type Fault = { times?: number; path?: string } & (
  | { kind: 'no-header' }
  | { kind: 'slow-header'; ms: number }
  | { kind: 'broken'; afterChunks: number }
  | { kind: 'no-terminator' }
  | { kind: 'error-line'; afterChunks: number }
  | { kind: 'huge-frame'; bytes: number }
  | { kind: 'status'; status: number; body?: unknown; headers?: Record<string, string> }
  | { kind: 'stall'; afterChunks: number }
  | { kind: 'redirect'; location?: string }
  | { kind: 'zero-counts' }
  | { kind: 'split'; bytes: number }
)

const NUMBER_OF: Record<Fault['kind'], string | null> = {
  'no-header': null,
  'slow-header': 'ms',
  broken: 'afterChunks',
  'no-terminator': null,
  'error-line': 'afterChunks',
  'huge-frame': 'bytes',
  status: 'status',
  stall: 'afterChunks',
  redirect: null,
  'zero-counts': null,
  split: 'bytes',
}

/** A fault from outside the process. Throws an error that says what is wrong with it. */
function readFault(value: unknown): Fault {
  if (typeof value !== 'object' || value === null) throw new Error('fault: an object is needed')
  const given = value as Record<string, unknown>
  const kind = given.kind
  if (typeof kind !== 'string' || !Object.hasOwn(NUMBER_OF, kind))
    throw new Error(`fault.kind: one of ${Object.keys(NUMBER_OF).join(', ')}`)
  const needed = NUMBER_OF[kind as Fault['kind']]
  if (needed !== null && !isCount(given[needed])) throw new Error(`fault.${needed}: a whole number is needed`)
  if (kind === 'split' && given.bytes === 0) throw new Error('fault.bytes: at least 1')
  if (given.times !== undefined && !isCount(given.times)) throw new Error('fault.times: a whole number is needed')
  if (given.path !== undefined && typeof given.path !== 'string') throw new Error('fault.path: a string is needed')
  return given as Fault
}

function isCount(value: unknown): boolean {
  return typeof value === 'number' && Number.isSafeInteger(value) && value >= 0
}

export class FaultQueue {
  #waiting: { fault: Fault; left: number }[] = []

  add(fault: Fault): void {
    this.#waiting.push({ fault: readFault(fault), left: fault.times ?? 1 })
  }

  /** The oldest fault meant for this path, used up once more; null when there is none. */
  take(path: string): Fault | null {
    const next = this.#waiting.find(({ fault, left }) => left > 0 && (fault.path === undefined || fault.path === path))
    if (next === undefined) return null
    next.left -= 1
    this.#waiting = this.#waiting.filter(({ left }) => left > 0)
    return next.fault
  }

  clear(): void {
    this.#waiting = []
  }
}

// Group commit: requests of one isolate that meet at the ledger ride in one D1 batch, since D1 costs by the call.
import type { NanoUsd } from '../money.ts'
import { within } from '../within.ts'
import { type Admitted, type Ask, explained, type Verdict } from './admission.ts'
import { commit } from './commit.ts'
import { d1Trouble } from './retry.ts'
import { type Ending, postLate } from './settlement.ts'

export interface GroupOptions {
  /** The most asks, and the most endings, of one batch; 1: each goes alone. */
  max: number
  /** How many batches may be under way before an ask waits for one of them to come back. */
  underWayMax: number
  /** How long an ending waits for company while other requests run, milliseconds. */
  lingerMs: number
  /** How long a request waits for a batch of another's before it sends its own, milliseconds. */
  patienceMs: number
}

/** `underWayMax` and `lingerMs` as measured in docs/performance.md. */
const GROUP_DEFAULTS: GroupOptions = { max: 20, underWayMax: 2, lingerMs: 50, patienceMs: 2000 }

/** Keeps the Worker alive until the work is done, even if the caller whose request it belongs to has left. */
type Defer = (work: Promise<unknown>) => void

type Entry = { ask: Ask; ending: null } | { ask: null; ending: Ending }

/** What a batch made of an entry: a hold, if it was an ask; whether it was posted, if it was an ending. */
interface Outcome {
  admitted: Admitted | null
  posted: boolean
}

interface Rider {
  entry: Entry
  /** Not in a batch yet. */
  waiting: boolean
  /** It is this one's turn to send what waits. */
  turn: PromiseWithResolvers<null>
  /** null: the batch was refused as a whole, for one of its rows; each goes alone then. */
  done: PromiseWithResolvers<Outcome | null>
}

/** What an ask is told that was refused twice for what was gone a moment later. */
const TRY_AGAIN: Verdict = {
  admitted: false,
  refusal: 'rate_limited',
  upstream: null,
  expiresMs: null,
  leastNano: 0 as NanoUsd,
  standing: null,
}

/**
 * The ledger of one isolate. Whoever finds room sends what waits, in a batch under its own `defer`, and so leads once; the next one leads when
 * that comes back. Nobody depends on a leader that dies: who waits too long goes alone, under the same id, and batches that stay away for
 * longer than that stop counting.
 */
export class Group {
  readonly #db: D1Database
  readonly #options: GroupOptions
  readonly #waiting: Rider[] = []
  /** When each batch that is under way was sent. */
  readonly #underWay = new Set<{ sentMs: number }>()
  /** Admitted here and not ended; one that never ends only lets others linger. */
  readonly #running = new Set<string>()

  constructor(db: D1Database, options: Partial<GroupOptions> = {}) {
    this.#db = db
    this.#options = { ...GROUP_DEFAULTS, ...options }
  }

  /**
   * Decides one request and writes its hold: one D1 call, a second one where it is refused. Asked again with the same id it finds its own hold.
   * Throws what D1 throws.
   */
  async admit(ask: Ask, defer: Defer): Promise<Verdict> {
    for (let round = 0; round < 2; round++) {
      const { admitted } = await this.#ride({ ask, ending: null }, defer)
      const verdict = admitted ?? (await explained(this.#db, ask))
      if (verdict === null) continue
      if (verdict.admitted) this.#running.add(ask.id)
      return verdict
    }
    return TRY_AGAIN
  }

  /** Posts one ending, once: one that comes after its hold has expired as an adjustment. Throws what D1 throws; asking again is safe. */
  async settle(ending: Ending, defer: Defer): Promise<void> {
    this.#running.delete(ending.id)
    const { posted } = await this.#ride({ ask: null, ending }, defer)
    if (!posted) await postLate(this.#db, ending)
  }

  async #ride(entry: Entry, defer: Defer): Promise<Outcome> {
    const { max, lingerMs, patienceMs } = this.#options
    if (max === 1) return this.#alone(entry)
    const rider: Rider = { entry, waiting: true, turn: Promise.withResolvers(), done: Promise.withResolvers() }
    const lingers = entry.ending !== null && this.#running.size > 0
    if (lingers || !this.#hasRoom()) {
      this.#waiting.push(rider)
      const outcome = await within(entry.ending === null ? patienceMs : lingerMs, rider.done.promise, rider.turn.promise)
      if (outcome !== null) return outcome
    }
    if (rider.waiting) {
      this.#lead(rider, defer)
      return (await rider.done.promise) ?? this.#alone(entry)
    }
    return (await within(patienceMs, rider.done.promise)) ?? this.#alone(entry)
  }

  #hasRoom(): boolean {
    const nowMs = Date.now()
    for (const batch of this.#underWay) if (nowMs - batch.sentMs >= this.#options.patienceMs) this.#underWay.delete(batch)
    return this.#underWay.size < this.#options.underWayMax
  }

  /** Sends one batch of what waits, this rider in any case. */
  #lead(rider: Rider, defer: Defer): void {
    const riders = this.#boarding(rider)
    const batch = { sentMs: Date.now() }
    this.#underWay.add(batch)
    const work = this.#send(riders).finally(() => {
      this.#underWay.delete(batch)
      // Endings linger until an ask takes them along or their time is over.
      this.#waiting.find(({ entry }) => entry.ask !== null)?.turn.resolve(null)
    })
    defer(work)
  }

  /** Takes out of the queue who rides, oldest first. */
  #boarding(leader: Rider): Rider[] {
    const left = { ask: this.#options.max, ending: this.#options.max }
    const kind = ({ entry }: Rider) => (entry.ask === null ? 'ending' : 'ask')
    left[kind(leader)]--
    const riders = [leader]
    for (const rider of this.#waiting) if (rider !== leader && left[kind(rider)]-- > 0) riders.push(rider)
    for (const rider of riders) rider.waiting = false
    const staying = this.#waiting.filter(({ waiting }) => waiting)
    this.#waiting.splice(0, this.#waiting.length, ...staying)
    return riders
  }

  /** Never rejects: each rider is told. */
  async #send(riders: readonly Rider[]): Promise<void> {
    try {
      const outcomes = await this.#commit(riders.map(({ entry }) => entry))
      riders.forEach((rider, index) => {
        rider.done.resolve(outcomes[index] ?? null)
      })
    } catch (error) {
      // Trouble of D1's own is everyone's, and to ask for each one again would make it worse.
      const oneIsBad = riders.length > 1 && d1Trouble(error) === 'fault'
      for (const { done } of riders) {
        if (oneIsBad) done.resolve(null)
        else done.reject(error)
      }
    }
  }

  async #alone(entry: Entry): Promise<Outcome> {
    const [outcome] = await this.#commit([entry])
    if (outcome === undefined) throw new Error('a batch gave nothing for its entry')
    return outcome
  }

  async #commit(entries: readonly Entry[]): Promise<Outcome[]> {
    const endings = entries.flatMap(({ ending }) => ending ?? [])
    const asks = entries.flatMap(({ ask }) => ask ?? [])
    const { posted, admitted } = await commit(this.#db, endings, asks)
    let next = 0
    return entries.map(({ ask, ending }) => ({
      admitted: ask === null ? null : (admitted[next++] ?? null),
      posted: ending !== null && posted.has(ending.id),
    }))
  }
}

const groups = new WeakMap<D1Database, Group>()

/** The group of this database in this isolate. */
export function groupOf(db: D1Database, max: number): Group {
  let group = groups.get(db)
  if (group === undefined) {
    group = new Group(db, { max })
    groups.set(db, group)
  }
  return group
}

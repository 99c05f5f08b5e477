// What a test has the next requests meet: an exchange, and the manner in which it is sent.
import { type Answer, recorded } from './answer.ts'
import type { VendorExchange } from './fixtures.ts'

export interface Play {
  /** What the next request is answered with, byte for byte; what fits it, unless told. */
  exchange?: VendorExchange
  /** The same for the next few requests. */
  exchanges?: readonly VendorExchange[]
  /** Milliseconds between two events of a stream. */
  pace?: number
  /** The connection breaks once so much of the body was sent. */
  breakAfterBytes?: number
  /** Milliseconds of silence before the header; Infinity: until the caller leaves. */
  delayMs?: number
  /** A stream stands still after so many events, until it is released or the caller leaves; 0: after the header. */
  holdOpen?: number
  /** The body is sent in pieces of so many bytes, wherever that cuts it. */
  chunkBytes?: number
}

export interface Played {
  /** Resolves as soon as an answer stands still because of `holdOpen`. */
  held: Promise<void>
  /** Lets all that stand still go on. */
  release(): void
}

/** The manner of one answer. */
export interface Manner extends Pick<Play, 'pace' | 'breakAfterBytes' | 'delayMs' | 'holdOpen' | 'chunkBytes'> {
  /** Called where it stands still; the answer goes on when this resolves. */
  hold(): Promise<void>
}

interface Turn {
  /** null: what fits the request. */
  answer: Answer | null
  manner: Manner
}

export class PlayQueue {
  readonly #turns: Turn[] = []

  add({ exchange, exchanges, ...how }: Play): Played {
    if (exchange !== undefined && exchanges !== undefined) throw new Error('play: either exchange or exchanges')
    if (exchanges?.length === 0) throw new Error('play: no exchanges')
    const held = Promise.withResolvers<void>()
    const released = Promise.withResolvers<void>()
    const manner: Manner = {
      ...how,
      hold() {
        held.resolve()
        return released.promise
      },
    }
    for (const one of exchanges ?? [exchange]) this.#turns.push({ answer: one === undefined ? null : recorded(one), manner })
    return { held: held.promise, release: released.resolve }
  }

  /** What the next request meets; undefined where nothing was played. */
  take(): Turn | undefined {
    return this.#turns.shift()
  }
}

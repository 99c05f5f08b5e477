// Lets an answer pass natively, so that a chunk costs no JavaScript, and reads it along on the side: for answers that the buffer can hold whole.
import { DELIVERY_MS, finish } from './finish.ts'
import { type FollowOptions, follow } from './follow.ts'
import { type PumpEnd, pumpUntil } from './pump.ts'
import type { Relay } from './relay.ts'

export interface PassThroughOptions extends FollowOptions {
  /** Told that the caller is gone, where reading goes on all the same; without it that ends the reading. */
  onLost?: (() => void) | undefined
  /** Set where the opening of an answer cannot pass unread. */
  opening?: Opening | undefined
  /** What the caller gets at the end beside it, an error in its dialect for instance. Called once, when reading has stopped. */
  close(end: PumpEnd): Uint8Array | null
}

/** What comes before the first token. */
interface Opening {
  /** Takes a piece; returns what the caller gets for it. */
  pass(piece: Uint8Array): Uint8Array
  /** It is over, and the rest passes natively; returns what was taken and not handed on yet, the begin of a frame. */
  handOver(): Uint8Array
  /** Whether what comes from now on may pass unread; not where all but the end of the stream has come already. */
  isPast(): boolean
  /** Whether the answer is over, whatever else may come. */
  isOver(): boolean
}

/** The body of an answer that may pass so: workerd pipes on what came over the network, but not what was made here, which has no URL. */
export function networkBody(answer: Response): ReadableStream<Uint8Array> | null {
  return answer.url === '' ? null : answer.body
}

/**
 * What a `tee` cannot tell is how much waits for the caller: no more than the answer, which is why only a small one may pass so. One that is
 * larger than `bufferBytes` all the same goes on, but no longer at the host's pace, and for DELIVERY_MS at the most: see follow.ts.
 */
export function passThrough(source: ReadableStream<Uint8Array>, options: PassThroughOptions): Relay {
  const { readable, writable } = new IdentityTransformStream()
  const { opening } = options
  const done = opening === undefined ? passOn(source, writable, options) : open(source, writable, opening, options)
  return { body: readable, done }
}

/** Passes the opening on by hand, and the rest natively. */
async function open(
  source: ReadableStream<Uint8Array>,
  writable: WritableStream<Uint8Array>,
  opening: Opening,
  options: PassThroughOptions,
): Promise<PumpEnd> {
  const writer = writable.getWriter()
  let waiting = 0
  const taken = (bytes: Uint8Array) => {
    waiting -= bytes.byteLength
  }
  const write = (bytes: Uint8Array) => {
    if (bytes.byteLength === 0) return
    waiting += bytes.byteLength
    writer.write(bytes).then(
      () => taken(bytes),
      () => options.onLost?.(),
    )
  }
  const onPiece = (piece: Uint8Array) => write(opening.pass(piece))
  const end = await pumpUntil(source, options, onPiece, () => opening.isPast() || opening.isOver()).done
  if (end === null && !opening.isOver()) {
    write(opening.handOver())
    writer.releaseLock()
    return passOn(source, writable, options)
  }
  if (end === null) source.cancel().catch(() => {})
  finish(writer, end ?? 'ended', options.close(end ?? 'ended'), waiting)
  return end ?? 'ended'
}

function passOn(source: ReadableStream<Uint8Array>, writable: WritableStream<Uint8Array>, options: PassThroughOptions): Promise<PumpEnd> {
  // In workerd each chunk that waits takes 4 KiB in a tee's first branch, and its own size in the second: that one is for the caller.
  const [metered, passed] = source.tee()
  const giveUp = new AbortController()
  // The writer is needed afterwards, for what the caller is still owed.
  const passing = passed.pipeTo(writable, { preventClose: true, preventAbort: true, signal: giveUp.signal })
  const following = follow(metered, {
    ...options,
    // What cannot be metered does not pass.
    observe(piece) {
      try {
        return options.observe(piece)
      } catch (error) {
        giveUp.abort()
        throw error
      }
    },
  })
  // It fails where the host breaks off, which the other branch sees by itself, or where the caller is gone.
  let taken = false
  passing.then(
    () => {
      taken = true
      following.hurry()
    },
    () => (options.onLost === undefined ? following.hurry('hung_up') : options.onLost()),
  )

  return following.done.then((end) => {
    const last = options.close(end)
    // While one branch lives the host is read on.
    if (end !== 'ended' && end !== 'broken') giveUp.abort()
    if (taken) {
      finish(writable.getWriter(), end, last)
      return end
    }
    let late = false
    const timer = setTimeout(() => {
      late = true
      giveUp.abort()
    }, DELIVERY_MS)
    passing
      .catch(() => {})
      .then(() => {
        clearTimeout(timer)
        finish(writable.getWriter(), late ? 'slow' : end, last)
      })
    return end
  })
}

// Reads an answer along while it passes natively: woken twice a second rather than for each chunk, and then takes all that has come.
import { DELIVERY_MS } from './finish.ts'
import { watch } from './limits.ts'
import { Pace } from './pace.ts'
import type { PumpEnd, PumpLimits } from './pump.ts'

export interface FollowOptions extends PumpLimits {
  /** How much of an answer may wait for its caller, bytes. */
  bufferBytes: number
  /** Takes a piece; returns how many frames ended in it. */
  observe(piece: Uint8Array): number
  /** Whether the first token has come: until then each piece is read as it comes, so that its time is known. */
  begun(): boolean
}

export interface Following {
  /** Resolves when all was read, or at the first reason to stop; never rejects. */
  done: Promise<PumpEnd>
  /** From now on nothing is waited for. With `orElse` that is the end if the host does not end within moments. */
  hurry(orElse?: PumpEnd): void
}

/** Between two looks at a stream that flows, milliseconds. A timer and a read each wake JavaScript: four times a second. */
const PAUSE_MS = 500
/** At the end: how long what has come is read on, milliseconds. It is there, so this is ample. */
const LAST_MS = 200
/** What a read asks for, bytes: fewer came if and only if no more was there. */
const READ_LEAST_BYTES = 16_384
const READ_MOST_BYTES = 1_048_576

/** A pause that can be cut short. */
class Nap {
  #timer: ReturnType<typeof setTimeout> | undefined
  #end = () => {}

  take(ms: number): Promise<void> {
    return new Promise((resolve) => {
      this.#end = resolve
      this.#timer = setTimeout(resolve, ms)
    })
  }

  end(): void {
    clearTimeout(this.#timer)
    this.#end()
  }
}

/** Reads the branch of a `tee` whose other branch is pumped natively. */
export function follow(branch: ReadableStream<Uint8Array>, options: FollowOptions): Following {
  const { hangUp } = options
  const reader = branch.getReader({ mode: 'byob' })
  let end: PumpEnd | null = null
  let hurrying = false
  const nap = new Nap()
  let lastTimer: ReturnType<typeof setTimeout> | undefined
  let overTimer: ReturnType<typeof setTimeout> | undefined

  function stop(reason: PumpEnd): void {
    if (end !== null) return
    end = reason
    reader.cancel(reason).catch(() => {})
    nap.end()
  }

  function hurry(orElse?: PumpEnd): void {
    hurrying = true
    nap.end()
    if (orElse !== undefined) lastTimer ??= setTimeout(stop, LAST_MS, orElse)
  }

  // At the deadline, or when the operator ends it, the host may be in full flow, so what was delivered is read first.
  const limit = watch(options, (reached) => (reached === 'silent' ? stop(reached) : hurry(reached)))
  const onHangUp = () => hurry('hung_up')
  hangUp.addEventListener('abort', onHangUp)
  if (hangUp.aborted) onHangUp()

  async function read(): Promise<PumpEnd> {
    const pace = new Pace()
    let asked = READ_LEAST_BYTES
    let total = 0
    try {
      while (end === null) {
        // A fresh buffer each time: the meter may hold on to the begin of a frame in it.
        const { done, value } = await reader.read(new Uint8Array(asked))
        if (done) return end ?? 'ended'
        const nowMs = Date.now()
        limit.heard(nowMs)
        total += value.byteLength
        const frames = options.observe(value)
        const drained = value.byteLength < asked
        if (drained && hangUp.aborted) stop('hung_up')
        if (!drained) asked = Math.min(asked * 4, READ_MOST_BYTES)
        const over = total > options.bufferBytes
        if (over) overTimer ??= setTimeout(hurry, DELIVERY_MS, 'slow')
        const readsOn = pace.readsOn(value.byteLength, frames, nowMs)
        // Beyond the buffer a caller who stalls holds up the host: each read takes 16 KiB from it at the most, and these wait for the caller.
        if (!drained || hurrying || !options.begun() || (readsOn && !over)) continue
        await nap.take(PAUSE_MS)
        pace.woken(Date.now())
        // Whatever came meanwhile was not listened to.
        limit.heard(Date.now())
      }
      return end
    } catch {
      // Also where it was not the host that failed.
      reader.cancel().catch(() => {})
      return end ?? 'broken'
    } finally {
      limit.end()
      clearTimeout(lastTimer)
      clearTimeout(overTimer)
      hangUp.removeEventListener('abort', onHangUp)
    }
  }
  return { done: read(), hurry }
}

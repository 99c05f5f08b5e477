// Reads an answer of the host to its end, or to the first reason to stop: never held back by whoever gets it.
import { watch } from './limits.ts'

/**
 * How reading ended. `hung_up`: the caller left; `slow`: the caller fell too far behind; `killed`: the operator ended it; `broken`: the host's
 * connection broke off.
 */
export type PumpEnd = 'ended' | 'hung_up' | 'slow' | 'silent' | 'deadline' | 'killed' | 'broken'

export interface PumpLimits {
  idleTimeoutMs: number
  /** Milliseconds since 1970; null: none. */
  deadlineMs: number | null
  /** Aborted when the caller hangs up. */
  hangUp: AbortSignal
  /** Aborted when the operator ends the request. */
  killed: AbortSignal
}

export interface Pump<End = PumpEnd> {
  /** Resolves once reading has stopped; never rejects. */
  done: Promise<End>
  /** Stops reading, which closes the connection to the host. The first reason counts. */
  stop(reason: PumpEnd): void
}

function emptyStream(): ReadableStream<Uint8Array> {
  return new ReadableStream({ start: (controller) => controller.close() })
}

/** Reads `source` (none is an empty one) as fast as it comes, hands each piece to `onPiece`, and watches the limits. */
export function pump(source: ReadableStream<Uint8Array> | null, limits: PumpLimits, onPiece: (piece: Uint8Array) => void): Pump {
  return pumpUntil(source ?? emptyStream(), limits, onPiece, () => false) as Pump
}

/** The same, until a piece makes `until` true: null then, and `source` is left to whoever reads on. */
export function pumpUntil(
  source: ReadableStream<Uint8Array>,
  limits: PumpLimits,
  onPiece: (piece: Uint8Array) => void,
  until: () => boolean,
): Pump<PumpEnd | null> {
  const reader = source.getReader()
  let end: PumpEnd | null = null

  function stop(reason: PumpEnd): void {
    if (end !== null) return
    end = reason
    reader.cancel(reason).catch(() => {})
  }

  const limit = watch(limits, stop)
  const onHangUp = () => stop('hung_up')
  if (limits.hangUp.aborted) onHangUp()
  limits.hangUp.addEventListener('abort', onHangUp)

  async function read(): Promise<PumpEnd | null> {
    try {
      while (end === null) {
        const { done, value } = await reader.read()
        if (done) return end ?? 'ended'
        limit.heard(Date.now())
        if (end === null) onPiece(value)
        if (end === null && until()) {
          reader.releaseLock()
          return null
        }
      }
      return end
    } catch {
      // Also where it was not the upstream that failed.
      reader.cancel().catch(() => {})
      return end ?? 'broken'
    } finally {
      limit.end()
      limits.hangUp.removeEventListener('abort', onHangUp)
    }
  }
  return { done: read(), stop }
}

// The end of what a streaming caller gets: last words and a close, or a cut; what waits for a slow caller does not wait for ever.
import type { PumpEnd } from './pump.ts'

/** How long a caller may take over the rest of an answer that has ended, or that is larger than it can be, milliseconds. */
export const DELIVERY_MS = 300_000

/** Closes after `last`, if that is anything; gives a caller for whom `waitingBytes` wait some time to take them; cuts the connection where the caller has left or was too slow. */
export function finish(writer: WritableStreamDefaultWriter<Uint8Array>, end: PumpEnd, last: Uint8Array | null, waitingBytes = 0): void {
  const cut = () => {
    writer.abort(new Error(`the answer is not delivered: ${end}`)).catch(() => {})
  }
  if (end === 'hung_up' || end === 'slow') {
    cut()
    return
  }
  if (last !== null && last.byteLength > 0) writer.write(last).catch(() => {})
  if (waitingBytes === 0) {
    writer.close().catch(() => {})
    return
  }
  const timer = setTimeout(cut, DELIVERY_MS)
  writer
    .close()
    .catch(() => {})
    .finally(() => clearTimeout(timer))
}

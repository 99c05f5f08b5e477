// Hands an answer on while it is read: the caller's pace never reaches the host, and what waits for a slow caller is bounded.
import { finish } from './finish.ts'
import { type Pump, type PumpEnd, type PumpLimits, pump } from './pump.ts'

export interface RelayOptions extends PumpLimits {
  /** How much may wait for the caller, bytes. */
  bufferBytes: number
  /** Told that the caller is gone or too slow, where reading goes on all the same; without it that ends the reading. */
  onLost?: (() => void) | undefined
  /** What the caller gets for a piece of the host's: usually the piece itself. */
  pass(piece: Uint8Array): Uint8Array | null
  /** What the caller gets at the end beside it, an error in its dialect for instance. Called once, when reading has stopped. */
  close(end: PumpEnd): Uint8Array | null
}

export interface Relay {
  /** For the caller. */
  body: ReadableStream<Uint8Array>
  /** Resolves as soon as reading from the host has stopped, whether or not the caller has read it all. */
  done: Promise<PumpEnd>
}

export function relay(source: ReadableStream<Uint8Array> | null, options: RelayOptions): Relay {
  const { readable, writable } = new IdentityTransformStream()
  const writer = writable.getWriter()
  let waiting = 0
  let reading: Pump | null = null
  let lostAs: PumpEnd | null = null

  function lose(end: 'hung_up' | 'slow'): void {
    if (options.onLost === undefined) reading?.stop(end)
    else if (lostAs === null) {
      lostAs = end
      finish(writer, end, null)
      options.onLost()
    }
  }

  function write(bytes: Uint8Array): void {
    waiting += bytes.byteLength
    writer.write(bytes).then(
      () => {
        waiting -= bytes.byteLength
      },
      () => lose('hung_up'),
    )
    if (waiting > options.bufferBytes) lose('slow')
  }

  reading = pump(source, options, (piece) => {
    const bytes = options.pass(piece)
    if (bytes !== null && bytes.byteLength > 0 && lostAs === null) write(bytes)
  })
  writer.closed.catch(() => lose('hung_up'))

  const done = reading.done.then((end) => {
    const last = options.close(end)
    if (lostAs === null) finish(writer, end, last, waiting)
    return end
  })
  return { body: readable, done }
}

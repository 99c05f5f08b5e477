// Test support: a streaming call on a raw socket, which can stop reading, or hang up by RST at any byte.
import { connect, type Socket } from 'node:net'

export interface StreamingCall {
  /** The response's head once it came; rejects where the connection ends before. */
  head: Promise<string>
  /** Bytes of the body's chunks so far, framing removed. */
  body(): string
  /** Resolves when the body holds `count` frames (`separator` after each), or the connection has ended. */
  frames(count: number, separator: string): Promise<void>
  /** Resolves when the connection has ended; true if the body came to its proper end. */
  ended: Promise<boolean>
  /** Hangs up by RST. */
  hangUp(): void
  /** Closes, as a client does that is ended or gives up: a plain FIN. */
  close(): void
  pause(): void
  resume(): void
}

/** Posts `json` to `url` with a key. */
export function streamingCall(url: string, path: string, key: string, json: unknown): StreamingCall {
  const { hostname, port, host } = new URL(url)
  const body = JSON.stringify(json)
  const socket: Socket = connect({ host: hostname, port: Number(port) })
  const waiting: { count: number; separator: string; done(): void }[] = []
  const head = Promise.withResolvers<string>()
  const ended = Promise.withResolvers<boolean>()
  head.promise.catch(() => {})
  let raw = Buffer.alloc(0)
  let bodyStart = -1
  let decoded = ''
  let complete = false

  socket.write(
    `POST ${path} HTTP/1.1\r\nHost: ${host}\r\nAuthorization: Bearer ${key}\r\nContent-Type: application/json\r\nContent-Length: ${Buffer.byteLength(body)}\r\n\r\n${body}`,
  )
  socket.on('data', (piece) => {
    raw = Buffer.concat([raw, piece])
    if (bodyStart === -1) {
      const end = raw.indexOf('\r\n\r\n')
      if (end === -1) return
      bodyStart = end + 4
      head.resolve(raw.subarray(0, end).toString())
    }
    const read = dechunk(raw.subarray(bodyStart))
    decoded = read.text
    complete = read.complete
    for (const waiter of [...waiting]) {
      if (decoded.split(waiter.separator).length <= waiter.count) continue
      waiting.splice(waiting.indexOf(waiter), 1)
      waiter.done()
    }
    if (complete) socket.end()
  })
  socket.on('error', () => {})
  socket.on('close', () => {
    head.reject(new Error('the connection ended before a response'))
    for (const waiter of waiting) waiter.done()
    ended.resolve(complete)
  })
  return {
    head: head.promise,
    body: () => decoded,
    frames: (count, separator) =>
      new Promise((resolve) => {
        if (decoded.split(separator).length > count || socket.destroyed) resolve()
        else waiting.push({ count, separator, done: resolve })
      }),
    ended: ended.promise,
    hangUp: () => socket.resetAndDestroy(),
    close: () => socket.destroy(),
    pause: () => socket.pause(),
    resume: () => socket.resume(),
  }
}

function dechunk(bytes: Buffer): { text: string; complete: boolean } {
  const parts: Buffer[] = []
  for (let at = 0; ; ) {
    const line = bytes.indexOf('\r\n', at)
    if (line === -1) break
    const size = Number.parseInt(bytes.subarray(at, line).toString(), 16)
    if (size === 0) return { text: Buffer.concat(parts).toString(), complete: true }
    parts.push(bytes.subarray(line + 2, line + 2 + size))
    at = line + 2 + size + 2
    if (at > bytes.length) break
  }
  return { text: Buffer.concat(parts).toString(), complete: false }
}
